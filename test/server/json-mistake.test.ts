// Where a text stops being JSON: wherever `JSON.parse` says so too, and always somewhere.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findMistake } from "../../src/server/json-mistake.js";

describe("a mistake in JSON", () => {
  it.each([
    ["", 0, "the text ends where a value was wanted"],
    ["[", 1, "the text ends where a value or `]` was wanted"],
    ["[1", 2, "the text ends where `,` or `]` was wanted"],
    ["[1,]", 3, 'a value was wanted, "]" came'],
    ["{a:1}", 1, 'a key in double quotes or `}` was wanted, "a" came'],
    ['{"a" 1}', 5, '`:` after the key was wanted, "1" came'],
    ['{"a":}', 5, 'a value was wanted, "}" came'],
    ['{"a":1 "b":2}', 7, '`,` or `}` was wanted, "\\"" came'],
    ['{"a":tru}', 5, 'a value was wanted, "t" came'],
    ["'a'", 0, 'a value was wanted, "\'" came'],
    ["01", 1, 'the end was wanted, "1" came'],
    ["1.", 1, 'the end was wanted, "." came'],
    ["NaN", 0, 'a value was wanted, "N" came'],
    ['["\u0001"]', 1, "this string does not end, or has a character that needs a `\\`"],
    ['"\\x"', 0, "this string does not end, or has a character that needs a `\\`"],
    ['"open', 0, "this string does not end, or has a character that needs a `\\`"],
    ["[\u{1f600}]", 1, 'a value or `]` was wanted, "\u{1f600}" came'],
  ])("%j is at %i", (text, position, message) => {
    expect(() => JSON.parse(text)).toThrow();
    expect(findMistake(text)).toEqual({ position, message });
  });

  it("is found in a text of a million brackets, or of a million letters", () => {
    expect(findMistake("[".repeat(1_000_000)).position).toBe(1_000_000);
    expect(findMistake(`"${"x".repeat(1_000_000)}`).position).toBe(0);
    expect(findMistake(`"${"\\n".repeat(500_000)}`).position).toBe(0);
  });

  it("is at a place where the text before it could still have become JSON", () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", "]", '"', "x", "\\", ":", "0"))
      .map(([text, at, put]) => {
        const place = at % (text.length + 1);
        return `${text.slice(0, place)}${put}${text.slice(place + 1)}`;
      });
    fc.assert(
      fc.property(broken, (text) => {
        fc.pre(!isJson(text));
        const { position } = findMistake(text);
        expect(position).toBeGreaterThanOrEqual(0);
        expect(position).toBeLessThanOrEqual(text.length);
        // What V8 says where it says a place is never before ours, but for a broken token.
        const said = /at position (\d+)/.exec(messageOf(text))?.[1];
        if (said !== undefined) expect(position).toBeLessThanOrEqual(Number(said));
      }),
    );
  });
});

function isJson(text: string): boolean {
  return messageOf(text) === "";
}

function messageOf(text: string): string {
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}

// JSON laid out for people: as JSON.stringify does it, whatever is in it.

import fc from "fast-check";
import { expect, test } from "vitest";
import { laidOut } from "../../../src/hosts/local/laid-out.js";

test("given any JSON, when it is laid out, then it is as JSON.stringify lays it out", () => {
  const json = fc.oneof(fc.json({ maxDepth: 6 }), fc.json({ stringUnit: "binary" }));
  fc.assert(
    fc.property(json, (text) => {
      const value: unknown = JSON.parse(text);
      expect(laidOut(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  ["quotes and backslashes", { 'a"\\': ['\\"', '"', "\\", '\\\\"', "{[:,]}"] }],
  ["empty lists and objects", [[], {}, [[]], { a: {} }]],
  ["line breaks in texts, and other scripts", { é: "a\nb\u2028", "😀": "\ud800" }],
  ["numbers", [0, -1.5e-7, 1e21, true, false, null]],
])("given %s, then each stays what it is", (_, value) => {
  expect(laidOut(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
});

test("given a thousand lists in each other, when laid out, then each is one step in", () => {
  const depth = 1_000;
  const lines = laidOut("[".repeat(depth) + "]".repeat(depth)).split("\n");
  expect(lines).toHaveLength(2 * depth - 1);
  expect(lines[depth - 1]).toBe(`${" ".repeat(2 * (depth - 1))}[]`);
});

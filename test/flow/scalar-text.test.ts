// A place in a scalar's value is found again in the file, in every style that YAML has.

import fc from "fast-check";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { Findings } from "../../src/flow/findings.js";
import { readFlowFile } from "../../src/flow/flow-file.js";
import { placeInScalar } from "../../src/flow/scalar-text.js";
import { nodeAt } from "../../src/flow/tree.js";

const read = (text: string) => {
  const findings = new Findings("x.yaml", text);
  const root = readFlowFile(text, findings);
  expect(findings.sorted()).toEqual([]);
  return root!;
};

/** What the file has where the value has `needle`. */
const written = (text: string, needle: string) => {
  const node = nodeAt(read(text), "/v");
  const start = String(node.json).indexOf(needle);
  expect(start).toBeGreaterThanOrEqual(0);
  const place = placeInScalar(text, node, start, start + needle.length);
  return text.slice(place.start, place.end);
};

test.each([
  ["plain", "v: one two three", "two", "two"],
  ["plain over two lines", "v: one\n   two  \n   three", "three", "three"],
  ["plain with an empty line", "v: one\n\n   two", "two", "two"],
  ["single-quoted", "v: 'it''s two'", "two", "two"],
  ["single-quoted, a quote", "v: 'it''s two'", "'", "''"],
  ["single-quoted over lines", "v: 'one  \n\n  two three'", "three", "three"],
  ["double-quoted", 'v: "a \\"b\\" two"', "two", "two"],
  ["double-quoted, an escape", 'v: "a \\u00e9 two"', "\u00e9", "\\u00e9"],
  ["double-quoted, an astral escape", 'v: "a \\U0001F600 two"', "\u{1f600}", "\\U0001F600"],
  ["double-quoted, escaped line break", 'v: "one\\\n   two"', "two", "two"],
  ["double-quoted over lines", 'v: "one \\t\n  two"', "two", "two"],
  ["literal", "v: |\n  one\n    two\n  three", "three", "three"],
  ["literal with an indentation indicator", "v: |2-\n   one\n  two\n", "two", "two"],
  ["literal with CRLF", "v: |\r\n  one\r\n  two\r\n", "two", "two"],
  ["folded", "v: >\n  one\n  two\n\n  three\n", "three", "three"],
  ["folded with more indented lines", "v: >-\n  one\n    two\n  three\n", "three", "three"],
])("given a %s scalar, a word is found where it stands", (_, text, needle, expected) => {
  expect(written(text, needle)).toBe(expected);
});

test("given any text in any style, then its last word is found", () => {
  const words = fc.array(
    fc.constantFrom(
      "a",
      "bb",
      " ",
      "\n",
      "\n\n",
      "  c",
      "'",
      '"',
      "\\",
      "\t",
      "\u00e9",
      "# d",
      ": ",
    ),
    { maxLength: 12 },
  );
  const style = fc.constantFrom(
    "PLAIN",
    "QUOTE_DOUBLE",
    "QUOTE_SINGLE",
    "BLOCK_LITERAL",
    "BLOCK_FOLDED",
  );
  let followed = 0;
  fc.assert(
    fc.property(words, style, fc.integer({ min: 10, max: 40 }), (parts, type, lineWidth) => {
      const value = `x${parts.join("")} LAST`;
      const options = { defaultStringType: type as "PLAIN", defaultKeyType: "PLAIN" as const };
      const text = stringify({ v: value }, { ...options, lineWidth, version: "1.2" });
      // A long double-quoted line may be broken inside the word, with a backslash.
      expect(written(text, "LAST").replace(/\\\n\s*/g, "")).toBe("LAST");
      followed += 1;
    }),
    { numRuns: 2_000 },
  );
  expect(followed).toBe(2_000);
});

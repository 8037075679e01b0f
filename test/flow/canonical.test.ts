// Equal values have one canonical text, whatever the order they were built in.

import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJson } from "../../src/flow/canonical.js";
import type { Json } from "../../src/flow/json.js";

test("given keys in any order, then the text is the same", () => {
  expect(canonicalJson({ b: 1, a: [true, null, { d: "x", c: 0.5 }] })).toBe(
    '{"a":[true,null,{"c":0.5,"d":"x"}],"b":1}',
  );
});

test("given any JSON, then the text reads back as the same value", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = JSON.parse(JSON.stringify(value)) as Json;
      expect(JSON.parse(canonicalJson(json))).toEqual(json);
    }),
  );
});

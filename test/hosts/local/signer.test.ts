// What signatures are made of: texts are equal as a whole, or not at all.

import { expect, test } from "vitest";
import { signer } from "../../../src/hosts/local/signer.js";

test("given two texts, then they are equal where every character is the same", () => {
  const text = "t=1700000000,v1=5257a869e7ecebeda32affa62cdca3fa51cad7e77a0e56ff536d0ce8e108d8bd";
  expect(signer.equal(text, text)).toBe(true);
  const others = [...text].flatMap((each, at) => {
    const [before, after] = [text.slice(0, at), text.slice(at + 1)];
    return ["0", "f", "", `${each}0`].map((other) => before + other + after);
  });
  const wrong = [...others, "", text.toUpperCase(), `${text}\0`].filter((other) => other !== text);
  expect(wrong.length).toBeGreaterThan(300);
  expect(wrong.filter((other) => signer.equal(text, other))).toEqual([]);
});

// The cache of compiled expressions is bounded, and keeps what is used.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cache } from "../../../src/flow/expression/cache.js";

describe("a cache", () => {
  it("makes a value once while it is in use", () => {
    const cache = new Cache<string>(4);
    const made: string[] = [];
    const get = (key: string) =>
      cache.get(key, (it) => {
        made.push(it);
        return it.toUpperCase();
      });
    for (const key of ["a", "b", "a", "c", "a", "d", "a", "e", "a"]) {
      expect(get(key)).toBe(key.toUpperCase());
    }
    expect(made.filter((key) => key === "a")).toEqual(["a"]);
  });

  it("never holds more than its bound, and always answers right", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 20 }),
        fc.array(fc.integer({ max: 50 })),
        (most, keys) => {
          const cache = new Cache<number>(most);
          for (const key of keys) {
            expect(cache.get(String(key), Number)).toBe(key);
            expect(cache.size).toBeLessThanOrEqual(most);
          }
        },
      ),
    );
  });
});

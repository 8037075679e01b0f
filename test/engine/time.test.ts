// Times as texts and back, whatever was asked for before.

import { expect, test } from "vitest";
import { isoTime, timeOf } from "../../src/engine/time.js";

const START = Date.UTC(2026, 0, 31, 23, 59, 59, 900);
/** ms: what lies between times that are asked for one after the other. */
const STEPS = [0, 1, 7, 64, 1_000, 60_000, 3_600_000, 86_400_000, 31_536_000_000];

test("given any times, when they are asked for in turn, then each is its own", () => {
  for (let round = 0; round < 300; round += 1) {
    for (const step of STEPS) {
      const ms = START + round + step;
      const iso = new Date(ms).toISOString();
      expect([isoTime(ms), timeOf(iso)]).toEqual([iso, ms]);
    }
  }
});

test("given times of others, when they are read, then their offsets count", () => {
  expect(timeOf("2026-01-01T02:00:00+02:00")).toBe(Date.UTC(2026, 0, 1));
  expect(timeOf("2026-01-01T02:00:00Z")).toBe(Date.UTC(2026, 0, 1, 2));
});

test("given no time, when it is read or written, then nothing else is taken for it", () => {
  expect(timeOf("")).toBeNaN();
  expect(timeOf("soon")).toBeNaN();
  expect(() => isoTime(Number.NaN)).toThrow(RangeError);
  expect(isoTime(-1)).toBe("1969-12-31T23:59:59.999Z");
  expect(isoTime(0.5)).toBe("1970-01-01T00:00:00.000Z");
});

// Durations: the forms that are read, and those that are not.

import { expect, test } from "vitest";
import { DURATION_PATTERN, durationText, parseDuration } from "../../src/flow/duration.js";
import { compilePattern } from "../../src/flow/validator.js";

test.each([
  ["500ms", 500],
  ["5m", 300_000],
  ["1h30m", 5_400_000],
  ["1.5h", 5_400_000],
  ["2w", 1_209_600_000],
  ["PT5M", 300_000],
  ["P2D", 172_800_000],
  ["P1DT2H3M4.5S", 93_784_500],
  ["P1W", 604_800_000],
  [0, 0],
  [2, 2_000],
  [0.25, 250],
])("given %s, it is %i ms", (value, ms) => {
  expect(parseDuration(value)).toBe(ms);
});

test.each([
  "",
  "5",
  "m",
  "5 m",
  "-5m",
  "P",
  "PT",
  "P1M",
  "P1Y",
  "PT5",
  "5M",
  "1e3s",
  "20000d",
  `${"1m".repeat(30)}`,
  -1,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
  true,
])("given %j, it is no duration", (value) => {
  expect(parseDuration(value)).toBeUndefined();
});

test("given what editors and connectors check with, then RE2 knows the pattern", () => {
  const pattern = compilePattern(DURATION_PATTERN);
  expect(pattern.test("1h30m")).toBe(true);
  expect(pattern.test("P1DT2H")).toBe(true);
  expect(pattern.test("soon")).toBe(false);
});

test.each([
  [0, "0s"],
  [999, "999ms"],
  [93_784_500, "1d2h3m4s500ms"],
  [259_200_000, "3d"],
])("given %i ms, it is written %s, and read as the same", (ms, text) => {
  expect(durationText(ms)).toBe(text);
  expect(parseDuration(text)).toBe(ms);
});

// Times in expressions: RFC 3339, Go's durations, and parts of a date in any time zone.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ExpressionError, evaluateBare } from "../../../src/flow/expression/index.js";

const value = (text: string, context = {}) => evaluateBare(text, { context });

describe("a timestamp is read from RFC 3339", () => {
  it.each([
    ["2026-01-31T09:30:00Z", "2026-01-31T09:30:00.000Z"],
    ["2026-01-31t09:30:00z", "2026-01-31T09:30:00.000Z"],
    ["2026-01-31T09:30:00.123456Z", "2026-01-31T09:30:00.123Z"],
    ["2026-01-31T09:30:00+05:30", "2026-01-31T04:00:00.000Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
  ])("%s", (text, iso) => {
    expect(value("timestamp(context.at)", { at: text })).toBe(iso);
  });

  it.each([
    "",
    "2026-01-31",
    "2026-01-31 09:30:00Z",
    "2026-01-31T09:30:00",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-31T25:00:00Z",
    "Jan 31 2026 09:30:00",
    "now",
  ])("and %j is none", (text) => {
    expect(() => value("timestamp(context.at)", { at: text })).toThrow(ExpressionError);
  });

  it("is read from seconds since 1970, between the years 1 and 9999", () => {
    expect(value("timestamp(86400)")).toBe("1970-01-02T00:00:00.000Z");
    expect(value("timestamp(context.at)", { at: 0.5 })).toBe("1970-01-01T00:00:00.500Z");
    for (const at of [1e15, -1e15]) {
      expect(() => value("timestamp(context.at)", { at })).toThrow("beyond the years 1 to 9999");
    }
  });
});

describe("a duration is read as in Go", () => {
  it.each([
    ["1h30m", "5400s"],
    ["1.5s", "1.5s"],
    ["-2m", "-120s"],
    ["-0.5s", "-0.5s"],
    ["100ms", "0.1s"],
    ["1us", "0.000001s"],
    ["0s", "0s"],
  ])("%s is %s", (text, written) => {
    expect(value("duration(context.d)", { d: text })).toBe(written);
  });

  it.each(["", "5", "1d", "h", "1h 30m", "1..5s", "--1s"])("and %j is none", (text) => {
    expect(() => value("duration(context.d)", { d: text })).toThrow("is no duration");
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.constantFrom("ms", "s", "us"),
        (n, unit) => {
          const written = value("duration(context.d)", { d: `${n}${unit}` });
          expect(value("duration(context.d)", { d: written as string })).toBe(written);
        },
      ),
    );
  });
});

describe("the parts of a date", () => {
  const at = "timestamp('2026-03-01T23:30:15.250Z')";
  it.each([
    [`${at}.getFullYear()`, 2026],
    [`${at}.getMonth()`, 2],
    [`${at}.getDate()`, 1],
    [`${at}.getDayOfMonth()`, 0],
    [`${at}.getDayOfWeek()`, 0],
    [`${at}.getDayOfYear()`, 59],
    [`${at}.getHours()`, 23],
    [`${at}.getMinutes()`, 30],
    [`${at}.getSeconds()`, 15],
    [`${at}.getMilliseconds()`, 250],
    [`${at}.getDate('Europe/Paris')`, 2],
    [`${at}.getHours('Europe/Paris')`, 0],
    [`${at}.getDayOfWeek('Europe/Paris')`, 1],
    [`${at}.getHours('America/New_York')`, 18],
    [`${at}.getMinutes('Asia/Kathmandu')`, 15],
    [`${at}.getHours('+02:00')`, 1],
    [`${at}.getMinutes('-00:45')`, 45],
    [`${at}.getMilliseconds('Asia/Tokyo')`, 250],
    ["duration('90m').getHours()", 1],
    ["duration('90m').getMinutes()", 90],
    ["duration('90m').getSeconds()", 5400],
    ["duration('1500ms').getMilliseconds()", 1500],
    [`${at} < ${at} + duration('1ms')`, true],
    [`${at} == timestamp('2026-03-02T00:30:15.250+01:00')`, true],
    ["duration('60s') == duration('1m') && duration('61s') > duration('1m')", true],
    ["duration('60s') + duration('1m') - duration('30s')", "90s"],
  ])("%s is %s", (text, part) => {
    expect(value(text)).toBe(part);
  });
});

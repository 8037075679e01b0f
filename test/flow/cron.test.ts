// When cron lines fire: zones, and the two changes of the clock a year, also one of half an hour.

import { describe, expect, test, vi } from "vitest";
import { lastFiring, nextFiring } from "../../src/flow/cron.js";

/** The next firings, as UTC. */
function firings(cron: string, timezone: string, from: string, count: number): string[] {
  const found: string[] = [];
  let at: number | null = Date.parse(from);
  while (found.length < count) {
    at = nextFiring({ cron, timezone }, at);
    if (at === null) break;
    found.push(new Date(at).toISOString().slice(0, 16));
  }
  return found;
}

describe("given the night in which an hour is skipped, when a schedule is due in it, then", () => {
  test("one with a time of day fires right after the gap, and a day later in its place", () => {
    expect(firings("30 2 * * *", "Europe/Paris", "2026-03-28T02:00Z", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-30T00:30",
    ]);
    expect(firings("30 2 * * *", "America/New_York", "2026-03-08T00:00Z", 2)).toEqual([
      "2026-03-08T07:00",
      "2026-03-09T06:30",
    ]);
    // Half an hour is skipped there: 02:00 becomes 02:30.
    expect(firings("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", 2)).toEqual([
      "2026-10-03T15:30",
      "2026-10-04T15:15",
    ]);
  });

  test("one with a list of times loses none of them", () => {
    expect(firings("30 2,14 * * *", "Europe/Paris", "2026-03-28T14:00Z", 2)).toEqual([
      "2026-03-29T01:00",
      "2026-03-29T12:30",
    ]);
  });

  test("one that goes by the hour goes on by the hour", () => {
    expect(firings("0 * * * *", "Europe/Paris", "2026-03-28T23:30Z", 3)).toEqual([
      "2026-03-29T00:00",
      "2026-03-29T01:00",
      "2026-03-29T02:00",
    ]);
  });
});

describe("given the night in which an hour comes twice, when a schedule is due in it, then", () => {
  test("one with a time of day fires once", () => {
    expect(firings("30 2 * * *", "Europe/Paris", "2026-10-24T12:00Z", 2)).toEqual([
      "2026-10-25T00:30",
      "2026-10-26T01:30",
    ]);
    expect(firings("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", 2)).toEqual([
      "2026-11-01T05:30",
      "2026-11-02T06:30",
    ]);
    // Half an hour comes twice there: 01:30 to 02:00.
    expect(firings("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", 2)).toEqual([
      "2026-04-04T14:45",
      "2026-04-05T15:15",
    ]);
  });

  test("one that goes by the half-hour goes on by the half-hour", () => {
    expect(firings("*/30 * * * *", "Europe/Paris", "2026-10-24T23:40Z", 5)).toEqual([
      "2026-10-25T00:00",
      "2026-10-25T00:30",
      "2026-10-25T01:00",
      "2026-10-25T01:30",
      "2026-10-25T02:00",
    ]);
  });
});

test("given a time, then the last firing is the one at it or before it", () => {
  const line = { cron: "0 9 * * 1-5", timezone: "Europe/Paris" };
  const last = (at: string) => new Date(lastFiring(line, Date.parse(at)) ?? 0).toISOString();
  expect(last("2026-03-30T07:00:00.000Z")).toBe("2026-03-30T07:00:00.000Z");
  expect(last("2026-03-30T06:59:59.999Z")).toBe("2026-03-27T08:00:00.000Z");
});

test("given a firing, then looking back from the next one finds it", () => {
  for (const timezone of ["Europe/Paris", "America/New_York", "Australia/Lord_Howe"]) {
    for (const cron of ["30 2 * * *", "*/45 1-3 * * *", "15 2,14 * * 0", "0 0 29 2 *"]) {
      const line = { cron, timezone };
      let at = Date.parse("2026-03-25T00:00Z");
      for (let count = 0; count < 30; count++) {
        const next = nextFiring(line, at);
        if (next === null || next > Date.parse("2030-01-01T00:00Z")) break;
        expect(next).toBeGreaterThan(at);
        expect(lastFiring(line, next)).toBe(next);
        if (count > 0) expect(lastFiring(line, next - 1)).toBe(at);
        at = next;
      }
    }
  }
});

test("given another present, then the same is said: the clock is not asked", () => {
  const line = { cron: "30 2 * * *", timezone: "Europe/Paris" };
  const from = Date.parse("2026-03-28T02:00Z");
  const before = [nextFiring(line, from), lastFiring(line, from)];
  vi.useFakeTimers({ now: Date.parse("2051-06-01T00:00Z") });
  expect([nextFiring(line, from), lastFiring(line, from)]).toEqual(before);
  vi.useRealTimers();
});

// Timers on a clock that the test sets, also back and far ahead.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Timers } from "../../../src/hosts/local/timers.js";

let clock = 0;
let timers: Timers;
let calls: string[];

/** Time passes, for the clock and for setTimeout alike. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 100) {
    const slice = Math.min(left, 100);
    clock += slice;
    await vi.advanceTimersByTimeAsync(slice);
  }
}

function wait(until: number, name: string): () => void {
  return timers.wait(until, () => calls.push(name));
}

beforeEach(() => {
  vi.useFakeTimers();
  clock = 1_000_000;
  calls = [];
  timers = new Timers(() => clock);
});

afterEach(() => {
  timers.stop();
  vi.useRealTimers();
});

describe("given timers, when their time comes, then", () => {
  test("they are called in the order of their times, then of asking", async () => {
    wait(clock + 300, "c");
    wait(clock + 100, "a");
    wait(clock + 300, "d");
    wait(clock + 200, "b");
    await pass(100);
    expect(calls).toEqual(["a"]);
    await pass(1_000);
    expect(calls).toEqual(["a", "b", "c", "d"]);
    expect(timers.size).toBe(0);
  });

  test("what is due already is called, but not before the caller has gone on", async () => {
    wait(clock - 5, "past");
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(0);
    expect(calls).toEqual(["past"]);
  });

  test("what lies years ahead is called then, and not before", async () => {
    const year = 365 * 24 * 3_600_000;
    wait(clock + year, "year");
    clock += year - 60_000;
    await pass(59_000);
    expect(calls).toEqual([]);
    await pass(61_000);
    expect(calls).toEqual(["year"]);
  });

  test("a callback may ask for more, and for what is due at once", async () => {
    timers.wait(clock + 100, () => {
      wait(clock, "now");
      wait(clock + 100, "later");
    });
    await pass(100);
    expect(calls).toEqual(["now"]);
    await pass(100);
    expect(calls).toEqual(["now", "later"]);
  });

  test("ten thousand that are due at once are each called once, in order", async () => {
    for (let n = 0; n < 10_000; n += 1) wait(clock + 50, String(n));
    await pass(200);
    expect(calls).toEqual(Array.from({ length: 10_000 }, (_, n) => String(n)));
  });
});

describe("given timers that are forgotten, then", () => {
  test("they are not called, and the others are", async () => {
    const forget = [5, 1, 4, 2, 3, 0].map((n) => wait(clock + 100 * (n + 1), String(n)));
    forget[1]?.();
    forget[2]?.();
    forget[2]?.();
    await pass(1_000);
    expect(calls).toEqual(["0", "2", "3", "5"]);
    forget[0]?.();
  });

  test("any subset of many leaves the rest in order", async () => {
    const kept: number[] = [];
    for (let n = 0; n < 500; n += 1) {
      const due = (n * 7_919) % 1_000;
      const forget = wait(clock + 100 + due, String(due));
      if (n % 3 === 0) forget();
      else kept.push(due);
    }
    expect(timers.size).toBe(kept.length);
    await pass(2_000);
    expect(calls.map(Number)).toEqual(kept.sort((a, b) => a - b));
  });

  test("nothing is called after a stop", async () => {
    wait(clock + 100, "a");
    wait(clock - 100, "b");
    timers.stop();
    await pass(1_000);
    expect(calls).toEqual([]);
  });
});

describe("given a clock that jumps", () => {
  test("an hour forward, then what it skipped is called within a minute, once", async () => {
    wait(clock + 1_800_000, "half an hour");
    wait(clock + 7_200_000, "two hours");
    clock += 3_600_000;
    await pass(60_000);
    expect(calls).toEqual(["half an hour"]);
    await pass(3_600_000);
    expect(calls).toEqual(["half an hour", "two hours"]);
  });

  test("an hour back, then nothing is called twice, and nothing is lost", async () => {
    wait(clock + 500, "before");
    await pass(1_000);
    const due = clock + 1_000;
    wait(due, "after");
    clock -= 3_600_000;
    await pass(30_000);
    expect(calls).toEqual(["before"]);
    await pass(3_600_000);
    expect(calls).toEqual(["before", "after"]);
  });

  test("back, and something new is due before the old, then it is in time", async () => {
    wait(clock + 50_000, "old");
    clock -= 3_600_000;
    wait(clock + 200, "new");
    await pass(300);
    expect(calls).toEqual(["new"]);
  });
});

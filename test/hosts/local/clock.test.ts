// A clock that is set back and forward an hour under runs that sleep, also across a crash.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Machine, World } from "./machine.js";
import { SimDisk } from "./sim-disk.js";
import { VirtualTime } from "./virtual-time.js";

const HOUR = 3_600_000;
const NAP_S = 600;
const RUNS = 20;

vi.mock("../../../src/hosts/local/lock.js", () => ({
  takeLock: () => ({ setAddress() {}, release() {} }),
}));

/** Of documents the judge reads those on the simulated disk. */
vi.mock("node:fs/promises", async (original) => {
  const gone = Object.assign(new Error("ENOENT"), { code: "ENOENT" });
  return { ...(await original<object>()), readFile: () => Promise.reject(gone) };
});

let time: VirtualTime;

beforeEach(() => {
  time = new VirtualTime().install();
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

/** The clock is set by this much, so long after the start. */
function set(machine: Machine, by: number, after: number): void {
  setTimeout(() => {
    machine.ahead += by;
  }, after);
}

describe("given runs that sleep for ten minutes, when the clock is set", () => {
  test.each([
    ["an hour forward, then they wake within a minute of it", [HOUR], 100, 165],
    ["an hour back, then they wake an hour later by the world", [-HOUR], 4_195, 4_265],
    ["forward and back again, then they wake once", [HOUR, -HOUR], 100, 165],
    ["back and forward again, then they wake in time", [-HOUR, HOUR], 595, 665],
  ])("%s", async (_name, jumps, least, most) => {
    const machine = new Machine(time, new SimDisk("/sim"), new World(), NAP_S);
    const began = time.now;
    for (const [i, by] of jumps.entries()) set(machine, by, 100_000 + i * 90_000);
    await machine.live(RUNS);
    expect(machine.slept, "they are put to sleep").toBeGreaterThanOrEqual(RUNS);
    const seconds = (time.now - began) / 1000;
    expect(await machine.judge()).toEqual([]);
    expect(machine.world.calls).toHaveLength(RUNS * 3);
    expect(seconds).toBeGreaterThanOrEqual(least);
    expect(seconds).toBeLessThanOrEqual(most);
  });

  test.each([
    ["forward", HOUR],
    ["back", -HOUR],
  ])("%s while the process is down, then no run is lost and none wakes twice", async (_n, by) => {
    const world = new World();
    const disk = new SimDisk("/sim", [], { dies: { at: 120, how: "half" } });
    await new Machine(time, disk, world, 10).live(RUNS);
    expect(disk.isDead).toBe(true);
    const next = new Machine(time, new SimDisk("/sim", disk.tree()), world, 10);
    next.ahead = by;
    await next.live(RUNS);
    expect(await next.judge()).toEqual([]);
    expect(world.acknowledged.size).toBeGreaterThan(RUNS);
  });
});

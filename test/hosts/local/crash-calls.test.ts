// A process that dies in any of its first calls that write or sync, and is started again.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Machine, World } from "./machine.js";
import { chance, PowerCut, type State } from "./power-cut.js";
import { SimDisk } from "./sim-disk.js";
import { VirtualTime } from "./virtual-time.js";

/** Times as many: `npm run soak` asks for more. */
const SOAK = Number(process.env.SOAK ?? 1);
const CALLS = 300 * SOAK;
const RUNS = 18 * SOAK;

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

/** What the disk has when the process is started again. */
const AFTERWARDS: { [name: string]: (disk: SimDisk, n: number) => State["tree"] } = {
  "the process was killed, in the middle of that call": (disk) => disk.tree(),
  "the power went": (disk, n) => {
    const cut = new PowerCut(new SimDisk("/sim"));
    for (const change of disk.log) cut.take(change);
    return cut.state(n % 5, chance(n)).tree;
  },
};

describe("given a process with runs in every state", () => {
  test("then it makes more calls than are tried below", async () => {
    const disk = new SimDisk("/sim");
    const machine = new Machine(time, disk, new World());
    await machine.live(RUNS);
    expect(disk.calls).toBeGreaterThan(CALLS);
    expect(await machine.judge()).toEqual([]);
    expect(machine.world.calls).toHaveLength(RUNS * 3);
  });

  describe("when it dies in any of its first calls, and is started again, all is well:", () => {
    test.each(Object.entries(AFTERWARDS))(
      "%s",
      { timeout: 600_000 * SOAK ** 2 },
      async (_name, left) => {
        const seen = { acknowledged: 0, repeated: 0 };
        for (let n = 1; n <= CALLS; n += 1) {
          const world = new World();
          const disk = new SimDisk("/sim", [], { dies: { at: n, how: "half" } });
          await new Machine(time, disk, world).live(RUNS);
          expect(disk.isDead).toBe(true);
          seen.acknowledged += world.acknowledged.size;
          const next = new Machine(time, new SimDisk("/sim", left(disk, n)), world);
          await next.live(1);
          expect(await next.judge(), `killed in call ${n}`).toEqual([]);
          seen.repeated += world.calls.length - new Set(world.calls).size;
        }
        // Otherwise there was nothing to lose, and no call in flight.
        expect(seen.acknowledged).toBeGreaterThan(CALLS);
        expect(seen.repeated).toBeGreaterThan(10);
      },
    );
  });
});

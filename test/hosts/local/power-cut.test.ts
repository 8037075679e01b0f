// Power cuts: whatever a disk could hold afterwards, what was acknowledged is there.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cutEverywhere, live } from "./power-history.js";
import { VirtualTime } from "./virtual-time.js";
import { WEAKENED } from "./weakened.js";

/** Times as many: `npm run soak` asks for more. */
const SOAK = Number(process.env.SOAK ?? 1);
const FIRST_SEED = Number(process.env.SEED ?? 1);

const weakened = vi.hoisted(() => ({ isWithoutBatches: false }));

vi.mock("../../../src/hosts/local/lock.js", () => ({
  takeLock: () => ({ setAddress() {}, release() {} }),
}));

vi.mock("../../../src/hosts/local/record.js", async (original) => {
  const real = await original<typeof import("../../../src/hosts/local/record.js")>();
  class BatchBuffer extends real.BatchBuffer {
    override encode(batch: number, first: number, jsons: readonly string[]): Buffer {
      if (!weakened.isWithoutBatches) return super.encode(batch, first, jsons);
      const alone = (json: string, i: number): Buffer => {
        const marked = Buffer.from(super.encode(first + i, first + i, [json]));
        return i === 0 ? marked : marked.subarray(1);
      };
      return Buffer.concat(jsons.map(alone));
    }
  }
  return { ...real, BatchBuffer };
});

/** Of documents the oracle reads those on the simulated disk. */
vi.mock("node:fs/promises", async (original) => {
  const gone = Object.assign(new Error("ENOENT"), { code: "ENOENT" });
  return { ...(await original<object>()), readFile: () => Promise.reject(gone) };
});

let time: VirtualTime;

beforeEach(() => {
  time = new VirtualTime().install();
});

afterEach(() => {
  weakened.isWithoutBatches = false;
  vi.unstubAllGlobals();
});

describe("given a store that lives on a disk which promises only what was synced", () => {
  const given = "when the power goes at any moment, then whatever the disk has, nothing is lost";
  test(given, { timeout: 600_000 * SOAK }, async () => {
    let states = 0;
    for (let seed = FIRST_SEED; seed < FIRST_SEED + 2 * SOAK; seed += 1) {
      const life = await live(time, { seed, decisions: 330, reopens: seed % 2 === 1 });
      expect(life.troubles).toEqual([]);
      expect(life.stats.checkpoints).toBeGreaterThan(3);
      expect(life.stats.segments).toBeGreaterThan(5);
      const tally = await cutEverywhere(time, life, { seed, each: 8, keep: 6 });
      expect(tally.wrong, `seed ${seed}`).toEqual([]);
      states += tally.states;
      // What recovery itself writes can be lost, too, and the store goes on after it.
      for (const after of tally.kept) {
        const second = await live(time, { seed: seed + after.place, decisions: 12, after });
        const more = await cutEverywhere(time, second, { seed, each: 6 });
        expect(more.wrong, `seed ${seed}, after a cut at ${after.place}`).toEqual([]);
        states += more.states;
      }
    }
    expect(states).toBeGreaterThan(10_000 * SOAK);
  });
});

describe("given a weakened protocol, then a power cut is found that loses something, where", () => {
  test.each(Object.entries(WEAKENED))("%s", async (_name, weaken) => {
    const life = await live(time, { seed: 1, decisions: 200, weaken, reopens: true });
    const { wrong } = await cutEverywhere(time, life, { seed: 1, each: 8, untilWrong: true });
    expect(wrong).toHaveLength(1);
  });

  test("records do not say of which batch they are", async () => {
    weakened.isWithoutBatches = true;
    // In one segment, since a checkpoint tells the number of the batch, too.
    const store = { first_segment_bytes: 1_000_000 };
    const life = await live(time, { seed: 1, decisions: 60, store });
    expect(life.stats.segments).toBe(1);
    const { wrong } = await cutEverywhere(time, life, { seed: 1, each: 40, untilWrong: true });
    expect(wrong).toEqual([expect.stringContaining("not opened: The journal is damaged")]);
  });
});

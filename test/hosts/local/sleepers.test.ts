// The runs of a store that sleep: each is woken at its time, and one without a time by a command.

import { expect, test } from "vitest";
import { Sleepers } from "../../../src/hosts/local/sleepers.js";
import type { Store } from "../../../src/hosts/local/store-types.js";

/** Slots of runs whose version is gone. */
const LOST = new Set([2, 4]);

/** Each slot's time, in ms; 0: none. */
function storeOf(untils: number[]): Store {
  const slots = Uint32Array.from(untils.keys());
  return {
    sleepers: () => ({
      slots,
      untils: Float64Array.from(untils),
      versions: slots.map((slot) => (LOST.has(slot) ? 1 : 0)),
    }),
    sleeper: (slot: number) => ({ id: `run_${slot}`, version: LOST.has(slot) ? "lost" : "kept" }),
  } as Partial<Store> as Store;
}

test("given runs that sleep, then those with a time that can go on are woken at it", async () => {
  const woken: string[] = [];
  const lost: string[] = [];
  const later = Date.now() + 3_600_000;
  const sleepers = new Sleepers(
    storeOf([1, 0, 1, later, 1]),
    (id) => void woken.push(id),
    ({ id, version }) => {
      if (version === "lost") lost.push(id);
      return version === "kept";
    },
  );
  sleepers.start();
  expect(lost).toEqual(["run_2", "run_4"]);
  expect(sleepers.size).toBe(2);
  await expect.poll(() => woken).toEqual(["run_0"]);
  expect(sleepers.size).toBe(1);
  sleepers.stop();
});

test("given many, in any order, then they are woken by time, the older one first", async () => {
  const times = Array.from({ length: 2_000 }, (_, slot) => 1 + ((slot * 7_919) % 500));
  const added = { slot: times.length, until: 249.5 };
  const woken: string[] = [];
  const sleepers = new Sleepers(
    storeOf(times),
    (id) => void woken.push(id),
    () => true,
  );
  sleepers.add(added);
  sleepers.start();
  await expect.poll(() => woken.length).toBe(times.length + 1);
  const all = [...times.entries(), [added.slot, added.until] as const];
  const inOrder = all.sort(([a, x], [b, y]) => x - y || a - b);
  expect(woken).toEqual(inOrder.map(([slot]) => `run_${slot}`));
  sleepers.stop();
});

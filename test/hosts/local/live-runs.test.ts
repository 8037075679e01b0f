// Runs that sleep as packed texts: they come back byte for byte, and captures see their moment.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { fold } from "../../../src/engine/evolve.js";
import type { Run } from "../../../src/engine/run.js";
import { readCheckpoint, writeCheckpoint } from "../../../src/hosts/local/checkpoint.js";
import { type Asleep, LiveRuns } from "../../../src/hosts/local/live-runs.js";
import { packed, unpacked } from "../../../src/hosts/local/packed-run.js";
import { FORMAT } from "../../../src/hosts/local/record.js";
import { RunIndex } from "../../../src/hosts/local/run-index.js";
import { Slab } from "../../../src/hosts/local/slab.js";
import * as kit from "./store-kit.js";

const { runId } = kit;
const POSITION = { segment: 1, offset: 40, batch: 7, seq: 9 };

function waiting(n: number, context: Run["context"] = { invoice: n }, key?: string): Run {
  const run = fold(null, kit.created(n, { context, ...(key === undefined ? {} : { key }) }), n);
  const until = { until: "2026-01-02T03:04:05.000Z" };
  const started = kit.stepStarted(n);
  return fold(run, { ...started, events: started.events.map((e) => ({ ...e, ...until })) }, n);
}

/** Live runs, all asleep. */
function asleep(...runs: Run[]): { index: RunIndex; live: LiveRuns } {
  const index = new RunIndex();
  const live = new LiveRuns(index);
  for (const run of runs) {
    index.put(run);
    live.put(run);
    live.sleep(run.id, JSON.stringify(run), 1_000 * run.seq);
  }
  return { index, live };
}

/** Slots, and when each is woken. */
function asleepAre(...pairs: [number, number][]): Asleep {
  const slots = Uint32Array.from(pairs, ([slot]) => slot);
  const versions = new Uint32Array(pairs.length);
  return { slots, untils: Float64Array.from(pairs, ([, until]) => until), versions };
}

const TEXTS = [
  {},
  { text: 'quotes " and "status":"running","context":{ and \\ and \n and \u0001', no: null },
  { text: "déjà vu 日本 🎉 \ud800", list: [1, -2.5, true, { deep: [[]] }] },
  { text: "x".repeat(3 * 1024 * 1024) },
];

test.each(TEXTS)(
  "given a run with any context, when it sleeps, then it is the same (%#)",
  (context) => {
    const run = waiting(1, context);
    const { live } = asleep(run);
    expect(JSON.stringify(live.get(run.id))).toBe(JSON.stringify(run));
    expect(live.json(run.id)).toBe(JSON.stringify(run));
    expect([live.isAsleep(run.id), live.size, live.sleepers()]).toEqual([
      true,
      1,
      asleepAre([0, 1_000]),
    ]);
    expect(live.wake(run.id)).toEqual(run);
    expect([live.isAsleep(run.id), live.size, [...live.awake()]]).toEqual([false, 1, [run]]);
  },
);

test("given the JSON of a run that waits, then packed it is half as long, or less", () => {
  const text = JSON.stringify(waiting(1));
  expect(packed(text).length).toBeLessThan(text.length / 2 + 60);
  expect(unpacked(packed(text))).toBe(text);
});

test("given what a checkpoint of this format has, then it is unpacked as it was packed", () => {
  const codes = [...Array(18).keys()].map((i) => i + 1).filter((code) => code !== 10);
  const phrases = unpacked(String.fromCharCode(...codes));
  const hash = createHash("sha256").update(phrases).digest("hex").slice(0, 16);
  expect([FORMAT, hash]).toEqual([3, "af6d091c043fd902"]);
});

test("given a slab, when most of its texts go, then the others move and stay readable", () => {
  const places = new Map<number, number>();
  const slab = new Slab((key, place) => places.set(key, place));
  const textOf = (key: number): string => `${key} ${"é".repeat(key % 500)}`;
  for (let key = 0; key < 4_000; key += 1) places.set(key, slab.add(key, textOf(key)));
  const highest = Math.max(...places.values());
  for (let round = 0; round < 3; round += 1) {
    for (let key = 0; key < 4_000; key += 1) {
      if (key % 10 === 0) continue;
      slab.remove(places.get(key) ?? -1);
      places.set(key, slab.add(key, textOf(key)));
    }
  }
  for (const [key, place] of places) expect(slab.text(place)).toBe(textOf(key));
  // What was given up three times over was used again.
  expect(Math.max(...places.values())).toBeLessThan(2 * highest);
});

describe("given a checkpoint that is written", () => {
  async function written(index: RunIndex, live: LiveRuns, meanwhile: () => void = () => {}) {
    const folder = kit.makeFolder();
    const state = { position: POSITION, index: index.capture(), live: live.capture() };
    meanwhile();
    await writeCheckpoint(kit.quickDisk, folder, state);
    return readCheckpoint(kit.quickDisk, folder);
  }

  test("then runs at work are at work again, and sleepers sleep until their time", async () => {
    const sleeper = waiting(1);
    const keyed = waiting(2, { "a]}": ["}]"] }, 'key "]} 日本');
    const forCommand = waiting(3);
    const { index, live } = asleep(sleeper, keyed, forCommand);
    live.wake(forCommand.id);
    live.sleep(forCommand.id, JSON.stringify(forCommand), null);
    const busy = fold(null, kit.created(4, { key: "k" }), 4);
    index.put(busy);
    live.put(busy);
    const done = fold(fold(null, kit.created(5, { key: "d" }), 5), kit.failed(5), 6);
    index.put(done, 5);
    const found = await written(index, live);
    expect([...(found?.live.awake() ?? [])]).toEqual([busy]);
    expect(found?.live.sleepers()).toEqual(asleepAre([0, 1_000], [1, 2_000], [2, 0]));
    for (const run of [sleeper, keyed, forCommand]) {
      expect(JSON.stringify(found?.live.get(run.id))).toBe(JSON.stringify(run));
    }
    expect(found?.index.findByKey("demo", 'key "]} 日本')).toBe(keyed.id);
    expect(found?.index.list({ limit: 9 })).toEqual(index.list({ limit: 9 }));
    expect([found?.position, found?.finished.size]).toEqual([POSITION, 0]);
  });

  test("when runs wake, change and sleep again meanwhile, then it has its moment", async () => {
    const { index, live } = asleep(waiting(1), waiting(2), waiting(3));
    const found = await written(index, live, () => {
      for (const n of [1, 2]) {
        const run = live.wake(runId(n));
        const next = fold(run ?? null, kit.completed(n), 10 + n);
        index.put(next);
        live.put(next);
      }
      live.delete(runId(1));
      live.sleep(runId(2), JSON.stringify(live.get(runId(2))), null);
    });
    for (const n of [1, 2, 3]) expect(found?.live.get(runId(n))).toEqual(waiting(n));
    expect(found?.index.counts()).toMatchObject({ running: 3, completed: 0 });
  });
});

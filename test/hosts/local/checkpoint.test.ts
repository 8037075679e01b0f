// A checkpoint of more runs than a block of rows takes: what is written little by little is of one
// moment, and is read back whole.

import { expect, test } from "vitest";
import { fold } from "../../../src/engine/evolve.js";
import type { Run } from "../../../src/engine/run.js";
import { readCheckpoint, writeCheckpoint } from "../../../src/hosts/local/checkpoint.js";
import type { Disk } from "../../../src/hosts/local/disk.js";
import { LiveRuns } from "../../../src/hosts/local/live-runs.js";
import { BLOCK_ROWS } from "../../../src/hosts/local/row-block.js";
import { RunIndex } from "../../../src/hosts/local/run-index.js";
import * as kit from "./store-kit.js";

const { runId } = kit;
const POSITION = { segment: 3, offset: 40, batch: 7, seq: 9 };
const COUNT = 2 * BLOCK_ROWS + 100;
const text = "x".repeat(100);

/** Every tenth sleeps, every hundredth is at work, the others have finished or failed. */
function manyRuns(): { index: RunIndex; live: LiveRuns; runs: Map<string, Run> } {
  const index = new RunIndex();
  const live = new LiveRuns(index);
  const runs = new Map<string, Run>();
  for (let n = 1; n <= COUNT; n += 1) {
    const more = { context: { n, text }, ...(n % 7 === 0 ? { key: `key ${n}` } : {}) };
    const begun = fold(null, kit.created(n, more), n);
    const end = n % 3 === 0 ? kit.failed(n) : kit.completed(n);
    const run = n % 10 === 0 ? begun : fold(begun, end, n);
    index.put(run, n);
    runs.set(run.id, run);
    if (n % 10 !== 0) continue;
    live.put(run);
    if (n % 100 !== 0) live.sleep(run.id, JSON.stringify(run), n);
  }
  return { index, live, runs };
}

test("given many runs, when they change while it is written, then it has its moment", async () => {
  const { index, live, runs } = manyRuns();
  const deleted = [...runs.keys()].filter((_, i) => i % 11 === 0 && !live.has(runId(i + 1)));
  for (const id of deleted) {
    index.remove(id);
    runs.delete(id);
  }
  const moment = { list: index.list({ limit: COUNT }), counts: index.counts() };
  let writes = 0;
  const disk: Disk = {
    ...kit.quickDisk,
    writeLater(...write) {
      writes += 1;
      // Another run wakes and ends, one goes, and one comes, between any two pieces.
      const woken = runId(10 * writes * 50 + 10);
      const run = live.wake(woken);
      if (run) index.put(fold(run, { run_id: woken, events: kit.completed(1).events }, 1e6));
      live.delete(woken);
      index.remove(runId(3 * writes + 1));
      const next = COUNT + writes;
      index.put(fold(null, kit.created(next), next), next);
      kit.quickDisk.writeLater(...write);
    },
  };
  const folder = kit.makeFolder();
  const state = { position: POSITION, index: index.capture(), live: live.capture() };
  const size = await writeCheckpoint(disk, folder, state);
  const found = readCheckpoint(kit.quickDisk, folder);
  expect(writes).toBeGreaterThan(5);
  expect([found?.size, found?.position, found?.finished.size]).toEqual([size, POSITION, 0]);
  expect(found?.index.list({ limit: COUNT })).toEqual(moment.list);
  expect(found?.index.counts()).toEqual(moment.counts);
  expect(found?.live.size).toBe([...runs.values()].filter((run) => !run.finished_at).length);
  for (const [id, run] of runs) {
    if (found?.index.status(id) !== run.status) throw new Error(`${id} is not ${run.status}`);
    if (run.finished_at) continue;
    expect(found.live.get(id)).toEqual(run);
    expect(found.live.isAsleep(id)).toBe(!id.endsWith("00"));
  }
  for (const id of deleted) expect(found?.index.status(id)).toBeUndefined();
  expect(found?.index.findByKey("demo", "key 16380")).toBe(runId(16_380));
});

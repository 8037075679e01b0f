// One round on a store of a million runs, in a process of its own: prints what it saw, as JSON.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Sleepers } from "../../dist/hosts/local/sleepers.js";
import { openStore } from "../../dist/hosts/local/store.js";
import { openHost } from "./host.mjs";

const MIB = 1024 * 1024;
const [, , what, folder, ...more] = process.argv;
const numbers = more.map(Number);

// The clock says what it said when the store was left.
const ahead = Date.now() - numbers.at(-1);
const now = Date.now;
Date.now = () => now() - ahead;

console.log(JSON.stringify(what === "start" ? await start() : await sleepers(...numbers)));
// Without a close: what the store would write then is no part of this.
process.exit(0);

/** The store, and the timers of those that sleep: what grows with the number of runs. */
async function start() {
  const store = join(folder, "store");
  const onFailure = (error) => {
    throw error;
  };
  const from = performance.now();
  const opening = await openStore(store, { onFailure });
  new Sleepers(
    opening,
    () => {},
    () => true,
  ).start();
  const opened = performance.now();
  globalThis.gc();
  const rss_mib = process.memoryUsage().rss / MIB;
  const reading = performance.now();
  readFileSync(join(store, "checkpoint.bin"));
  return { open_ms: opened - from, rss_mib, read_ms: performance.now() - reading };
}

async function sleepers(due, dueMs, left) {
  const before = usedBytes();
  const host = await openHost(folder);
  const { running } = (await host.health()).runs;
  const bytes = (usedBytes() - before) / running;
  const rss_mib = process.memoryUsage().rss / MIB;
  let late_ms = 0;
  const last = idOf(due - 1);
  while ((await host.runner.get(last)).status === "running") await sleep(100);
  await sleep(1_000);
  for (let n = 0; n < due; n++) {
    const { status, finished_at } = await host.runner.get(idOf(n));
    if (status !== "completed") throw new Error(`${idOf(n)} was not woken within ${dueMs} ms`);
    const until = left + 30_000 + Math.floor((n * dueMs) / due);
    late_ms = Math.max(late_ms, Date.parse(finished_at) - until);
  }
  return { bytes, rss_mib, late_ms };
}

function idOf(n) {
  return `run_${String(n).padStart(26, "0")}`;
}

/** What the process holds: objects, and what stands outside the garbage collector's sight. */
function usedBytes() {
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

// Stores with a million runs: how long a start takes, what a run that sleeps costs, whether it is
// woken in time, and what a page of a listing takes. RUNS=100000 makes do with fewer.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { writeCheckpoint } from "../../dist/hosts/local/checkpoint.js";
import { nodeDisk } from "../../dist/hosts/local/disk.js";
import { LiveRuns } from "../../dist/hosts/local/live-runs.js";
import { BLOCK_ROWS, RowBlock } from "../../dist/hosts/local/row-block.js";
import { RunIndex } from "../../dist/hosts/local/run-index.js";
import { createSegment, headerLength } from "../../dist/hosts/local/segment.js";
import { openHost, start } from "./host.mjs";
import { inTemporaryFolder, row } from "./measure.mjs";

const ROUNDS = 5;
const MILLION = Number(process.env.RUNS ?? 1_000_000);
const WAITING = MILLION / 10;
/** Runs of those that sleep that come due while they are watched, and ms in which they do. */
const DUE = MILLION / 200;
const DUE_MS = 10_000;
const DAY_MS = 86_400_000;
/** When the stores were left, by the clock; those that start them set theirs to it. */
const NOW = Date.parse("2026-01-02T03:04:05.000Z");
const COMPLETED = 3;
const RUNNING = 1;

export function startUp() {
  return inTemporaryFolder(async (folder) => {
    await makeStore(folder, { finished: MILLION, asleep: WAITING });
    const rounds = Array.from({ length: ROUNDS }, () => child("start", folder));
    const all = (name) => rounds.map((round) => round[name]);
    const of = `start with ${count(MILLION)} finished and ${count(WAITING)} waiting runs`;
    const floor = ["reading the checkpoint", all("read_ms")];
    return [
      row(of, all("open_ms"), "ms", ...floor, "<= 3"),
      row(`memory after a ${of}`, all("rss_mib"), "MiB", "", null, "< 512 MiB"),
    ];
  });
}

export function sleeping() {
  return inTemporaryFolder(async (folder) => {
    await makeStore(folder, { finished: 0, asleep: MILLION });
    const { bytes, rss_mib, late_ms } = child("sleep", folder, DUE, DUE_MS);
    const of = `${count(MILLION)} runs that sleep`;
    return [
      row(`memory of one of ${of}`, bytes, "bytes", "", null, "<= 600 bytes"),
      row(`memory of a process with ${of}`, rss_mib, "MiB", "", null, "< 1,024 MiB"),
      row(`the latest of ${count(DUE)} woken, of ${of}`, late_ms, "ms", "", null, "<= 1,000 ms"),
    ];
  });
}

export function listing() {
  return inTemporaryFolder(async (folder) => {
    const hosts = [];
    for (const finished of [1_000, MILLION]) {
      const place = join(folder, String(finished));
      await makeStore(place, { finished, asleep: 0 });
      hosts.push(await openHost(place, { drive: false }));
    }
    const seen = [[], []];
    for (let round = -1; round < ROUNDS; round++) {
      for (const [n, host] of hosts.entries()) {
        const ms = await pageMs(host);
        // The first round is for the compilers.
        if (round >= 0) seen[n].push(ms);
      }
    }
    for (const host of hosts) await host.close();
    const of = `newest 50 of ${count(MILLION)} runs, by status`;
    return [row(of, seen[1], "ms", "of 1,000", seen[0], "<= 3")];
  });
}

function count(number) {
  return number.toLocaleString("en-US");
}

async function pageMs({ runner }) {
  const from = performance.now();
  for (let n = 0; n < 200; n++) {
    const { runs } = await runner.list({ status: "completed", limit: 50 });
    if (runs.length !== 50) throw new Error("a page is not full");
  }
  return (performance.now() - from) / 200;
}

/** As a server would have left it: a checkpoint, and an empty journal. */
async function makeStore(folder, { finished, asleep }) {
  const host = await openHost(folder);
  const sample = await host.runner.get(await start(host, "sleeper"));
  await host.close();
  const store = join(folder, "store");
  const slots = finished + asleep;
  const from = NOW - 2 * slots;
  const index = new RunIndex();
  index.expect([sample.workflow_id], [sample.workflow_version], [slots]);
  for (let first = 0; first < slots; first += BLOCK_ROWS) {
    const block = RowBlock.ofRows(Math.min(BLOCK_ROWS, slots - first));
    for (let row = 0; row < block.rows; row++) {
      const slot = first + row;
      block.set(row, rowOf(slot, from + slot, slot < finished));
    }
    index.restore(block, { errors: [], keys: [] });
  }
  index.restoreIds();
  const live = new LiveRuns(index);
  for (let slot = finished; slot < slots; slot++) {
    const until = untilOf(slot - finished);
    live.sleep(idOf(slot), jsonOf(sample, slot, from + slot, until), until);
  }
  const position = { segment: 2, offset: headerLength(2), batch: 10, seq: slots + 10 };
  createSegment(nodeDisk, join(store, "journal"), 2, 1024 * 1024);
  const captured = { index: index.capture(), live: live.capture() };
  await writeCheckpoint(nodeDisk, store, { position, ...captured });
}

/** The first ones come due soon, evenly; the others much later. */
function untilOf(place) {
  return place < DUE ? NOW + 30_000 + Math.floor((place * DUE_MS) / DUE) : NOW + DAY_MS + place;
}

function idOf(slot) {
  return `run_${String(slot).padStart(26, "0")}`;
}

function rowOf(slot, created, isFinished) {
  return {
    id: idOf(slot),
    order: slot + 1,
    workflow: 0,
    version: 0,
    status: isFinished ? COMPLETED : RUNNING,
    created,
    started: created,
    finished: isFinished ? created + 1 : Number.NaN,
    error: null,
    key: null,
  };
}

function jsonOf(sample, slot, created, until) {
  const at = new Date(created).toISOString();
  const one = { ...sample.steps.one, started_at: at, until: new Date(until).toISOString() };
  const context = { invoice: slot, customer: "ada@shop.example" };
  const changed = { context, created_at: at, started_at: at, steps: { one }, seq: slot + 1 };
  return JSON.stringify({ ...sample, id: idOf(slot), ...changed });
}

function child(...args) {
  const all = ["--expose-gc", "test/bench/million-child.mjs", ...args.map(String), NOW];
  const ended = spawnSync(process.execPath, all, { encoding: "utf8" });
  if (ended.status !== 0) throw new Error(`${args[0]}: ${ended.stderr}`);
  return JSON.parse(ended.stdout);
}

// The store by itself: decisions made durable by 1, 32 and 1,024 waiters, and what comes after.

import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { fold } from "../../dist/engine/evolve.js";
import { nodeDisk } from "../../dist/hosts/local/disk.js";
import { BatchBuffer } from "../../dist/hosts/local/record.js";
import { recover } from "../../dist/hosts/local/recovery.js";
import { createSegment } from "../../dist/hosts/local/segment.js";
import { openStore } from "../../dist/hosts/local/store.js";
import { inTemporaryFolder, median, row, syncsPerSecond } from "./measure.mjs";

const ROUNDS = 5;
const RUNS = { 1: 200, 32: 1_500, 1024: 10_000 };
const LINES = 50_000;
const FILES = 1_500;
const REPLAYED_RUNS = 10_000;
const AT = "2026-01-02T03:04:05.000Z";
const VERSION = "ab".repeat(32);

export function journal() {
  return inTemporaryFolder(async (folder) => {
    const rates = { sync: [], line: [], file: [], replay: [], parse: [], drained: [] };
    for (const waiters of Object.keys(RUNS)) rates[waiters] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const place = join(folder, String(round));
      mkdirSync(place);
      rates.sync.push(syncsPerSecond(place, 500));
      rates.line.push(linesPerSecond(place));
      rates.file.push(filesPerSecond(place));
      for (const [waiters, runs] of Object.entries(RUNS)) {
        const { rate, drained } = await decide(join(place, waiters), Number(waiters), runs);
        rates[waiters].push(rate);
        if (waiters === "1024") rates.drained.push(drained);
      }
      const { replay, parse } = recovery(join(place, "killed"));
      rates.replay.push(replay);
      rates.parse.push(parse);
    }
    return rows(rates);
  });
}

function rows(rates) {
  const sync = ["fdatasync of 200 bytes", rates.sync];
  const line = ["stringify and append", rates.line];
  const file = ["create and rename", rates.file];
  return [
    row("decisions, one waiter", rates[1], "/s", ...sync, ">= 0.7"),
    row("decisions, 32 waiters", rates[32], "/s", ...sync, ">= 2"),
    row("decisions, 1,024 waiters", rates[1024], "/s", ...sync),
    row("decisions, 1,024 waiters", rates[1024], "/s", ...line, ">= 0.3"),
    row("runs with their documents, 1,024 waiters", rates.drained, "/s", ...file, ">= 0.5"),
    row("replay of the journal", rates.replay, "ms", "JSON.parse of it", rates.parse, "<= 3"),
  ];
}

function created(n) {
  const run_id = `run_${String(n).padStart(26, "0")}`;
  const of = { run_id, workflow_id: "bench", workflow_version: VERSION };
  const brought = { context: { invoice: n }, trigger: { type: "manual" } };
  const events = [
    { type: "run_created", at: AT, ...of, ...brought },
    { type: "run_started", at: AT },
  ];
  return { run_id, events };
}

function completed({ id }) {
  return { run_id: id, events: [{ type: "run_completed", at: AT, output: null }] };
}

/** The floor of throughput: the same lines, appended one by one, and never synced. */
function linesPerSecond(folder) {
  const fd = openSync(join(folder, "lines.bin"), "a");
  const from = performance.now();
  for (let n = 0; n < LINES; n++) writeSync(fd, `${JSON.stringify(created(n))}\n`);
  const rate = (LINES * 1_000) / (performance.now() - from);
  closeSync(fd);
  return rate;
}

/** The floor of documents: small files, each written beside its place and renamed to it. */
function filesPerSecond(folder) {
  const text = JSON.stringify(fold(null, created(1), 1), null, 2);
  mkdirSync(join(folder, "files"));
  const temporary = join(folder, "files", "writing.tmp");
  const from = performance.now();
  for (let n = 0; n < FILES; n++) {
    const fd = openSync(temporary, "w");
    writeSync(fd, text);
    closeSync(fd);
    renameSync(temporary, join(folder, "files", `${n}.json`));
  }
  return (FILES * 1_000) / (performance.now() - from);
}

function open(folder) {
  const onFailure = (error) => {
    throw error;
  };
  return openStore(folder, { onFailure });
}

/** Each waiter starts a run, ends it when that is durable, and goes on with the next. */
async function decide(folder, waiters, runs) {
  const store = await open(folder);
  let started = 0;
  const write = (run, decision) =>
    new Promise((resolve) => {
      store.append(decision, (seq) => {
        const next = fold(run, decision, seq);
        store.published(next);
        resolve(next);
      });
    });
  const wait = async () => {
    while (started < runs) {
      const run = await write(null, created(++started));
      await write(run, completed(run));
    }
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: waiters }, wait));
  const rate = (2 * runs * 1_000) / (performance.now() - from);
  while (store.stats().documents_waiting > 0)
    await new Promise((resolve) => setTimeout(resolve, 1));
  const drained = (runs * 1_000) / (performance.now() - from);
  await store.close();
  return { rate, drained };
}

/** A journal of two-step runs folded again, as after a kill, against its lines parsed. */
function recovery(folder) {
  for (const name of ["", "journal"]) mkdirSync(join(folder, name));
  const jsons = [];
  for (let n = 1; n <= REPLAYED_RUNS; n++) jsons.push(...twoSteps(n).map((d) => JSON.stringify(d)));
  const buffer = new BatchBuffer();
  const text = jsons.map((json, i) => buffer.encode(i + 1, i + 1, [json]).toString()).join("");
  const path = join(folder, "journal", "00000001.jsonl");
  createSegment(nodeDisk, join(folder, "journal"), 1, 0);
  appendFileSync(path, `${text}${"\n".repeat(1024 * 1024)}`);
  const rates = { replay: [], parse: [] };
  for (let i = 0; i < 3; i++) {
    let found;
    rates.replay.push(timed(() => (found = recover(nodeDisk, folder))));
    if (found.finished.size !== REPLAYED_RUNS) throw new Error("the replay lost runs");
    rates.parse.push(timed(() => jsons.map((json) => JSON.parse(json))));
  }
  return { replay: median(rates.replay), parse: median(rates.parse) };
}

/** The three decisions of a run of delay and webhook. */
function twoSteps(n) {
  const { run_id, events } = created(n);
  const [delay, hook] = ["wait#0", "notify#0"];
  const step = (type, key, more) => ({ type, at: AT, key, ...more });
  const output = { status: 200, body: { ok: true } };
  return [
    { run_id, events: [...events, step("step_started", delay, { attempt: 1, until: AT })] },
    {
      run_id,
      events: [
        step("step_completed", delay, { output: null }),
        step("step_started", hook, { attempt: 1 }),
      ],
    },
    {
      run_id,
      events: [
        step("step_completed", hook, { output }),
        { type: "run_completed", at: AT, output: null },
      ],
    },
  ];
}

function timed(act) {
  const from = performance.now();
  act();
  return performance.now() - from;
}

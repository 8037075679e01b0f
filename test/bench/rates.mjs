// Runs a second, 1, 32 and 1,024 at a time, beside the disk's floors, and beside a program that
// rewrites one JSON file a run at each step.

import { closeSync, mkdirSync, openSync, renameSync, writeSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openHost, perform, ratePerSecond, start } from "./host.mjs";
import { inTemporaryFolder, row, syncsPerSecond } from "./measure.mjs";

const ROUNDS = 5;
const LINES = 20_000;
const FILES = 1_500;
/** Writes of a run of two steps: its start, the end of each step. */
const COMMITS = 3;

export function rates() {
  return inTemporaryFolder(async (folder) => {
    const host = await openHost(folder);
    const seen = {};
    const note = (name, value) => {
      seen[name] ??= [];
      seen[name].push(value);
    };
    try {
      await ratePerSecond(64, 2_000, () => perform(host, "two_steps"));
      const sample = await host.runner.get(await start(host, "sleeper"));
      for (let round = 0; round < ROUNDS; round++) await measure(host, folder, round, sample, note);
    } finally {
      await host.close();
    }
    return rows(seen);
  });
}

async function measure(host, folder, round, sample, note) {
  const place = join(folder, `floor-${round}`);
  mkdirSync(place);
  note("sync", syncsPerSecond(place, 300));
  note("one", await ratePerSecond(1, 100, () => perform(host, "two_steps")));
  note("few", await ratePerSecond(32, 1_500, () => perform(host, "two_steps")));
  note("rewritten_few", await rewrittenPerSecond(place, 32, 60, sample));
  note("line", linesPerSecond(place, sample));
  note("acknowledged", await ratePerSecond(1_024, 10_000, () => start(host, "sleeper")));
  note("many", await ratePerSecond(1_024, 5_000, () => perform(host, "two_steps")));
  note("rewritten_many", await rewrittenPerSecond(place, 1_024, 1_024, sample));
  note("file", filesPerSecond(join(folder, "store", "runs"), round, sample));
  note("drained", await drainedPerSecond(host, 5_000));
}

function rows(seen) {
  const third = seen.sync.map((rate) => rate / COMMITS);
  const rewritten = "one JSON file a run, rewritten with fsync";
  return [
    row("runs, one at a time", seen.one, "/s", "F/3", third, ">= 0.7"),
    row("runs, 32 at a time", seen.few, "/s", "F", seen.sync, ">= 2"),
    row("acknowledged runs, 1,024 at a time", seen.acknowledged, "/s", "J", seen.line, ">= 0.3"),
    row("runs and their documents", seen.drained, "/s", "create, rename", seen.file, ">= 0.5"),
    row("runs, 32 at a time", seen.few, "/s", rewritten, seen.rewritten_few, ">= 10"),
    row("runs, 1,024 at a time", seen.many, "/s", rewritten, seen.rewritten_many, ">= 20"),
  ];
}

/** J: the line of a run's start, made and appended one by one, never synced. */
function linesPerSecond(folder, { id, workflow_id, workflow_version, context, trigger, steps }) {
  const at = new Date().toISOString();
  const of = { run_id: id, workflow_id, workflow_version, context, trigger };
  const step = { key: "one#0", attempt: 1, until: steps.one.until };
  const events = [
    { type: "run_created", ...of, at },
    { type: "run_started", at },
    { type: "step_started", ...step, at },
  ];
  const fd = openSync(join(folder, "lines.bin"), "a");
  const from = performance.now();
  for (let n = 0; n < LINES; n++) writeSync(fd, `${JSON.stringify({ run_id: id, events })}\n`);
  const rate = (LINES * 1_000) / (performance.now() - from);
  closeSync(fd);
  return rate;
}

/**
 * The floor of documents: small files, each written beside its place and renamed to it. In the
 * folder where the documents are, too: of two new folders of one disk, one can be six times faster.
 */
function filesPerSecond(folder, round, run) {
  const text = JSON.stringify(run, null, 2);
  const temporary = join(folder, "floor.tmp");
  const from = performance.now();
  for (let n = 0; n < FILES; n++) {
    const fd = openSync(temporary, "w");
    writeSync(fd, text);
    closeSync(fd);
    renameSync(temporary, join(folder, `floor-${round}-${n}.json`));
  }
  return (FILES * 1_000) / (performance.now() - from);
}

/** What many do: each run a JSON file, durably replaced whenever something happens. */
function rewrittenPerSecond(folder, width, count, run) {
  return ratePerSecond(width, count, async (n) => {
    const path = join(folder, `rewritten-${n}.json`);
    for (let step = 0; step < COMMITS; step++) {
      const file = await open(`${path}.tmp`, "w");
      await file.writeFile(JSON.stringify({ ...run, step }));
      await file.sync();
      await file.close();
      await rename(`${path}.tmp`, path);
      const parent = await open(folder, "r");
      await parent.sync();
      await parent.close();
    }
  });
}

/** Until the last of their documents is written. */
async function drainedPerSecond(host, count) {
  const from = performance.now();
  await ratePerSecond(1_024, count, () => perform(host, "two_steps"));
  while (host.stats().documents_waiting > 0) await sleep(1);
  return (count * 1_000) / (performance.now() - from);
}

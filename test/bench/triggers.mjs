// The trigger endpoint of the built server under load, and what became of each run it promised.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { startChild } from "./child.mjs";
import { inTemporaryFolder, load, median, row, syncsPerSecond } from "./measure.mjs";

const ROUNDS = 3;
const TRIGGERS = 6_000;
const ECHOES = 20_000;
const SEQUENTIAL_RUNS = 50;
const END_MS = 120_000;
const CONTEXT = { invoice: 42, customer: "ada@shop.example" };

export function triggers() {
  return inTemporaryFolder(async (folder) => {
    const echo = await startChild(["test/bench/echo.mjs"]);
    const flows = writeFlows(join(folder, "flows"), echo.url);
    const store = join(folder, "store");
    const serve = ["serve", "--json", "--port", "0", "--flows", flows, "--store", store];
    const server = await startChild(["dist/cli/main.js", ...serve]);
    try {
      return await measure(folder, echo.url, server.url);
    } finally {
      await server.stop();
      await echo.stop();
    }
  });
}

async function measure(folder, echo, server) {
  const commits = await commitsPerRun(server);
  const rates = { echo: [], sync: [], one_step: [], two_steps: [], ended: [] };
  for (let round = 0; round < ROUNDS; round++) {
    rates.sync.push(syncsPerSecond(folder));
    const floor = { origin: echo, path: "/", body: { context: CONTEXT }, status: 200 };
    rates.echo.push((await load({ ...floor, count: ECHOES })).rate);
    for (const id of ["one_step", "two_steps"]) {
      const from = performance.now();
      const { rate, ids } = await triggerMany(server, id);
      await allEnd(server, ids);
      rates[id].push(rate);
      if (id === "two_steps") rates.ended.push((ids.length * 1_000) / (performance.now() - from));
    }
  }
  const sync = ["fdatasync of 200 bytes", rates.sync];
  const http = ["bare JSON echo", rates.echo];
  const one = "triggers acknowledged, runs of one delay";
  const two = "triggers acknowledged, runs of delay and webhook";
  const ended = "such runs triggered and ended";
  return [
    row("durable commits of a two-step run", commits, "", "start, due, answered", 3, "<= 1"),
    row(one, rates.one_step, "/s", ...sync),
    row(one, rates.one_step, "/s", ...http),
    row(two, rates.two_steps, "/s", ...sync, ">= 2,000/s"),
    row(two, rates.two_steps, "/s", ...http),
    row(ended, rates.ended, "/s", ...http),
  ];
}

function writeFlows(folder, subscriber) {
  const delay = { id: "wait", type: "delay", config: { seconds: 0 } };
  const webhook = { id: "notify", type: "webhook", config: { url: `${subscriber}/notify` } };
  mkdirSync(folder);
  for (const [id, steps] of Object.entries({ one_step: [delay], two_steps: [delay, webhook] })) {
    writeFileSync(join(folder, `${id}.yaml`), JSON.stringify({ id, steps }));
  }
  return folder;
}

/**
 * One run after the other: nothing shares a commit, and a run's document counts the records so far.
 * The median leaves out the seal that the journal writes for itself after a moment of quiet.
 */
async function commitsPerRun(server) {
  const records = [];
  for (let i = 0; i < SEQUENTIAL_RUNS; i++) {
    const [id] = (await triggerMany(server, "two_steps", 1)).ids;
    await allEnd(server, [id]);
    records.push((await get(server, `/api/runs/${id}`)).seq);
  }
  return median(records.slice(1).map((seq, n) => seq - records[n]));
}

async function triggerMany(server, id, count = TRIGGERS) {
  const path = `/api/workflows/${id}/trigger`;
  const body = { context: CONTEXT };
  const { rate, bodies } = await load({ origin: server, path, body, count, status: 202 });
  return { rate, ids: bodies.map((text) => JSON.parse(text).run_id) };
}

/** Waits until no run is open, then asks for each promised run by its id. */
async function allEnd(server, ids) {
  const deadline = performance.now() + END_MS;
  for (;;) {
    const { runs } = await get(server, "/health");
    if (runs.pending + runs.running + runs.paused === 0) break;
    if (performance.now() > deadline) throw new Error(`open still: ${JSON.stringify(runs)}`);
    await sleep(5);
  }
  const path = (n) => `/api/runs/${ids[n]}`;
  const { bodies } = await load({ origin: server, path, count: ids.length, status: 200 });
  const lost = bodies.map((text) => JSON.parse(text)).filter((run) => run.status !== "completed");
  if (lost.length > 0) throw new Error(`${lost.length} runs not completed: ${lost[0].id}`);
}

async function get(server, path) {
  const answer = await request(server + path);
  if (answer.statusCode !== 200) throw new Error(`GET ${path}: ${answer.statusCode}`);
  return answer.body.json();
}

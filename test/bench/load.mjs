// A real server under as much as it is made for, all at once: ten thousand triggers, a thousand
// event streams, a subscriber that is down, and one that answers late. Nothing promised is lost.
// DOWN_S and SLOW_S say for how long; `npm run soak` takes a minute and half a minute.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startChild } from "./child.mjs";
import { load as ask, inTemporaryFolder, row } from "./measure.mjs";

const TRIGGERS = 10_000;
const STREAMS = 1_000;
/** Runs that call each of the two subscribers in trouble. */
const CALLS = 200;
const DOWN_S = Number(process.env.DOWN_S ?? 10);
const SLOW_S = Number(process.env.SLOW_S ?? 5);
/** Connections that are being opened at a time: a system's queue of them is short. */
const OPENING = 400;
const END_MS = 120_000;

export function load() {
  return inTemporaryFolder(async (folder) => {
    const down = await subscriber(0);
    await down.close();
    const slow = await subscriber(SLOW_S * 1_000);
    const flows = writeFlows(join(folder, "flows"), { down, slow });
    const store = join(folder, "store");
    const serve = ["serve", "--json", "--port", "0", "--flows", flows, "--store", store];
    const server = await startChild(["dist/cli/main.js", ...serve]);
    try {
      return await measure(server, down, slow);
    } finally {
      await server.stop();
      await slow.close();
      await down.close();
    }
  });
}

async function measure(server, down, slow) {
  const before = memoryOf(server.pid, "VmRSS");
  const watched = await start(server.url, "watched", STREAMS);
  const streams = watched.map((id) => stream(server.url, id));
  await Promise.all(streams.map(({ opened }) => opened));
  const called = [
    ...(await start(server.url, "down", CALLS)),
    ...(await start(server.url, "slow", CALLS)),
  ];
  const up = sleep(DOWN_S * 1_000).then(() => down.open());

  const { took, seconds, ids } = await triggerAtOnce(server.url);

  const from = performance.now();
  const signal = { origin: server.url, body: { name: "go" }, status: 200, count: STREAMS };
  await ask({ ...signal, path: (n) => `/api/runs/${watched[n]}/signal` });
  const ends = await Promise.all(streams.map(({ ended }) => ended));
  const seen_ms = performance.now() - from;

  await up;
  const back = performance.now();
  const runs = await allEnded(server.url, [...watched, ...called, ...ids]);
  const lost = runs.filter(({ status }) => status !== "completed");
  if (lost.length > 0) throw new Error(`${lost.length} runs are lost: ${JSON.stringify(lost[0])}`);
  const unseen = ends.filter((status) => status !== "completed").length;
  if (unseen > 0) throw new Error(`${unseen} streams did not see the end of their run`);
  if (down.calls() < CALLS || slow.calls() < CALLS) throw new Error("the subscribers missed calls");

  const all = `${count(TRIGGERS)} triggers at the same time`;
  return [
    row(`${all}: acknowledged`, TRIGGERS / seconds, "/s"),
    row(`${all}: p50`, took[TRIGGERS / 2], "ms"),
    row(`${all}: p99`, took[TRIGGERS * 0.99], "ms"),
    row(`${count(STREAMS)} event streams see the end of their runs`, seen_ms, "ms"),
    row(`runs end after their subscriber was down for ${DOWN_S} s`, performance.now() - back, "ms"),
    row(
      `lost of ${count(runs.length)} acknowledged runs`,
      lost.length,
      "runs",
      "",
      null,
      "<= 0 runs",
    ),
    row("memory of the server before", before, "MiB"),
    row(
      "memory of the server at most",
      memoryOf(server.pid, "VmHWM"),
      "MiB",
      "",
      null,
      "< 512 MiB",
    ),
  ];
}

function writeFlows(folder, { down, slow }) {
  const again = { max_attempts: Math.min(DOWN_S + 20, 100), delay: "2s", backoff: "constant" };
  const FLOWS = {
    quick: [{ id: "wait", type: "delay", config: { seconds: 0 } }],
    watched: [{ id: "hear", type: "wait", config: { signal: "go" } }],
    down: [{ id: "call", type: "webhook", retry: again, config: { url: down.url } }],
    slow: [{ id: "call", type: "webhook", timeout: "90s", config: { url: slow.url } }],
  };
  mkdirSync(folder);
  for (const [id, steps] of Object.entries(FLOWS)) {
    writeFileSync(join(folder, `${id}.yaml`), JSON.stringify({ id, steps }));
  }
  return folder;
}

/** Answers each call after some ms. Its port stays its own while it is closed. */
async function subscriber(late_ms) {
  let calls = 0;
  const server = createServer((incoming, answer) => {
    calls += 1;
    incoming.resume();
    setTimeout(() => answer.end(), late_ms);
  });
  const listen = (port) =>
    new Promise((resolve) => server.listen(port, "127.0.0.1", 4_096, resolve));
  await listen(0);
  const { port } = server.address();
  return {
    url: `http://127.0.0.1:${port}/`,
    calls: () => calls,
    open: () => listen(port),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}

async function start(url, workflow, number) {
  const path = `/api/workflows/${workflow}/trigger`;
  const { bodies } = await ask({ origin: url, path, body: {}, count: number, status: 202 });
  return bodies.map((text) => JSON.parse(text).run_id);
}

/** The changes of a run: when the first has come, and the status in the last. */
function stream(url, id) {
  let opened;
  const isOpen = new Promise((resolve) => {
    opened = resolve;
  });
  const ended = new Promise((resolve, reject) => {
    const asked = request(`${url}/api/runs/${id}/events`, { agent: false }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`a stream: ${answer.statusCode}`));
      let last = "";
      answer.setEncoding("utf8").on("data", (text) => {
        opened();
        last = text;
      });
      answer.on("end", () => resolve(/"status":"(\w+)"/.exec(last)?.[1]));
    });
    asked.on("error", reject).end();
  });
  return { opened: Promise.race([isOpen, ended]), ended };
}

/**
 * Each on a connection of its own: the server has read the headers of all of them before the body
 * of the first one comes. Each is timed from its body to its answer.
 */
async function triggerAtOnce(url) {
  const { host, hostname, port } = new URL(url);
  const body = '{"context":{"invoice":42}}';
  const line = `POST /api/workflows/quick/trigger HTTP/1.1\r\nhost: ${host}\r\n`;
  const head = `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  const sockets = [];
  while (sockets.length < TRIGGERS) {
    const opening = Array.from({ length: OPENING }, () => begun(port, hostname, line + head));
    sockets.push(...(await Promise.all(opening)));
  }
  const from = performance.now();
  const answers = await Promise.all(sockets.map((socket) => answerOf(socket, body)));
  const seconds = (performance.now() - from) / 1_000;
  const took = answers.map(({ ms }) => ms).sort((a, b) => a - b);
  return { seconds, took, ids: answers.map(({ run_id }) => run_id) };
}

function begun(port, host, head) {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host, () => {
      socket.off("error", reject).write(head);
      resolve(socket);
    });
    socket.on("error", reject);
  });
}

function answerOf(socket, body) {
  return new Promise((resolve, reject) => {
    const from = performance.now();
    let text = "";
    socket.setEncoding("utf8").on("data", (more) => {
      text += more;
      const [, run_id] = /^HTTP\/1\.1 202 .*"run_id":"(\w+)"/s.exec(text) ?? [];
      if (run_id !== undefined) resolve({ run_id, ms: performance.now() - from });
    });
    socket.on("error", reject).on("close", () => reject(new Error(`no 202: ${text}`)));
    socket.write(body);
  }).finally(() => socket.destroy());
}

/** Each promised run, once none is open any more. */
async function allEnded(url, ids) {
  const deadline = performance.now() + END_MS;
  for (;;) {
    const { bodies } = await ask({ origin: url, path: "/health", count: 1, status: 200 });
    const { runs } = JSON.parse(bodies[0]);
    if (runs.pending + runs.running + runs.paused === 0) break;
    if (performance.now() > deadline) throw new Error(`open still: ${JSON.stringify(runs)}`);
    await sleep(20);
  }
  const path = (n) => `/api/runs/${ids[n]}`;
  const { bodies } = await ask({ origin: url, path, count: ids.length, status: 200 });
  return bodies.map((text) => JSON.parse(text));
}

/** MiB that a process has, by one of the lines about it. */
function memoryOf(pid, line) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(new RegExp(`^${line}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1_024;
}

function count(number) {
  return number.toLocaleString("en-US");
}

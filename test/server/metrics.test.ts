// GET /metrics over real HTTP and a real store: what is counted, and by which few labels.

import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { get, type IncomingMessage } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FINISHED } from "../../src/engine/run.js";
import { type LocalHost, openLocalHost } from "../../src/hosts/local/host.js";
import { type RunningServer, startServer } from "../../src/server/server.js";
import { startTest } from "./test-server.js";

const FLOWS: { [id: string]: string } = {
  greet: `context: { type: object, properties: { who: { type: string } } }
steps:
  - { id: a, type: delay, config: { seconds: 0 } }
  - { id: b, type: log, config: { message: hello } }
  - { id: c, type: log, config: { message: bye } }`,
  failing: "steps: [{ id: a, type: fail, config: { message: no } }]",
  waiting: "steps: [{ id: a, type: delay, config: { seconds: 3600 } }]",
  gone: "steps: [{ id: a, type: delay, config: { seconds: 0 } }]",
};

let dir: string;
let host: LocalHost;
let server: RunningServer;
let wasLoaded: boolean;
let runIds: string[];
let stream: IncomingMessage;
let text: string;
let series: Map<string, number>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "flows-metrics-"));
  await mkdir(join(dir, "flows"));
  for (const [id, rest] of Object.entries(FLOWS)) {
    await writeFile(fileOf(id), `id: ${id}\n${rest}\n`);
  }
  const log = { info() {}, warn() {}, error() {} };
  const folders = { flows: join(dir, "flows"), store: join(dir, "store") };
  const onFailure = (error: Error) => {
    throw error;
  };
  host = await openLocalHost({ ...folders, watch: false, version: "1.2.3", log, onFailure });
  server = await startServer(host, { host: "127.0.0.1", port: 0, version: "1.2.3", log });
  wasLoaded = isLoaded();
  runIds = [
    await start("greet", { "idempotency-key": "k" }),
    await start("greet"),
    await start("failing"),
    await start("gone"),
    await start("waiting"),
  ];
  await start("greet", { "idempotency-key": "k" });
  await post("/api/workflows/greet/trigger", { context: { who: 1 } });
  await post("/api/workflows/invented/trigger", {});
  await fetch(`${server.url}/invented/path`);
  for (const id of runIds.slice(0, 4)) await ended(id);
  stream = await openStream(runIds.at(-1) ?? "");
  await rm(fileOf("gone"));
  await host.workflows.sync();
  text = await scrape();
  series = parse(text);
});

afterAll(async () => {
  stream.destroy();
  await server.close();
  await host.close();
  await rm(dir, { recursive: true, force: true });
});

const fileOf = (id: string) => join(dir, "flows", `${id}.yaml`);

const isLoaded = () =>
  Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes("prom-client"));

async function post(path: string, body: object, headers: { [name: string]: string } = {}) {
  const type = { "content-type": "application/json" };
  const init = { method: "POST", body: JSON.stringify(body), headers: { ...type, ...headers } };
  return (await fetch(server.url + path, init)).json() as Promise<{ run_id: string }>;
}

async function start(id: string, headers: { [name: string]: string } = {}): Promise<string> {
  return (await post(`/api/workflows/${id}/trigger`, { context: {} }, headers)).run_id;
}

async function ended(id: string): Promise<void> {
  const changes = await host.runner.watch(id, undefined, new AbortController().signal);
  for await (const { run } of changes ?? []) if (FINISHED.has(run.status)) return;
}

async function openStream(id: string): Promise<IncomingMessage> {
  const [answer] = await once(get(`${server.url}/api/runs/${id}/events`), "response");
  return answer;
}

async function scrape(): Promise<string> {
  const answer = await fetch(`${server.url}/metrics`);
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  return answer.text();
}

/** By name and labels, as they are written; each must stand there once. */
function parse(from: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of from.split("\n")) {
    if (line === "" || /^# (HELP|TYPE) [a-z0-9_]+ ./.test(line)) continue;
    const [, name = "", value] = /^([a-z0-9_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    expect(value, line).toBeDefined();
    expect(found.has(name), line).toBe(false);
    found.set(name, value === "Nan" ? Number.NaN : Number(value?.replace("+Inf", "Infinity")));
  }
  return found;
}

const under = (name: string) =>
  Object.fromEntries([...series].filter(([key]) => key.replace(/\{.*/, "") === name));

describe("given runs that ended, failed and wait, when /metrics is read", () => {
  test("then runs stand there by status, and those that ended by workflow", () => {
    expect(under("flows_runs")).toMatchObject({
      'flows_runs{status="completed"}': 3,
      'flows_runs{status="failed"}': 1,
      'flows_runs{status="running"}': 1,
      'flows_runs{status="cancelled"}': 0,
    });
    expect(under("flows_runs_ended_total")).toEqual({
      'flows_runs_ended_total{workflow_id="greet",status="completed"}': 2,
      'flows_runs_ended_total{workflow_id="failing",status="failed"}': 1,
      'flows_runs_ended_total{workflow_id="other",status="completed"}': 1,
    });
  });

  test("then steps stand there by type and outcome, calls with their durations", () => {
    expect(under("flows_steps_ended_total")).toEqual({
      'flows_steps_ended_total{step_type="delay",outcome="completed"}': 3,
      'flows_steps_ended_total{step_type="log",outcome="completed"}': 4,
      'flows_steps_ended_total{step_type="fail",outcome="failed"}': 1,
    });
    const labels = 'step_type="log",outcome="completed"';
    expect(under("flows_attempt_duration_seconds_count")).toEqual({
      [`flows_attempt_duration_seconds_count{${labels}}`]: 4,
    });
    expect(series.get(`flows_attempt_duration_seconds_bucket{${labels},le="+Inf"}`)).toBe(4);
    expect(series.get(`flows_attempt_duration_seconds_bucket{${labels},le="300"}`)).toBe(4);
    expect(series.get(`flows_attempt_duration_seconds_sum{${labels}}`)).toBeGreaterThan(0);
  });

  test("then triggers stand there by kind and what came of them", () => {
    expect(under("flows_triggers_total")).toEqual({
      'flows_triggers_total{trigger="manual",outcome="accepted"}': 5,
      'flows_triggers_total{trigger="manual",outcome="repeated"}': 1,
      'flows_triggers_total{trigger="manual",outcome="context_mismatch"}': 1,
      'flows_triggers_total{trigger="manual",outcome="unknown_workflow"}': 1,
    });
  });

  test("then the journal's writes are as many as were timed, and what waits is counted", () => {
    const batches = series.get("flows_journal_batches_total") ?? 0;
    expect(batches).toBeGreaterThan(0);
    expect(series.get("flows_journal_commit_duration_seconds_count")).toBe(batches);
    expect(series.get("flows_journal_decisions_total")).toBeGreaterThan(5);
    expect(series.get("flows_journal_bytes_total")).toBeGreaterThan(1_000);
    expect(series.get("flows_timers_waiting")).toBe(1);
    expect(series.get("flows_calls_in_flight")).toBe(0);
    expect(series.get("flows_event_streams_open")).toBe(1);
    expect(series.get("flows_waiting_requests")).toBe(0);
    expect(series.get("flows_documents_waiting")).toBeGreaterThanOrEqual(0);
  });

  test("then requests stand there by route and status, and the process with its memory", () => {
    const name = "flows_http_request_duration_seconds_count";
    const trigger = 'method="POST",route="/api/workflows/{id}/trigger"';
    expect(under(name)).toMatchObject({
      [`${name}{${trigger},status="202"}`]: 5,
      [`${name}{${trigger},status="200"}`]: 1,
      [`${name}{${trigger},status="404"}`]: 1,
      [`${name}{${trigger},status="422"}`]: 1,
      [`${name}{method="GET",route="/api/runs/{run_id}/events",status="200"}`]: 1,
      [`${name}{method="other",route="other",status="404"}`]: 1,
    });
    expect(series.get("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  });

  test("then nothing that a client made up is a label, and no run's id", () => {
    expect(runIds.every((id) => id.startsWith("run_"))).toBe(true);
    expect(text).not.toMatch(/run_[0-9a-hjkmnp-tv-z]{26}|invented/i);
  });

  test("then a second look counts the first, and two servers share nothing", async () => {
    const look =
      'flows_http_request_duration_seconds_count{method="GET",route="/metrics",status="200"}';
    expect(series.has(look)).toBe(false);
    expect(parse(await scrape()).get(look)).toBe(1);
    const other = await startTest();
    const found = parse((await other.get("/metrics")).text);
    await other.close();
    expect([...found.keys()].filter((key) => key.startsWith("flows_"))).toEqual([
      "flows_event_streams_open",
      "flows_waiting_requests",
    ]);
    expect(found.has("process_resident_memory_bytes")).toBe(true);
  });

  test("then its library was not loaded before it was asked for", () => {
    expect([wasLoaded, isLoaded()]).toEqual([false, true]);
  });
});

// Hostile input at every door of the built command: each is refused in words and in time, nothing
// is written outside of the store, and the server goes on.
//
// FLOWS_HOSTILE_COUNT says how many are generated, FLOWS_HOSTILE_SEED repeats those that failed.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Pool } from "undici";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import type { ServedWorkflow } from "../../src/engine/runner.js";
import type { Diagnostic } from "../../src/flow/diagnostic.js";
import { MAX_FLOW_FILES } from "../../src/limits.js";
import { later, type Place, place, serve } from "../cli/harness.js";
import { type Input, inTimeTogether, sendAll } from "./bounded.js";
import { callingFlow, hostileAnswer, hostileSubscriber } from "./hostile-answers.js";
import { hostileBytes, sendBytes, troubleIn } from "./hostile-bytes.js";
import { HOOK_FLOWS, HOOK_SECRET, hostileDelivery } from "./hostile-deliveries.js";
import { hostileDefinition, hostileFlow } from "./hostile-flows.js";
import { HAND_PICKED, hostileRequest, type Request } from "./hostile-requests.js";
import { Maker } from "./hostile-values.js";

const SEED = Number(process.env.FLOWS_HOSTILE_SEED ?? 7);
const COUNT = Number(process.env.FLOWS_HOSTILE_COUNT ?? 50_000);
const TIMEOUT_MS = 120_000 + 20 * COUNT;
/** One in 25 is a flow file; all others are requests to one server. */
const FILES = Math.floor(COUNT / 25);
/** Files that are saved at once: together they are checked in less time than one may take. */
const BATCH = 10;

const STRICT = `id: strict
context:
  type: object
  required: [amount]
  additionalProperties: false
  properties: { amount: { type: integer }, name: { type: string, maxLength: 100 } }
steps:
  - { id: keep, type: set, config: { values: { amount: "\${{ context.amount }}" } } }
`;

/** Of 48 inputs to the server, how many come through which door: the costly ones are fewer. */
const SHARES = { requests: 31, deliveries: 7, bytes: 5, definitions: 3, answers: 2 };
type Door = keyof typeof SHARES;
const WHEEL = Object.entries(SHARES).flatMap(([door, share]) =>
  Array<Door>(share).fill(door as Door),
);

describe("hostile input", () => {
  const generated = COUNT - FILES;
  it(
    `to a server: ${HAND_PICKED.length} by hand, ${generated} by seed ${SEED}`,
    async () => {
      const server = await started();
      const before = await tree(server.here);
      const sent = await sendAll(allInputs(server, generated));
      expect(sent.count).toBe(HAND_PICKED.length + generated);
      expect(HAND_PICKED.length).toBeGreaterThan(300);
      tell("to a server", sent);

      const answers = server.ends.completed + server.ends.failed;
      expect(answers).toBeGreaterThanOrEqual(Math.floor(generated / WHEEL.length) * SHARES.answers);
      expect(await health(server)).toMatchObject({
        status: "ok",
        runs: { ...server.ends, pending: 0, running: 0 },
      });
      expect(server.child.exitCode).toBeNull();
      expect(await tree(server.here)).toEqual(before);
      server.child.kill("SIGTERM");
      const { code, stdout, stderr } = await server.done;
      expect(code).toBe(0);
      expect(`${stdout}${stderr}`).not.toMatch(/"level":50|\bat .*\.[jt]s:\d+/);
    },
    TIMEOUT_MS,
  );

  it(
    `in ${FILES} flow files: a server that watches them says what is wrong`,
    async () => {
      const server = await started();
      const files = Array.from({ length: FILES }, (_, n) => n);
      let sent = 0;
      for (let from = 0; from < FILES; from += BATCH) {
        await inTimeTogether(files.slice(from, from + BATCH), (numbers) => save(numbers, server));
        sent += Math.min(BATCH, FILES - from);
      }
      expect(sent).toBe(FILES);
      expect(await trigger(server)).toBe(202);
    },
    TIMEOUT_MS,
  );

  it(
    `in the same ${FILES} flow files: flows validate says it, too`,
    async () => {
      const files = Array.from({ length: FILES }, (_, n) => n);
      for (let from = 0; from < FILES; from += MAX_FLOW_FILES) {
        await validates(files.slice(from, from + MAX_FLOW_FILES));
      }
    },
    TIMEOUT_MS,
  );
});

/** Holds the command to an error in each of these files, in a folder of their own. */
async function validates(files: readonly number[]): Promise<void> {
  const here = await place();
  for (const n of files) await here.write(`flows/${n}.yaml`, fileOf(n));
  const { code, stdout, stderr } = await here.flows(["validate", "--format", "json"]);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: Diagnostic[] };
  const wrong = diagnostics.filter(({ severity }) => severity === "error");
  const told = new Set(wrong.map(({ file }) => file));
  const missed = files.filter((n) => !told.has(`flows/${n}.yaml`));
  expect(missed.map((n) => [said(n), fileOf(n)])).toEqual([]);
  expect([code, TRACE.test(stdout + stderr)]).toEqual([1, false]);
}

/** Saves them into the served folder, and asks what is wrong; answers how many ms that took. */
async function save(numbers: readonly number[], { here, pool }: Server): Promise<number> {
  const name = (place: number) => `hostile_${place}.yaml`;
  for (const [at, n] of numbers.entries()) await here.write(`a/b/flows/${name(at)}`, fileOf(n));
  const began = performance.now();
  const answer = await pool.request({ method: "POST", path: "/api/sync" });
  const { workflows } = (await answer.body.json()) as { workflows: ServedWorkflow[] };
  const ms = performance.now() - began;
  for (const [at, n] of numbers.entries()) {
    const errors = workflows
      .filter(({ file }) => file === name(at))
      .flatMap(({ diagnostics }) => diagnostics.filter(({ severity }) => severity === "error"));
    expect(errors.length, `${said(n)}: ${fileOf(n).slice(0, 500)}`).toBeGreaterThan(0);
  }
  return ms;
}

async function trigger({ url }: Server): Promise<number> {
  const headers = { "content-type": "application/json" };
  const send = { method: "POST", headers, body: '{"context":{"amount":1}}' };
  return (await fetch(`${url}/api/workflows/strict/trigger`, send)).status;
}

async function health({ url }: Server): Promise<unknown> {
  return (await fetch(`${url}/health`)).json();
}

function fileOf(n: number): string {
  return hostileFlow(makerOf(n), `w${n}`);
}

interface Server extends Awaited<ReturnType<typeof serve>> {
  here: Place;
  port: number;
  pool: Pool;
  /** Of the runs that called the hostile subscriber. */
  ends: { completed: number; failed: number };
}

/** Some folders down, so that a path that leads out of the store can be seen. */
async function started(): Promise<Server> {
  const { port } = await hostileSubscriber((n) => hostileAnswer(makerOf(n)));
  const flows = { ...HOOK_FLOWS, "strict.yaml": STRICT, "calling.yaml": callingFlow(port) };
  const files = Object.entries(flows).map(([file, text]) => [`a/b/flows/${file}`, text]);
  const here = await place(Object.fromEntries(files));
  const env = { FLOWS_SECRET_HOOK_KEY: HOOK_SECRET };
  const server = await serve(here, ["--flows", "a/b/flows", "--store", "a/b/.workflows"], env);
  const pool = new Pool(server.url, { connections: 8 });
  later(() => pool.destroy());
  const ends = { completed: 0, failed: 0 };
  return { ...server, here, pool, ends, port: Number(new URL(server.url).port) };
}

/** Another one for each input, and the same for each input of a seed. */
function makerOf(number: number): Maker {
  return new Maker(SEED * 1_000_003 + number);
}

function* allInputs(server: Server, count: number): Generator<Input> {
  for (const request of HAND_PICKED) yield input("by hand", request, server);
  for (let n = 0; n < count; n++) {
    const door = WHEEL[n % WHEEL.length] as Door;
    yield DOORS[door](n, server);
  }
}

const DOORS: { readonly [door in Door]: (n: number, server: Server) => Input } = {
  requests: (n, server) => input(said(n), hostileRequest(makerOf(n)), server),
  deliveries: (n, server) => input(said(n), hostileDelivery(makerOf(n)), server),
  definitions: (n, server) => input(said(n), hostileDefinition(makerOf(n)), server),
  bytes(n, { port }) {
    const bytes = hostileBytes(makerOf(n), port);
    const what = `${said(n)} ${JSON.stringify(bytes.toString("utf8").slice(0, 300))}`;
    return { what, send: async () => troubleIn(await sendBytes(port, bytes)) };
  },
  answers(n, server) {
    const answer = hostileAnswer(makerOf(n)).toString("latin1").slice(0, 300);
    return { what: `${said(n)} ${JSON.stringify(answer)}`, send: () => call(n, server) };
  },
};

function said(n: number): string {
  return `input ${n} of FLOWS_HOSTILE_SEED=${SEED}`;
}

function input(what: string, request: Request, { pool }: Server): Input {
  const { method, path, headers = {}, body } = request;
  return {
    what: `${what} ${JSON.stringify(request).slice(0, 500)}`,
    async send() {
      const answer = await pool.request({ method, path, headers, body: body ?? null });
      const text = await answer.body.text();
      const isRefused = answer.statusCode >= 400 && answer.statusCode < 500;
      const isProblem = answer.headers["content-type"] === "application/problem+json";
      if (!isRefused || !isProblem || TRACE.test(text)) return `${answer.statusCode} ${text}`;
      return undefined;
    },
  };
}

const TRACE = /\bat .*\.[jt]s:\d+|node_modules|root:x/;
/** What a step that calls may end with, whatever is answered. */
const KINDS = ["network", "http_status", "redirect", "too_large", "egress", "invalid_request"];

/** A run that calls the hostile subscriber ends, and says why where it failed. */
async function call(n: number, { pool, ends }: Server): Promise<string | undefined> {
  const answer = await pool.request({
    method: "POST",
    path: "/api/workflows/calling/trigger?wait=30s",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ context: { n } }),
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200 || TRACE.test(text)) return `${answer.statusCode} ${text}`;
  const { status, error } = JSON.parse(text) as Run;
  if (status === "completed") ends.completed += 1;
  else if (status === "failed" && error && KINDS.includes(error.kind)) ends.failed += 1;
  else return text;
  return undefined;
}

/** Every path but those inside of the store. */
async function tree({ dir }: Place): Promise<string[]> {
  const names = await readdir(dir, { recursive: true });
  const store = join("a", "b", ".workflows", "");
  return names.filter((name) => !name.startsWith(store)).sort();
}

function tell(what: string, { took, again }: { took: number[]; again: number }): void {
  const at = (share: number) => `${took[Math.floor(took.length * share)]?.toFixed(1)} ms`;
  const figures = `p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(0.99999)}, ${again} sent again`;
  process.stdout.write(`hostile input ${what}: ${figures}\n`);
}

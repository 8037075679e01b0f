// Hostile requests at the door of the built server: each is refused in words, and nothing breaks.

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Pool } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { place, serve } from "../cli/harness.js";
import {
  chance,
  type Hostile,
  hostile,
  hostileDefinition,
  inPath,
  NASTY,
  NASTY_JSON,
} from "./hostile-values.js";

const SEED = Number(process.env.FLOWS_HOSTILE_SEED ?? 7);
const COUNT = Number(process.env.FLOWS_HOSTILE_COUNT ?? 3_000);
/** Of these, each is checked by the language: some ms. */
const DEFINITIONS = Math.floor(COUNT / 50);

const STRICT = `id: strict
context:
  type: object
  required: [amount]
  additionalProperties: false
  properties: { amount: { type: integer }, name: { type: string, maxLength: 100 } }
steps:
  - { id: keep, type: set, config: { values: { amount: "\${{ context.amount }}" } } }
`;

const json = { "content-type": "application/json" };

/** Every nasty text at each place that takes an id, and every nasty JSON as a body. */
const HAND_PICKED: Hostile[] = [
  ...NASTY.map((text) => get(`/api/workflows/${inPath(text) || "%20"}`)),
  ...NASTY.map((text) => get(`/api/runs/${inPath(text) || "%20"}`)),
  ...NASTY.map((text) => get(`/docs/${inPath(text) || "%20"}`)),
  ...NASTY.map((text) => get(`/api/runs?cursor=${inPath(text)}&limit=0`)),
  ...NASTY_JSON.map((body) => post("/api/workflows/strict/trigger", body || "x")),
  ...NASTY_JSON.map((body) => post("/api/workflows/strict/trigger", `{"context":${body}}`)),
  ...NASTY_JSON.map((body) => post("/api/workflows", body || "x")),
];

describe("hostile requests to a built server", () => {
  let run: Awaited<ReturnType<typeof started>>;
  beforeAll(async () => {
    run = await started();
  });
  afterAll(() => run.pool.close());

  it(`are refused: ${HAND_PICKED.length} by hand and ${COUNT} by seed ${SEED}`, async () => {
    const next = chance(SEED);
    const before = await tree(run.dir);
    const all = function* () {
      yield* HAND_PICKED;
      for (let i = 0; i < COUNT - DEFINITIONS; i++) yield hostile(next);
      for (let i = 0; i < DEFINITIONS; i++) yield hostileDefinition(next);
    };
    const took = await sendAll(run.pool, all());
    expect(took.length).toBe(HAND_PICKED.length + COUNT);
    expect(HAND_PICKED.length).toBeGreaterThan(300);
    took.sort((a, b) => a - b);
    const at = (share: number) => `${took[Math.floor(took.length * share)]?.toFixed(1)} ms`;
    process.stdout.write(`hostile: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(0.99999)}\n`);

    const health = await (await fetch(`${run.server.url}/health`)).json();
    expect(health).toMatchObject({ status: "ok", runs: { failed: 0 } });
    expect(run.server.child.exitCode).toBeNull();
    expect(await tree(run.dir)).toEqual(before);
    run.server.child.kill("SIGTERM");
    const { code, stdout, stderr } = await run.server.done;
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`).not.toMatch(/"level":50|\bat .*\.[jt]s:\d+/);
  }, 600_000);
});

async function started() {
  const here = await place({ "flows/strict.yaml": STRICT });
  const server = await serve(here);
  return { dir: here.dir, server, pool: new Pool(server.url, { connections: 16 }) };
}

/** How long each took, in ms. Throws at the first answer that is none. */
async function sendAll(pool: Pool, requests: Iterator<Hostile>): Promise<number[]> {
  const took: number[] = [];
  const lane = async () => {
    for (let step = requests.next(); step.done !== true; step = requests.next()) {
      const began = performance.now();
      await sendOne(pool, step.value);
      took.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return took;
}

async function sendOne(pool: Pool, { method, path, headers = {}, body }: Hostile): Promise<void> {
  const answer = await pool.request({ method, path, headers, body: body ?? null });
  const text = await answer.body.text();
  const what = `${method} ${path.slice(0, 200)} ${body?.slice(0, 200)}: ${answer.statusCode}`;
  const isRefused = answer.statusCode >= 400 && answer.statusCode < 500;
  if (!isRefused) throw new Error(`${what} ${text.slice(0, 300)}`);
  if (answer.headers["content-type"] !== "application/problem+json") throw new Error(what);
  if (/\bat .*\.[jt]s:\d+|node_modules|root:x/.test(text)) throw new Error(`${what} ${text}`);
}

/** Every path below the folder, but those of runs, which the store may well write. */
async function tree(dir: string): Promise<string[]> {
  const names = await readdir(dir, { recursive: true });
  return names.filter((name) => !name.startsWith(join(".workflows", ""))).sort();
}

function get(path: string): Hostile {
  return { method: "GET", path };
}

function post(path: string, body: string): Hostile {
  return { method: "POST", path, headers: json, body };
}

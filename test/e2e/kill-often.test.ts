// Two loaded servers, killed many times at random moments: what was acknowledged is kept, each run
// ends once, and a step is performed again only if it was in flight when the server died.
//
// KILLS says how many (`npm run soak` takes 500), SEED repeats the moments of a run that failed.

import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import type { RunSummary } from "../../src/engine/runner.js";
import { later, type Place, place, type Running, serve } from "../cli/harness.js";

const KILLS = Number(process.env.KILLS ?? 50);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** Stores that are killed side by side: one for each processor that CI has. */
const STORES = 2;
const CLIENTS = 4;
/** ms after it listens that a server lives; longer, where the machine is slow to load it. */
const LIFE_MS = { least: 30, most: 250 };
/** What is acknowledged or performed in a life, at least: a number up to this. */
const MOST_SEEN = 20;
/** ms between two triggers of one client: the store stays small, and the starts quick. */
const REST_MS = 15;
const TIMEOUT_MS = 300_000 + KILLS * 10_000;

it(`survives ${KILLS} kills under load`, { timeout: TIMEOUT_MS }, async () => {
  const told = `SEED=${SEED} repeats it`;
  const kills = Math.ceil(KILLS / STORES);
  const arenas = Array.from({ length: STORES }, (_, n) => new Arena(kills, SEED + n));
  const acknowledged = await Promise.all(arenas.map((arena) => arena.fight()));
  for (const arena of arenas) expect(await arena.broken(), told).toEqual([]);
  // Else nothing was at stake.
  expect(Math.min(...acknowledged), told).toBeGreaterThan(kills);
  const again = arenas.reduce((sum, arena) => sum + arena.performedAgain, 0);
  expect(again, "steps were in flight when servers died").toBeGreaterThan(0);
});

/** One store, the servers that have it one after the other, and all that was seen of its runs. */
class Arena {
  /** Run ids by idempotency key: what was acknowledged. */
  readonly #runs = new Map<string, string>();
  /** By effect key: the life in which each request came. */
  readonly #heard = new Map<string, number[]>();
  /** By run id: when it ended, as it was first seen. */
  readonly #ends = new Map<string, string | null>();
  readonly #wrong: string[] = [];
  readonly #random: () => number;
  #life = 0;
  #seen = 0;
  #keys = 0;
  #url = "";
  #isOver = false;
  performedAgain = 0;
  #dir = "";

  constructor(
    readonly kills: number,
    seed: number,
  ) {
    this.#random = mulberry32(seed);
  }

  /** Answers how many triggers were acknowledged. */
  async fight(): Promise<number> {
    const here = await place({ "flows/pair.yaml": pair(await this.#subscriber()) });
    this.#dir = here.dir;
    let server = await this.#start(here);
    const clients = Array.from({ length: CLIENTS }, () => this.#client());
    for (let kill = 0; kill < this.kills; kill += 1) {
      const seen = this.#seen + 1 + this.#random() * MOST_SEEN;
      await pause(LIFE_MS.least + this.#random() * (LIFE_MS.most - LIFE_MS.least));
      while (this.#seen < seen) await pause(2);
      this.#url = "";
      server.child.kill("SIGKILL");
      await server.done;
      server = await this.#start(here);
    }
    this.#isOver = true;
    await Promise.all(clients);
    await this.#untilAllEnded();
    server.child.kill("SIGTERM");
    const { code, stderr } = await server.done;
    if (code !== 0) this.#wrong.push(`the last server ended with ${code}: ${stderr}`);
    return this.#runs.size;
  }

  /** What should not have been; read from the documents that are there in the end. */
  async broken(): Promise<string[]> {
    const runs = join(this.#dir, ".workflows", "runs");
    const ids = new Set(this.#runs.values());
    const found = (await readdir(runs)).filter((name) => name.endsWith(".json"));
    if (found.length !== this.#runs.size || ids.size !== this.#runs.size) {
      this.#wrong.push(`${this.#runs.size} triggers, ${ids.size} ids, ${found.length} documents`);
    }
    for (const id of ids) {
      const run = JSON.parse(await readFile(join(runs, `${id}.json`), "utf8")) as Run;
      if (run.status !== "completed") {
        this.#wrong.push(`${id} ended as ${run.status}: ${run.error?.message}`);
      }
      for (const [step, { attempt }] of Object.entries(run.steps)) {
        // The subscriber refuses nothing, and what a kill cut off goes on as the same attempt.
        if (attempt !== 1) this.#wrong.push(`${id}: ${step} took ${attempt} attempts`);
      }
      const end = this.#ends.get(id);
      if (end !== undefined && end !== run.finished_at) this.#wrong.push(`${id} ended twice`);
      for (const step of ["first", "second"]) this.#checkHeard(`${id}/${step}#0`);
    }
    return this.#wrong;
  }

  #checkHeard(key: string): void {
    const lives = this.#heard.get(key) ?? [];
    if (lives.length === 0) this.#wrong.push(`${key} was never heard`);
    if (lives.length > 1) this.performedAgain += 1;
    // Only a kill between two requests can have left the step in flight.
    if (new Set(lives).size !== lives.length) {
      this.#wrong.push(`${key} was heard in the lives ${lives.join(", ")}`);
    }
  }

  async #start(here: Place): Promise<Running> {
    this.#life += 1;
    const server = await serve(here);
    this.#url = server.url;
    await this.#lookAtEnds(server.url).catch((error) => this.#wrong.push(String(error)));
    return server;
  }

  /** Of runs that ended in earlier lives; should one end again, its time would be another. */
  async #lookAtEnds(url: string): Promise<void> {
    const answer = await fetch(`${url}/api/runs?status=completed&limit=200`);
    const { runs } = (await answer.json()) as { runs: RunSummary[] };
    for (const { id, finished_at } of runs) {
      if (!this.#ends.has(id)) this.#ends.set(id, finished_at);
      else if (this.#ends.get(id) !== finished_at) this.#wrong.push(`${id} ended twice`);
    }
  }

  /** What is not acknowledged is asked for again with the same key, so it makes one run. */
  async #client(): Promise<void> {
    while (!this.#isOver) {
      this.#keys += 1;
      const key = `key-${this.#keys}`;
      while (!this.#runs.has(key)) await this.#trigger(key);
      await pause(REST_MS);
    }
  }

  async #trigger(key: string): Promise<void> {
    const url = this.#url;
    if (url === "") return pause(5);
    try {
      const headers = { "idempotency-key": key };
      const asked = { method: "POST", headers };
      const answer = await fetch(`${url}/api/workflows/pair/trigger`, asked);
      const { run_id } = (await answer.json()) as { run_id?: string };
      this.#seen += 1;
      if (run_id !== undefined) this.#runs.set(key, run_id);
      else this.#wrong.push(`a trigger was answered with ${answer.status}`);
    } catch {
      await pause(5);
    }
  }

  async #untilAllEnded(): Promise<void> {
    for (;;) {
      const answer = await fetch(`${this.#url}/health`);
      const { runs } = (await answer.json()) as { runs: { [status: string]: number } };
      if (runs.pending === 0 && runs.running === 0) return;
      await pause(50);
    }
  }

  /** Takes a moment to answer, so that there is always something in flight. */
  async #subscriber(): Promise<string> {
    const server = createServer((request, response) => {
      this.#hear(String(request.headers["idempotency-key"]));
      request.resume();
      setTimeout(() => response.writeHead(200).end(), this.#random() * 20);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    later(async () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  #hear(key: string): void {
    this.#seen += 1;
    const lives = this.#heard.get(key) ?? [];
    this.#heard.set(key, lives);
    lives.push(this.#life);
    // The second step begins once the end of the first is on disk.
    if (key.endsWith("/first#0") && this.#heard.has(key.replace("first#0", "second#0"))) {
      this.#wrong.push(`${key} was performed again after its end`);
    }
  }
}

function pair(url: string): string {
  return `id: pair
name: Two calls, one after the other
# However slow the machine: what was heard is never too late.
defaults: { timeout: 10m }
steps:
  - id: pause
    type: delay
    config: { seconds: 0.03 }
  - id: first
    type: webhook
    config: { url: "${url}" }
  - id: second
    type: webhook
    config: { url: "${url}" }
`;
}

/** Numbers from 0 to 1 that a seed repeats. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

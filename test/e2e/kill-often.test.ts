// Loaded servers, killed many times at random moments: what was acknowledged is kept, each run ends
// once, and a step is performed again only if it was in flight when the server died.
//
// KILLS says how many (`npm run soak` takes more), SEED repeats the moments of a test that failed.

import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import type { RunSummary } from "../../src/engine/runner.js";
import { readOwner } from "../../src/hosts/local/lock.js";
import { later, type Place, place, type Running } from "../cli/harness.js";

const KILLS = Number(process.env.KILLS ?? 200);
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
/** Stores that are killed side by side: one for each processor that CI has. */
const LANES = 2;
/** After so many, a new store: the next start of an old one takes the longer, the more it has. */
const KILLS_OF_A_STORE = 25;
const CLIENTS = 4;
/** ms between two triggers of one client. */
const REST_MS = 15;
/** ms that the subscriber takes to answer, at most, so that there is always something in flight. */
const ANSWER_MS = 20;
const TIMEOUT_MS = 300_000 + KILLS * 10_000;

/** When a server is killed; `most` is what is counted to, or waited for, before it. */
const MOMENTS = [
  // From when it has the store to when it listens: a number up to 1 of the time that this takes.
  { when: "recovering", most: 1 },
  // Just as so many steps have been performed in this life: the first ones as it recovers.
  { when: "at a request", most: 12 },
  // Just as so many triggers have been acknowledged in this life.
  { when: "at an acknowledgement", most: 8 },
  // So many ms after it listens.
  { when: "at some time", most: 250 },
] as const;

type Moment = (typeof MOMENTS)[number];

/** What a kill hit. */
interface Hit {
  when: Moment["when"];
  /** It had not said yet that it listens. */
  early: boolean;
  /** Requests that the subscriber had not answered yet. */
  requests: number;
  /** Acknowledged runs that had not performed all their steps. */
  runs: number;
}

it(`survives ${KILLS} kills under load`, { timeout: TIMEOUT_MS }, async () => {
  const told = `SEED=${SEED} repeats it`;
  const stores = Math.ceil(KILLS / KILLS_OF_A_STORE);
  const arenas = Array.from({ length: stores }, (_, n) => new Arena(n, SEED + n));
  const waiting = arenas.values();
  const lane = async () => {
    for (const arena of waiting) {
      await arena.fight();
      expect(await arena.broken(), told).toEqual([]);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));

  const hits = arenas.flatMap((arena) => arena.hits);
  const count = (is: (hit: Hit) => boolean) => hits.filter(is).length;
  const seen = {
    kills: hits.length,
    "before it listened": count(({ early }) => early),
    "with runs under way": count(({ runs }) => runs > 0),
    "with requests in flight": count(({ requests }) => requests > 0),
    acknowledged: sum(arenas.map((arena) => arena.acknowledged)),
    "performed again": sum(arenas.map((arena) => arena.performedAgain)),
  };
  const facts = Object.entries(seen).map(([what, n]) => `${n} ${what}`);
  process.stdout.write(`${facts.join(", ")}; ${told}\n`);
  // Else nothing was at stake.
  expect(seen.kills, told).toBe(KILLS);
  expect(seen["before it listened"], told).toBeGreaterThan(KILLS / 10);
  expect(seen["with runs under way"], told).toBeGreaterThan(KILLS / 2);
  expect(seen["with requests in flight"], told).toBeGreaterThan(KILLS / 6);
  expect(seen.acknowledged, told).toBeGreaterThan(KILLS);
  expect(seen["performed again"], told).toBeGreaterThan(KILLS / 10);
});

/** One store, the servers that have it one after the other, and all that was seen of its runs. */
class Arena {
  readonly hits: Hit[] = [];
  /** Run ids by idempotency key: what was acknowledged. */
  readonly #runs = new Map<string, string>();
  /** By effect key: the life in which each request came. */
  readonly #heard = new Map<string, number[]>();
  /** By run id: when it ended, as it was first seen. */
  readonly #ends = new Map<string, string | null>();
  readonly #wrong: string[] = [];
  /** The moments' own numbers, so that the seed repeats them; and the answers'. */
  readonly #random: () => number;
  readonly #slowness: () => number;
  readonly #kills: number;
  #life = 0;
  #keys = 0;
  #url = "";
  #isOver = false;
  #dir = "";
  /** Of this life, and who is called with each change. */
  #counts = { requests: 0, acknowledgements: 0 };
  #counted = () => {};
  /** ms that the last start took, from when the store was taken. */
  #start_ms = 300;
  /** To the subscriber. */
  readonly #sockets = new Set<Socket>();
  #unanswered = 0;
  performedAgain = 0;

  constructor(n: number, seed: number) {
    this.#kills = Math.min(KILLS_OF_A_STORE, KILLS - n * KILLS_OF_A_STORE);
    this.#random = mulberry32(seed);
    this.#slowness = mulberry32(~seed);
  }

  get acknowledged(): number {
    return this.#runs.size;
  }

  async fight(): Promise<void> {
    const here = await place({ "flows/pair.yaml": pair(await this.#subscriber()) });
    this.#dir = here.dir;
    const clients = Array.from({ length: CLIENTS }, () => this.#client());
    while (this.hits.length < this.#kills) {
      const index = Math.floor(this.#random() * MOMENTS.length);
      await this.#liveTo(MOMENTS[index] as Moment, this.#random(), here);
    }
    const last = this.#start(here);
    await last.listening;
    this.#isOver = true;
    await Promise.all(clients);
    await this.#untilAllEnded();
    last.child.kill("SIGTERM");
    const { code, stderr } = await last.done;
    if (code !== 0) this.#wrong.push(`the last server ended with ${code}: ${stderr}`);
  }

  async #liveTo({ when, most }: Moment, part: number, here: Place): Promise<void> {
    const server = this.#start(here);
    const upTo = Math.ceil(part * most);
    const kill = () => {
      this.#counted = () => {};
      server.child.kill("SIGKILL");
      const early = this.#url === "";
      this.hits.push({ when, early, requests: this.#unanswered, runs: this.#underWay() });
      this.#url = "";
    };
    if (when === "recovering") {
      await this.#hasStore(server);
      await pause(part * this.#start_ms);
      kill();
    } else if (when === "at some time") {
      await server.listening;
      await pause(upTo);
      kill();
    } else {
      const what = when === "at a request" ? "requests" : "acknowledgements";
      this.#counted = () => {
        if (this.#counts[what] >= upTo) kill();
      };
    }
    const { code, stderr } = await server.done;
    if (code !== null) throw new Error(`a server ended by itself, with ${code}: ${stderr}`);
    // What it sent before it died is this life's.
    do await pause(1);
    while (this.#sockets.size > 0);
  }

  #start(here: Place): Running & { listening: Promise<void> } {
    this.#life += 1;
    this.#counts = { requests: 0, acknowledgements: 0 };
    const server = here.start(["serve", "--port", "0"]);
    const taken = this.#hasStore(server).then(() => performance.now());
    const listening = server.said(/^http:\S+$/m).then(async ([url]) => {
      this.#start_ms = performance.now() - (await taken);
      if (server.child.killed) return;
      this.#url = url;
      await this.#lookAtEnds(url).catch((error) => {
        if (!server.child.killed) this.#wrong.push(String(error));
      });
    });
    listening.catch(() => {});
    return { ...server, listening };
  }

  async #hasStore({ child }: Running): Promise<void> {
    const isOwner = async () => {
      const owner = await readOwner(join(this.#dir, ".workflows"));
      return owner?.pid === child.pid;
    };
    while (!child.killed && child.exitCode === null && !(await isOwner())) await pause(2);
  }

  /** Acknowledged runs whose last step was not heard of yet. */
  #underWay(): number {
    const ids = [...this.#runs.values()];
    return ids.filter((id) => !this.#heard.has(`${id}/second#0`)).length;
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
      if (!found.includes(`${id}.json`)) {
        this.#wrong.push(`${id} was acknowledged, and is lost`);
        continue;
      }
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
      if (run_id === undefined) this.#wrong.push(`a trigger was answered with ${answer.status}`);
      else this.#runs.set(key, run_id);
      this.#counts.acknowledgements += 1;
      this.#counted();
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

  async #subscriber(): Promise<string> {
    const server = createServer((request, response) => {
      this.#hear(String(request.headers["idempotency-key"]));
      this.#unanswered += 1;
      request.resume();
      response.once("close", () => {
        this.#unanswered -= 1;
      });
      setTimeout(() => response.writeHead(200).end(), this.#slowness() * ANSWER_MS);
      this.#counted();
    });
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    later(async () => {
      server.closeAllConnections();
      server.close();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  #hear(key: string): void {
    this.#counts.requests += 1;
    const lives = this.#heard.get(key) ?? [];
    this.#heard.set(key, lives);
    lives.push(this.#life);
    // The second step begins once the end of the first is on disk.
    if (key.endsWith("/first#0") && this.#heard.has(key.replace("first#0", "second#0"))) {
      this.#wrong.push(`${key} was performed again after its end`);
    }
    if (this.#ends.has(key.split("/")[0] as string)) {
      this.#wrong.push(`${key} was performed again after the end of its run`);
    }
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
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

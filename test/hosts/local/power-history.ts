// A life of the store on a simulated disk, and the cuts along it, which the oracle looks at.

import type { Decision } from "../../../src/engine/event.js";
import { fold } from "../../../src/engine/evolve.js";
import { FINISHED, type Run } from "../../../src/engine/run.js";
import type { Workflow } from "../../../src/flow/workflow.js";
import type { Disk } from "../../../src/hosts/local/disk.js";
import { openStore, type Store, type StoreOptions } from "../../../src/hosts/local/store.js";
import { type Chance, chance, PowerCut, type State } from "./power-cut.js";
import { type Look, listAll, Oracle, readRun, SMALL, STORE } from "./power-oracle.js";
import { type Change, SimDisk } from "./sim-disk.js";
import * as kit from "./store-kit.js";
import type { VirtualTime } from "./virtual-time.js";

/** A decision that was written under this number: the run, as it left it. */
export interface Decided {
  run: Run;
  json: string;
  seq: number;
  /** The place of the log from which on no cut may undo it. */
  acknowledged: number;
}

/** A finished run that was not to be kept any more. */
export interface Deleted {
  id: string;
  /** The places of the log at which it was asked for, and from which on no cut may undo it. */
  asked: number;
  acknowledged: number;
}

export interface Life {
  log: Change[];
  /** As it began. */
  disk: SimDisk;
  /** In the order of their records. */
  decisions: Decided[];
  deletions: Deleted[];
  troubles: string[];
  stats: { checkpoints: number; segments: number };
}

export interface LifeOptions {
  seed: number;
  decisions: number;
  /** Changes what the store's calls do: a weakened protocol. */
  weaken?: (disk: SimDisk) => Disk;
  store?: Partial<StoreOptions>;
  /** Whether the store is closed and opened again now and then. */
  reopens?: boolean;
  /** An earlier life, and what a cut left of it. */
  after?: Cut;
}

export interface Cut {
  life: Life;
  place: number;
  state: State;
}

/** Lets a store live. Needs a virtual time that is installed, and a lock that is none. */
export async function live(time: VirtualTime, options: LifeOptions): Promise<Life> {
  const next = chance(options.seed);
  const tree = options.after?.state.tree;
  const sim = new SimDisk("/sim", tree, { delay: () => Math.floor(next() * 4) });
  const life: Life = {
    log: sim.log,
    disk: new SimDisk("/sim", tree),
    decisions: [],
    deletions: [],
    troubles: [],
    stats: { checkpoints: 0, segments: 0 },
  };
  const owner = new Owner(time, life, sim, options.weaken?.(sim) ?? sim, options.store);
  await owner.open();
  if (options.after) life.decisions.push(...survivors(options.after, owner, sim.log.length));
  await owner.saveVersion(0);
  for (let made = 0; made < options.decisions; ) {
    const burst = next() < 0.4 ? 1 : 1 + Math.floor(next() * 6);
    for (let i = 0; i < burst; i += 1) {
      if (next() < 0.03) await owner.saveVersion(Math.floor(next() * 1000));
      owner.decide(next);
      made += 1;
    }
    await time.pass(Math.floor(next() * 12));
    if (next() < 0.02) await time.pass(100);
    if (options.reopens && next() < 0.02) {
      await owner.close();
      await owner.open();
    }
  }
  await owner.close();
  time.forget();
  return life;
}

/** What was not acknowledged and is there is so from now on, and not before. */
function survivors({ life, place }: Cut, owner: Owner, now: number): Decided[] {
  owner.skip(life.decisions.map(({ run }) => run.id));
  const there = life.decisions.filter(({ run, seq }) => seq <= owner.last && owner.has(run.id));
  const from = (each: Decided): number => (each.acknowledged <= place ? 0 : now);
  return there.map((each) => ({ ...each, acknowledged: from(each) }));
}

class Owner {
  readonly #runs = new Map<string, Run>();
  readonly #busy = new Set<string>();
  readonly #saved: string[] = [];
  #pending = 0;
  /** The number of the newest run: none comes twice, also where one was deleted. */
  #newest = 0;
  #store: Store | undefined;

  constructor(
    readonly time: VirtualTime,
    readonly life: Life,
    readonly sim: SimDisk,
    readonly disk: Disk,
    readonly options: Partial<StoreOptions> = {},
  ) {}

  /** The number of the last decision that is there. */
  get last(): number {
    return Math.max(0, ...[...this.#runs.values()].map(({ seq }) => seq));
  }

  has(id: string): boolean {
    return this.#runs.has(id);
  }

  skip(ids: string[]): void {
    for (const id of ids) this.#newest = Math.max(this.#newest, Number(id.slice(4)));
  }

  async open(): Promise<void> {
    const opening = openStore(STORE, {
      ...SMALL,
      disk: this.disk,
      onFailure: (error) => {
        throw error;
      },
      onTrouble: (message) => this.life.troubles.push(message),
      ...this.options,
    });
    this.#store = await this.time.result(opening);
    for (const id of listAll(this.#store).keys()) {
      const { json, seq } = await readRun(this.#store, this.sim, id);
      if (seq > 0) this.#runs.set(id, JSON.parse(json) as Run);
    }
  }

  async close(): Promise<void> {
    await this.time.until(() => this.#pending === 0);
    this.life.stats.checkpoints += this.#open.stats().checkpoints;
    await this.time.result(this.#open.close());
    this.life.stats.checkpoints += 1;
    const names = this.disk.readdir(`${STORE}/journal`);
    this.life.stats.segments = Math.max(...names.map((name) => Number.parseInt(name, 10)));
  }

  async saveVersion(number: number): Promise<void> {
    const version = number.toString(16).padStart(64, "0");
    await this.time.result(this.#open.saveVersion(version, { id: "demo" } as Workflow));
    this.#saved.push(version);
  }

  /** One more decision, of a new run or one that is there. */
  decide(next: Chance): void {
    const idle = [...this.#runs.values()].filter(({ id }) => !this.#busy.has(id));
    const run = next() < 0.4 ? undefined : idle[Math.floor(next() * idle.length)];
    if (!run) this.#create(next);
    else if (FINISHED.has(run.status)) {
      if (next() < 0.3) this.#append(kit.retried(Number(run.id.slice(4))));
      else this.#forget(run.id, next);
    } else this.#goOn(Number(run.id.slice(4)), next);
  }

  #create(next: Chance): void {
    this.#newest += 1;
    const n = this.#newest;
    const context = { text: "x".repeat(Math.floor(next() ** 3 * 900)) };
    const decision = kit.created(n, { context, ...(next() < 0.3 ? { key: `key ${n}` } : {}) });
    const version = this.#saved[Math.floor(next() * this.#saved.length)];
    Object.assign(decision.events[0] ?? {}, { workflow_version: version });
    this.#append(decision);
    // As the loop does: decided upon what is not durable yet.
    if (next() < 0.3) this.#append(kit.stepStarted(n));
  }

  #goOn(n: number, next: Chance): void {
    const x = next();
    if (x < 0.4) this.#append(kit.stepStarted(n, `step_${Math.floor(next() * 5)}`));
    else this.#append(x < 0.85 ? kit.completed(n) : kit.failed(n));
  }

  #forget(id: string, next: Chance): void {
    if (next() < 0.7) return;
    const { log, deletions } = this.life;
    const deleted = { id, asked: log.length, acknowledged: Infinity };
    deletions.push(deleted);
    this.#busy.add(id);
    this.#pending += 1;
    this.#runs.delete(id);
    this.#open.delete([id], () => {
      this.#pending -= 1;
      deleted.acknowledged = log.length;
    });
  }

  #append(decision: Decision): void {
    const id = decision.run_id;
    this.#busy.add(id);
    this.#pending += 1;
    this.#open.append(decision, (seq) => {
      const run = fold(this.#runs.get(id) ?? null, decision, seq);
      this.#runs.set(id, run);
      this.#open.published(run);
      this.#busy.delete(id);
      this.#pending -= 1;
      const { log, decisions } = this.life;
      decisions.push({ run, json: JSON.stringify(run), seq, acknowledged: log.length });
    });
  }

  get #open(): Store {
    if (!this.#store) throw new Error("the store is not open");
    return this.#store;
  }
}

export interface Tally {
  states: number;
  /** Some of them, along the life. */
  kept: Cut[];
  /** What was wrong, each with its place; empty: nothing. */
  wrong: string[];
}

export interface Sampling {
  seed: number;
  /** States looked at for each place of the log. */
  each: number;
  /** Stops at the first that is wrong. */
  untilWrong?: boolean;
  /** How many states to keep, for a life after the cut. */
  keep?: number;
}

/** Recovers the states that cuts along a life could leave. */
export async function cutEverywhere(
  time: VirtualTime,
  life: Life,
  sampling: Sampling,
): Promise<Tally> {
  const next = chance(sampling.seed);
  const cut = new PowerCut(life.disk);
  const oracle = new Oracle(life);
  const seen = new Map<string, Look>();
  const tally: Tally = { states: 0, kept: [], wrong: [] };
  for (const [place, change] of [...life.log, undefined].entries()) {
    const tries = cut.isOpen ? sampling.each : 1;
    for (let i = 0; i < tries; i += 1) {
      const state = cut.state(i, next);
      const found = seen.get(state.hash) ?? (await oracle.look(state));
      // The store that was opened to be looked at does nothing more.
      time.forget();
      seen.set(state.hash, found);
      // A state that was good may come again when more is acknowledged.
      const wrong = found.wrong ?? oracle.lost(found, place);
      if (wrong !== undefined) tally.wrong.push(`cut at ${place}, state ${i}: ${wrong}`);
      if (sampling.untilWrong && tally.wrong.length > 0) break;
      const due = ((tally.kept.length + next()) * life.log.length) / (sampling.keep ?? 0);
      if (i > 1 && place > due) tally.kept.push({ life, place, state });
    }
    tally.states = seen.size;
    if (sampling.untilWrong && tally.wrong.length > 0) break;
    if (change) cut.take(change);
  }
  return tally;
}

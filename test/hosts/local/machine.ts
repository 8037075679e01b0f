// A process with a store, the engine's loop and timers over a simulated disk: it may die in any
// call, and be started again on what the disk has.

import { vi } from "vitest";
import type { Event } from "../../../src/engine/event.js";
import { Loop } from "../../../src/engine/loop.js";
import type { Call } from "../../../src/engine/ports.js";
import { FINISHED, type Run } from "../../../src/engine/run.js";
import type { Workflow } from "../../../src/flow/workflow.js";
import { Sleepers } from "../../../src/hosts/local/sleepers.js";
import { openStore, type Store } from "../../../src/hosts/local/store.js";
import { Timers } from "../../../src/hosts/local/timers.js";
import { PACKED_WAIT_MS } from "../../../src/limits.js";
import { workflow } from "../../engine/support.js";
import type { SimDisk } from "./sim-disk.js";
import * as kit from "./store-kit.js";
import type { VirtualTime } from "./virtual-time.js";

const STORE = "/sim/store";
const DAY_MS = 24 * 3_600_000;
const VERSION = "0".repeat(64);

/** A nap of so many seconds, and three calls. */
function napping(seconds: number): Workflow {
  return workflow([
    { id: "nap", type: "delay", config: { seconds } },
    { id: "send" },
    { id: "once", delivery: "at_most_once" },
    { id: "thank" },
  ]);
}

/** What those outside have seen, whatever became of the process. */
export class World {
  /** Runs whose start was answered. */
  readonly acknowledged = new Set<string>();
  /** Keys of calls, in order. */
  readonly calls: string[] = [];
  /** Keys of steps whose completion was published, and so durable. */
  readonly completed = new Set<string>();
  readonly wrong: string[] = [];
  runs = 0;

  called({ idempotency_key: key }: Call): void {
    if (this.completed.has(key)) this.wrong.push(`${key} is called, though it was completed`);
    this.calls.push(key);
  }

  published(run: Run, events: Event[]): void {
    for (const event of events) {
      if (event.type !== "step_completed") continue;
      const key = `${run.id}/${event.key}`;
      if (this.completed.has(key)) this.wrong.push(`${key} is completed twice`);
      this.completed.add(key);
    }
  }
}

export class Machine {
  /** ms that the clock is set ahead of the time that really passes. */
  ahead = 0;
  /** How often a run was put to sleep. */
  slept = 0;
  readonly #timers: Timers;
  readonly #flow: Workflow;
  #loop: Loop | undefined;
  #store: Store | undefined;
  #sleepers: Sleepers | undefined;

  constructor(
    readonly time: VirtualTime,
    readonly disk: SimDisk,
    readonly world: World,
    seconds = 0.02,
  ) {
    this.#timers = new Timers(() => this.#clock());
    this.#flow = napping(seconds);
  }

  /** Starts, and lives until all runs have ended, or until the disk dies. */
  async live(runs: number): Promise<void> {
    try {
      await this.#start();
      for (let n = 0; n < runs && !this.disk.isDead; n += 1) {
        this.#trigger();
        if (n % 3 > 0) await this.time.pass(5, () => this.disk.isDead);
      }
      await this.#until(() => this.#isOver());
      if (!this.disk.isDead) await this.#await(this.#store?.close());
    } catch (error) {
      if (!this.disk.isDead) throw error;
    }
    this.#timers.stop();
    this.#sleepers?.stop();
    this.time.forget();
  }

  async #start(): Promise<void> {
    vi.spyOn(Date, "now").mockImplementation(() => this.#clock());
    const opening = openStore(STORE, {
      disk: this.disk,
      first_segment_bytes: 2048,
      segment_bytes: 6144,
      document_delay_ms: 3,
      seal_after_ms: 20,
      restsUntil: (run) => this.#loop?.rest(run, this.#clock() + PACKED_WAIT_MS),
      sleeps: (sleeper) => {
        this.slept += 1;
        this.#sleepers?.add(sleeper);
      },
      onFailure: (error) => {
        if (!this.disk.isDead) throw error;
      },
    });
    const store = await this.#await(opening);
    this.#store = store;
    await this.#await(store.saveVersion(VERSION, this.#flow));
    await this.#note(store);
    const loop = this.#makeLoop(store);
    const wake = (id: string): void => void loop.wake(id);
    this.#sleepers = new Sleepers(store, wake, () => true);
    this.#loop = loop;
    loop.recover(store.recovered);
    this.#sleepers.start();
  }

  #makeLoop(store: Store): Loop {
    return new Loop({
      now: () => this.#clock(),
      random: () => 0.5,
      append: store.append.bind(store),
      call: (call, report) => {
        this.world.called(call);
        const timer = setTimeout(() => report({ type: "output", output: { ok: true } }), 4);
        return () => clearTimeout(timer);
      },
      wait: (until, due) => this.#timers.wait(until, due),
      stored: (id, found) => void store.get(id).then(found),
      current: () => VERSION,
      wake: (id) => this.#sleepers?.take(id),
      workflow: () => this.#flow,
      published: (run, events) => {
        store.published(run);
        this.world.published(run, events);
      },
    });
  }

  /** What is found completed is so, even if the process that wrote it died before it said so. */
  async #note(store: Store): Promise<void> {
    for (const { id } of store.list({ limit: 200 }).runs) {
      const run = await this.run(id, store);
      for (const [step, state] of Object.entries(run?.steps ?? {})) {
        if (state.status === "completed") this.world.completed.add(`${id}/${step}#0`);
      }
    }
  }

  #trigger(): void {
    this.world.runs += 1;
    const id = kit.runId(this.world.runs);
    const command = {
      type: "start",
      run_id: id,
      at: this.#clock(),
      workflow_version: VERSION,
      context: {},
      trigger: { type: "manual" },
    } as const;
    this.#loop?.dispatch(command, () => this.world.acknowledged.add(id));
  }

  async run(id: string, store = this.#store): Promise<Run | undefined> {
    const live = await store?.get(id);
    if (live) return live;
    const bytes = this.disk.bytes(`${STORE}/runs/${id}.json`);
    return bytes && (JSON.parse(bytes.toString()) as Run);
  }

  /** Says what is wrong, once all has come to its end. */
  async judge(): Promise<string[]> {
    const { acknowledged, calls, completed } = this.world;
    const wrong = [...this.world.wrong];
    for (const id of acknowledged) {
      const run = await this.run(id);
      if (!run || !FINISHED.has(run.status)) wrong.push(`${id} is ${run?.status ?? "lost"}`);
      const isExpected = run?.status === "completed" || run?.error?.kind === "interrupted";
      if (!isExpected) wrong.push(`${id} ended with ${JSON.stringify(run?.error)}`);
      const wasDone = ["send#0", "once#0", "thank#0"].every((key) => completed.has(`${id}/${key}`));
      if (run?.status === "completed" && !wasDone) wrong.push(`${id} has left out a step`);
    }
    const once = calls.filter((key) => key.endsWith("/once#0"));
    if (new Set(once).size < once.length) wrong.push("a call was repeated that may not be");
    return wrong;
  }

  async #await<T>(promise: Promise<T> | undefined): Promise<T> {
    let isSettled = false;
    const settle = (): void => {
      isSettled = true;
    };
    promise?.then(settle, settle);
    await this.#until(() => isSettled);
    if (!isSettled) throw new Error("the disk is dead");
    return promise as Promise<T>;
  }

  #isOver(): boolean {
    const { pending = 0, running = 0, paused = 0 } = this.#store?.counts() ?? {};
    return this.#loop?.size === 0 && pending + running + paused === 0;
  }

  #clock(): number {
    return this.time.now + this.ahead;
  }

  async #until(isDone: () => boolean): Promise<void> {
    await this.time.pass(DAY_MS, () => this.disk.isDead || isDone());
    if (!this.disk.isDead && !isDone()) throw new Error("it did not come to pass within a day");
  }
}

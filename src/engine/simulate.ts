// The simulated host: virtual time, a journal in memory, and seeded chance. It can lose what was
// not durable, double and delay reports, and stop at any write. Everything is a function of seed.

import type { JsonObject } from "../flow/json.js";
import type { Workflow } from "../flow/workflow.js";
import type { Command, Outcome, Refusal } from "./command.js";
import type { Decision, Event } from "./event.js";
import { fold } from "./evolve.js";
import { Heap } from "./heap.js";
import { Loop, type Settled } from "./loop.js";
import type { Call, LoopPorts } from "./ports.js";
import { FINISHED, type Run } from "./run.js";

/** How the simulated world answers a call: after so many ms, with this. */
export interface Answer {
  after_ms: number;
  outcome: Outcome;
}

export interface SimulationOptions {
  seed: number;
  /** ms since 1970 at which virtual time begins. */
  start_ms?: number;
  /** By version. */
  workflows: ReadonlyMap<string, Workflow>;
  answer(call: Call, chance: () => number): Answer;
  /** ms that a write takes; default 1. With 0, times are exact and crashes cannot fall in. */
  write_ms?: number;
  /** 0 to 1, at each write: the process dies while writing. */
  crash_rate?: number;
  /** 0 to 1, at each report: it comes a second time, later. */
  double_rate?: number;
  /** 0 to 1, at each change of a run: it is put to sleep, if it only waits. */
  rest_rate?: number;
}

export class Simulation {
  now: number;
  loop: Loop;
  /** Durable, in order; a record's sequence number is its place, from 1. */
  readonly journal: Decision[] = [];
  /** Every call that was started, also those whose report was lost. */
  readonly calls: (Call & { at: number })[] = [];
  crashes = 0;
  readonly #chance: () => number;
  readonly #due = new Heap<() => void>();
  readonly #published = new Map<string, Run>();
  readonly #asleep = new Set<string>();
  /** What the last recovery read, as a host keeps it: the next one reads on from there. */
  #checkpoint: Folded = { runs: new Map(), seq: 0 };
  #writing: { decision: Decision; durable: (seq: number) => void }[] = [];
  /** Callbacks of a life that a crash ended must not reach the next one. */
  #life = 0;

  constructor(readonly options: SimulationOptions) {
    this.now = options.start_ms ?? 0;
    this.#chance = random(options.seed);
    this.loop = new Loop(this.#ports());
  }

  /** The run as last durable, also when finished. */
  run(runId: string): Run | undefined {
    return this.#published.get(runId);
  }

  start(runId: string, version: string, context: JsonObject = {}, settled?: Settled): void {
    const trigger = { type: "manual" } as const;
    const command = { type: "start", workflow_version: version, context, trigger } as const;
    this.dispatch({ ...command, run_id: runId, at: this.now }, settled);
  }

  /** A lost answer (the process died first) is no answer: `settled` is not called. */
  dispatch(command: Command, settled?: (result: Run | Refusal) => void): void {
    this.loop.dispatch(command, settled, this.#published.get(command.run_id));
  }

  /** Calls back after `ms` of virtual time, whatever crashes meanwhile. */
  after(ms: number, callback: () => void): void {
    this.#due.push(this.now + ms, callback);
  }

  /** Runs the next thing due; false when nothing ever will be. */
  step(): boolean {
    const at = this.#due.least;
    const next = this.#due.pop();
    if (at === undefined || !next) return false;
    this.now = Math.max(this.now, at);
    next();
    return true;
  }

  /** Until nothing is due, or `max` steps are done: then it never ends, and that is an error. */
  drain(max = 1_000_000): void {
    for (let steps = 0; this.step(); steps++) {
      if (steps >= max) throw new Error(`seed ${this.options.seed}: no end after ${max} steps`);
    }
  }

  /** The process dies: a prefix of what was being written may be on disk. The next recovers. */
  crash(): void {
    this.crashes += 1;
    this.#life += 1;
    const survived = Math.floor(this.#chance() * (this.#writing.length + 1));
    for (const { decision } of this.#writing.slice(0, survived)) this.journal.push(decision);
    this.#writing = [];
    this.loop = new Loop(this.#ports());
    this.#published.clear();
    this.#asleep.clear();
    this.#checkpoint = foldAll(this.journal, this.#checkpoint);
    for (const run of this.#checkpoint.runs.values()) this.#published.set(run.id, run);
    this.loop.recover([...this.#published.values()].filter((run) => !FINISHED.has(run.status)));
  }

  #ports(): LoopPorts {
    return {
      now: () => this.now,
      random: this.#chance,
      append: (decision, durable) => this.#append(decision, durable),
      call: (call, report) => this.#call(call, report),
      wait: (until, due) => this.#schedule(until, due),
      published: (run: Run, _events: Event[]) => this.#publish(run),
      wake: (runId) => (this.#asleep.delete(runId) ? this.#published.get(runId) : undefined),
      stored: (runId, found) => found(this.#published.get(runId)),
      current: (id) => this.#versionOf(id),
      workflow: (version) => this.options.workflows.get(version),
    };
  }

  #publish(run: Run): void {
    this.#published.set(run.id, run);
    const { rest_rate = 0 } = this.options;
    if (rest_rate > 0 && this.#chance() < rest_rate)
      this.#schedule(this.now, () => this.#rest(run));
  }

  #rest(run: Run): void {
    const until = this.loop.rest(run, this.now);
    if (until === undefined) return;
    this.#asleep.add(run.id);
    if (until !== null) this.#schedule(until, () => this.loop.wake(run.id));
  }

  #versionOf(workflowId: string): string | undefined {
    for (const [version, { id }] of this.options.workflows) {
      if (id === workflowId) return version;
    }
    return undefined;
  }

  #append(decision: Decision, durable: (seq: number) => void): void {
    this.#writing.push({ decision, durable });
    if (this.#writing.length > 1) return;
    this.#schedule(this.now + (this.options.write_ms ?? 1), () => this.#flush());
  }

  /** One write: whatever queued up becomes durable together, or the process dies in it. */
  #flush(): void {
    if (this.#chance() < (this.options.crash_rate ?? 0)) {
      this.crash();
      return;
    }
    const batch = this.#writing;
    this.#writing = [];
    const first = this.journal.length + 1;
    for (const { decision } of batch) this.journal.push(decision);
    batch.forEach(({ durable }, index) => {
      durable(first + index);
    });
  }

  #call(call: Call, report: (outcome: Outcome) => void): () => void {
    this.calls.push({ ...call, at: this.now });
    const { after_ms, outcome } = this.options.answer(call, this.#chance);
    const late = after_ms > call.timeout_ms;
    const stop = this.#schedule(this.now + Math.min(after_ms, call.timeout_ms), () =>
      report(late ? timedOut(call) : outcome),
    );
    if (this.#chance() < (this.options.double_rate ?? 0)) this.#double(call, outcome);
    return stop;
  }

  /** A report that comes again, or for the first time, when nobody waits for it any more. */
  #double(call: Call, outcome: Outcome): void {
    const { run_id, attempt, idempotency_key } = call;
    const key = idempotency_key.slice(run_id.length + 1);
    this.after(call.timeout_ms * (1 + this.#chance()), () => {
      const stamp = { at: this.now, chance: this.#chance() };
      this.dispatch({ type: "report", run_id, key, attempt, outcome, ...stamp });
    });
  }

  #schedule(at: number, callback: () => void): () => void {
    const life = this.#life;
    let stopped = false;
    this.#due.push(Math.max(at, this.now), () => {
      if (!stopped && life === this.#life) callback();
    });
    return () => {
      stopped = true;
    };
  }
}

/** The runs that the first `seq` records make. */
export interface Folded {
  readonly runs: ReadonlyMap<string, Run>;
  readonly seq: number;
}

/** Every run that the records make; those of `from` are not read again. */
export function foldAll(
  journal: readonly Decision[],
  from: Folded = { runs: new Map(), seq: 0 },
): Folded {
  const runs = new Map(from.runs);
  for (let seq = from.seq + 1; seq <= journal.length; seq++) {
    const decision = journal[seq - 1] as Decision;
    runs.set(decision.run_id, fold(runs.get(decision.run_id) ?? null, decision, seq));
  }
  return { runs, seq: journal.length };
}

function timedOut(call: Call): Outcome {
  const message = `Step "${call.step_id}" did not answer within ${call.timeout_ms / 1000} s.`;
  return { type: "failure", error: { kind: "timeout", message } };
}

/** mulberry32: small, seeded, and good enough to wander through states. */
export function random(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

// The loop that never varies: decide, write, evolve, act. It drives all live runs over a host's
// ports.
//
// What it promises:
// 1. A command is answered only after its decision is durable.
// 2. An effect is started only after the decision that asks for it is durable.
// 3. Commands of one run are decided in order, each on what the one before it decided; they need
//    not wait for each other's writes, so that a busy run shares its commits.
// 4. No secret is decided on: a command is cleaned first, whoever sends it.
// 5. After a crash, folding the journal and calling `recover` for each unfinished run is all. A run
//    that only waits may be given up at any time, to be taken over again in the same way.

import type { Workflow } from "../flow/workflow.js";
import { expressionFailure } from "./advance.js";
import { Children } from "./children.js";
import { type Command, isRefusal, type Outcome, type Refusal, withoutSecrets } from "./command.js";
import { decide } from "./decide.js";
import { effects, effectsAt, isSame } from "./effects.js";
import type { Event } from "./event.js";
import { parseKey, RUN } from "./key.js";
import type { Effect, LoopPorts } from "./ports.js";
import { FINISHED, type Run } from "./run.js";
import { Slots } from "./slots.js";
import { stepOf } from "./steps.js";
import { timeOf } from "./time.js";

export type Settled = (result: Run | Refusal) => void;

/** Keys that are compared with each other faster than put into a set. */
const FEW = 4;
const NOTHING: readonly Flight[] = [];
const nothing = (): void => {};

interface Entry {
  workflow: Workflow;
  /** Durable: what others see. Null until the first decision is. */
  run: Run | null;
  /** As last decided; ahead of `run` while decisions are being written. */
  draft: Run;
  /** Decisions handed to the journal and not yet durable. */
  writing: number;
  /** Given up, or ended: what comes for this run finds another entry. */
  isGone: boolean;
  /** By the key of an instance. */
  inFlight: Map<string, Flight[]>;
  /** Refusals that rest on a decision which is not durable yet. */
  refused: (() => void)[] | undefined;
}

/** An effect that was started, and is still wanted. Lists of them are replaced, never changed. */
interface Flight {
  effect: Effect;
  stop: () => void;
}

export class Loop {
  readonly #entries = new Map<string, Entry>();
  /** By concurrency group: the ids of its live runs, in the order in which they came. */
  readonly #groups = new Map<string, Set<string>>();
  readonly #slots: Slots;
  readonly #children: Children;

  /** `acts: false`: for commands alone; what is in flight is for the store's next owner. */
  constructor(
    readonly ports: LoopPorts,
    private acts = true,
  ) {
    const stamped = (run_id: string) => ({ run_id, at: ports.now() });
    this.#slots = new Slots(
      (group) => this.#members(group),
      (runId) => this.dispatch({ type: "begin", ...stamped(runId) }),
      (runId, reason) => this.dispatch({ type: "cancel", reason, ...stamped(runId) }),
    );
    this.#children = new Children(
      ports,
      (command, settled, stored) => this.dispatch(command, settled, stored),
      (runId) => this.wake(runId),
    );
  }

  /** Live runs: not finished, or not yet durably so. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes over the unfinished runs that were read from the journal, oldest first. */
  recover(runs: readonly Run[]): void {
    const entries = runs.map((run) => this.#admit(run, this.#workflow(run.workflow_version)));
    if (!this.acts) return;
    for (const entry of entries) this.#interrupt(entry);
    for (const entry of entries) this.#act(entry);
    for (const entry of entries) this.#children.cancelOrphan(entry.draft);
  }

  /** The durable state of a live run. */
  get(runId: string): Run | undefined {
    return this.#entries.get(runId)?.run ?? undefined;
  }

  /**
   * Gives up a run that only waits, if this is its latest state and nothing is due before `soon`
   * (ms). Answers when it must be woken; null: when a command comes; undefined: it is kept.
   */
  rest(run: Run, soon: number): number | null | undefined {
    const entry = this.#entries.get(run.id);
    const isIdle = entry?.run === run && entry.draft === run && entry.writing === 0;
    // Others look at the runs of a group, and a parent at its children.
    const isKept = run.concurrency !== undefined || run.trigger.type === "workflow";
    if (!isIdle || isKept || !this.acts) return undefined;
    let until = this.#waitAt(entry, run, RUN);
    for (const key of run.open) {
      if (until < soon) return undefined;
      until = Math.min(until, this.#waitAt(entry, run, key));
    }
    if (until < soon) return undefined;
    stopAll(entry);
    this.#remove(entry);
    return until === Infinity ? null : until;
  }

  /** When what the instance only waits for is due (ms); -Infinity: it does more than wait. */
  #waitAt({ workflow }: Entry, run: Run, key: string): number {
    let until = Infinity;
    for (const effect of effectsAt(workflow, run, key)) {
      if (effect.kind === "wait") until = Math.min(until, timeOf(effect.until));
      else if (effect.kind !== "listen") return -Infinity;
    }
    return until;
  }

  /** True: the run is live; it is taken over now, if it was asleep. */
  wake(runId: string): boolean {
    return this.#entry(runId) !== undefined;
  }

  /** `stored`: the run, when it is finished and so no longer live; a retry revives it. */
  dispatch(wish: Command, settled: Settled = () => {}, stored?: Run): void {
    const command = this.ports.clean ? withoutSecrets(wish, this.ports.clean) : wish;
    const known = this.#entry(command.run_id);
    if (!known && !stored && command.type !== "start") {
      settled({ refused: "unknown_run", message: `There is no live run ${command.run_id}.` });
      return;
    }
    const before = known?.draft ?? stored ?? null;
    const version = command.type === "start" ? command.workflow_version : before?.workflow_version;
    const workflow = known?.workflow ?? this.#workflow(version ?? "");
    const decided = decide(workflow, before, this.#withSlot(workflow, command));
    if (isRefusal(decided)) {
      this.#refuse(known, () => settled(decided));
      return;
    }
    const entry = known ?? this.#admit(decided.run, workflow, stored ?? null);
    const { run, decision } = decided;
    entry.draft = run;
    entry.writing += 1;
    this.ports.append(decision, (seq) => {
      entry.writing -= 1;
      // Nobody else has it yet but the decisions that follow, and those have numbers of their own.
      run.seq = seq;
      entry.run = run;
      this.ports.published(run, decision.events);
      if (!entry.isGone) this.#act(entry, decision.events);
      settled(run);
      if (FINISHED.has(run.status)) this.#children.ended(run);
      if (entry.writing === 0) this.#rest(entry);
    });
  }

  /** Starts nothing any more: what is in flight may end, and is recorded. */
  halt(): void {
    this.acts = false;
  }

  /** Stops all effects without deciding anything: the host is going down. */
  stop(): void {
    this.#children.stop();
    for (const entry of this.#entries.values()) stopAll(entry);
  }

  #entry(runId: string): Entry | undefined {
    const known = this.#entries.get(runId);
    const run = known ? undefined : this.ports.wake?.(runId);
    if (!run) return known;
    const entry = this.#admit(run, this.#workflow(run.workflow_version));
    this.#act(entry);
    return entry;
  }

  #workflow(version: string): Workflow {
    const workflow = this.ports.workflow(version);
    if (!workflow) throw new Error(`the host lost workflow version ${version}`);
    return workflow;
  }

  #admit(draft: Run, workflow: Workflow, run: Run | null = draft): Entry {
    const inFlight = new Map<string, Flight[]>();
    const fresh = { writing: 0, isGone: false, inFlight, refused: undefined };
    const entry: Entry = { workflow, run, draft, ...fresh };
    this.#entries.set(draft.id, entry);
    if (draft.concurrency) this.#group(draft.concurrency.group).add(draft.id);
    return entry;
  }

  /** A refusal may rest on a decision that a power cut could still undo: it waits for it. */
  #refuse(entry: Entry | undefined, answer: () => void): void {
    if (!entry || entry.writing === 0) answer();
    else if (entry.refused) entry.refused.push(answer);
    else entry.refused = [answer];
  }

  #rest(entry: Entry): void {
    const { refused } = entry;
    entry.refused = undefined;
    for (const answer of refused ?? []) answer();
    const isLive = entry.run !== null && !FINISHED.has(entry.run.status);
    if (!isLive && entry.writing === 0) this.#dismiss(entry);
  }

  #remove(entry: Entry): void {
    entry.isGone = true;
    this.#entries.delete(entry.draft.id);
  }

  #dismiss(entry: Entry): void {
    const { id, concurrency } = entry.draft;
    this.#remove(entry);
    if (!concurrency) return;
    const members = this.#group(concurrency.group);
    members.delete(id);
    if (members.size === 0) this.#groups.delete(concurrency.group);
    else this.#slots.grant(concurrency.group);
  }

  #group(name: string): Set<string> {
    const members = this.#groups.get(name) ?? new Set();
    this.#groups.set(name, members);
    return members;
  }

  *#members(group: string): Iterable<Run> {
    for (const id of this.#groups.get(group) ?? []) {
      const entry = this.#entries.get(id);
      if (entry) yield entry.draft;
    }
  }

  /** Only a start has to know, and only where a taken slot means that there is no run. */
  #withSlot(workflow: Workflow, command: Command): Command {
    if (command.type !== "start" || workflow.concurrency?.on_conflict !== "skip") return command;
    return { ...command, slot_free: (concurrency) => this.#slots.isFree(concurrency) };
  }

  /** Before anything is started: a call that was in flight is not repeated which may not be. */
  #interrupt(entry: Entry): void {
    for (const effect of effects(entry.workflow, entry.draft)) {
      if (effect.kind === "call" && this.#isOnce(entry, effect)) {
        this.#report(entry.draft.id, effect, interrupted(effect.key));
      }
    }
  }

  /** Starts what is wanted and not in flight; stops what is in flight and not wanted. */
  #act(entry: Entry, events?: readonly Event[]): void {
    const { run } = entry;
    if (run === null || !this.acts) return;
    const keys = events && keysIn(events);
    for (const key of keys ?? new Set([...run.open, ...entry.inFlight.keys(), RUN])) {
      this.#actAt(entry, run, key);
    }
  }

  #actAt(entry: Entry, run: Run, key: string): void {
    const { workflow, draft } = entry;
    const wanted = effectsAt(workflow, run, key);
    if (wanted.length > 0) {
      const left = draft === run ? undefined : effectsAt(workflow, draft, key);
      for (const effect of wanted) {
        const isOn = entry.inFlight.get(key)?.some((flight) => isSame(flight.effect, effect));
        // Decided against already, though not durably: it would only be stopped again.
        const isLeft = !left || left.some((other) => isSame(other, effect));
        if (!isOn && isLeft) this.#start(entry, effect);
      }
    }
    for (const flight of entry.inFlight.get(key) ?? NOTHING) {
      if (wanted.some((effect) => isSame(effect, flight.effect))) continue;
      land(entry, key, flight);
      flight.stop();
    }
  }

  #start(entry: Entry, effect: Effect): void {
    const runId = entry.draft.id;
    let ended = false;
    const report = (outcome: Outcome): void => {
      if (ended) return;
      ended = true;
      this.#report(runId, effect, outcome);
    };
    // Kept in `inFlight` after its report: it stays wanted until the report is durable.
    const flight: Flight = { effect, stop: nothing };
    const beside = entry.inFlight.get(effect.key) ?? NOTHING;
    entry.inFlight.set(effect.key, [...beside, flight]);
    flight.stop = this.#perform(entry, effect, report);
  }

  #perform(entry: Entry, effect: Effect, report: (outcome: Outcome) => void): () => void {
    const { ports } = this;
    try {
      switch (effect.kind) {
        case "listen":
          return nothing;
        case "wait":
          return ports.wait(timeOf(effect.until), () => report({ type: "due" }));
        case "slot":
          return this.#slots.wait(entry.draft.id, effect.concurrency);
        case "call":
          return ports.call(effect.call(), report);
        case "run": {
          const { key, attempt } = effect;
          const step = { parent: entry.draft, key, attempt, child: effect.child(), report };
          return this.#children.perform(step);
        }
      }
    } catch (error) {
      report({ type: "failure", error: expressionFailure(error) });
      return nothing;
    }
  }

  #report(runId: string, effect: Effect, outcome: Outcome): void {
    const { key, attempt } = effect;
    const { ports } = this;
    const [at, chance] = [ports.now(), ports.random()];
    this.dispatch({ type: "report", run_id: runId, key, attempt, outcome, at, chance });
  }

  #isOnce(entry: Entry, effect: Effect): boolean {
    return stepOf(entry.workflow, effect.key).delivery === "at_most_once";
  }
}

function stopAll({ inFlight }: Entry): void {
  for (const flights of inFlight.values()) for (const { stop } of flights) stop();
  inFlight.clear();
}

function land({ inFlight }: Entry, key: string, flight: Flight): void {
  const others = inFlight.get(key)?.filter((other) => other !== flight);
  if (others === undefined || others.length === 0) inFlight.delete(key);
  else inFlight.set(key, others);
}

/** What these events are about; undefined: the run as a whole, so everything in it. */
function keysIn(events: readonly Event[]): Iterable<string> | undefined {
  const keys: string[] = [];
  for (const event of events) {
    if ("key" in event) keys.push(event.key);
    else if (event.type !== "signal_received") return undefined;
  }
  return keys.length > FEW ? new Set(keys) : keys.filter((key, i) => !keys.includes(key, i + 1));
}

function interrupted(key: string): Outcome {
  const { stepId } = parseKey(key);
  const message =
    `The host stopped in the middle of step "${stepId}". Its delivery is at_most_once, ` +
    "so it was not performed again; whether it was performed is not known.";
  return { type: "failure", error: { kind: "interrupted", message } };
}

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
import { effectId, effects, effectsAt } from "./effects.js";
import type { Event } from "./event.js";
import { parseKey, RUN } from "./key.js";
import type { Effect, LoopPorts } from "./ports.js";
import { FINISHED, type Run } from "./run.js";
import { Slots } from "./slots.js";
import { stepOf } from "./steps.js";

export type Settled = (result: Run | Refusal) => void;

interface Entry {
  workflow: Workflow;
  /** Durable: what others see. Null until the first decision is. */
  run: Run | null;
  /** As last decided; ahead of `run` while decisions are being written. */
  draft: Run;
  /** Decisions handed to the journal and not yet durable. */
  writing: number;
  /** By the key of an instance, then by effect id: what stops it. */
  inFlight: Map<string, Map<string, () => void>>;
  /** Refusals that rest on a decision which is not durable yet. */
  refused: (() => void)[];
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
    let until = Infinity;
    for (const effect of effects(entry.workflow, run)) {
      if (effect.kind === "wait") until = Math.min(until, Date.parse(effect.until));
      else if (effect.kind !== "listen") return undefined;
    }
    if (until < soon) return undefined;
    stopAll(entry);
    this.#entries.delete(run.id);
    return until === Infinity ? null : until;
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
    entry.draft = decided.run;
    entry.writing += 1;
    this.ports.append(decided.decision, (seq) => {
      entry.writing -= 1;
      const run = { ...decided.run, seq };
      entry.run = run;
      if (entry.draft === decided.run) entry.draft = run;
      this.ports.published(run, decided.decision.events);
      this.#act(entry, decided.decision.events);
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
    const fresh = { inFlight: new Map<string, Map<string, () => void>>(), refused: [] };
    const entry: Entry = { workflow, run, draft, writing: 0, ...fresh };
    this.#entries.set(draft.id, entry);
    if (draft.concurrency) this.#group(draft.concurrency.group).add(draft.id);
    return entry;
  }

  /** A refusal may rest on a decision that a power cut could still undo: it waits for it. */
  #refuse(entry: Entry | undefined, answer: () => void): void {
    if (entry && entry.writing > 0) entry.refused.push(answer);
    else answer();
  }

  #rest(entry: Entry): void {
    for (const answer of entry.refused.splice(0)) answer();
    const isLive = entry.run !== null && !FINISHED.has(entry.run.status);
    if (!isLive && entry.writing === 0) this.#dismiss(entry.draft);
  }

  #dismiss({ id, concurrency }: Run): void {
    this.#entries.delete(id);
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
      const left = draft === run ? undefined : effectsAt(workflow, draft, key).map(effectId);
      for (const effect of wanted) {
        const id = effectId(effect);
        if (entry.inFlight.get(key)?.has(id)) continue;
        // Decided against already, though not durably: it would only be stopped again.
        if (left === undefined || left.includes(id)) this.#start(entry, id, effect);
      }
    }
    const stops = entry.inFlight.get(key);
    if (!stops) return;
    const ids = wanted.map(effectId);
    for (const [id, stop] of stops) {
      if (ids.includes(id)) continue;
      this.#landed(entry, key, id);
      stop();
    }
  }

  #landed({ inFlight }: Entry, key: string, id: string): void {
    const stops = inFlight.get(key);
    stops?.delete(id);
    if (stops?.size === 0) inFlight.delete(key);
  }

  #start(entry: Entry, id: string, effect: Effect): void {
    const runId = entry.draft.id;
    let ended = false;
    const report = (outcome: Outcome): void => {
      if (ended) return;
      ended = true;
      this.#report(runId, effect, outcome);
    };
    // Kept in `inFlight` after its report: it stays wanted until the report is durable.
    const stops = entry.inFlight.get(effect.key) ?? new Map<string, () => void>();
    entry.inFlight.set(
      effect.key,
      stops.set(id, () => {}),
    );
    const stop = this.#perform(entry, effect, report);
    if (stops.has(id)) stops.set(id, stop);
  }

  #perform(entry: Entry, effect: Effect, report: (outcome: Outcome) => void): () => void {
    const { ports } = this;
    try {
      switch (effect.kind) {
        case "listen":
          return () => {};
        case "wait":
          return ports.wait(Date.parse(effect.until), () => report({ type: "due" }));
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
      return () => {};
    }
  }

  #report(runId: string, effect: Effect, outcome: Outcome): void {
    const { key, attempt } = effect;
    const { ports } = this;
    const stamp = { at: ports.now(), chance: ports.random() };
    this.dispatch({ type: "report", run_id: runId, key, attempt, outcome, ...stamp });
  }

  #isOnce(entry: Entry, effect: Effect): boolean {
    return stepOf(entry.workflow, effect.key).delivery === "at_most_once";
  }
}

function stopAll({ inFlight }: Entry): void {
  for (const stops of inFlight.values()) for (const stop of stops.values()) stop();
  inFlight.clear();
}

/** What these events are about; undefined: the run as a whole, so everything in it. */
function keysIn(events: readonly Event[]): Set<string> | undefined {
  const keys = new Set<string>();
  for (const event of events) {
    if ("key" in event) keys.add(event.key);
    else if (event.type !== "signal_received") return undefined;
  }
  return keys;
}

function interrupted(key: string): Outcome {
  const { stepId } = parseKey(key);
  const message =
    `The host stopped in the middle of step "${stepId}". Its delivery is at_most_once, ` +
    "so it was not performed again; whether it was performed is not known.";
  return { type: "failure", error: { kind: "interrupted", message } };
}

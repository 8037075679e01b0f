// The loop that never varies: decide, write, evolve, act. It drives all live runs over a host's
// ports.
//
// What it promises:
// 1. A command is answered only after its decision is durable.
// 2. An effect is started only after the decision that asks for it is durable.
// 3. Commands of one run are decided in order, each on what the one before it decided; they need
//    not wait for each other's writes, so that a busy run shares its commits.
// 4. After a crash, folding the journal and calling `recover` for each unfinished run is all.

import type { Workflow } from "../flow/workflow.js";
import { expressionFailure } from "./advance.js";
import { type Command, isRefusal, type Outcome, type Refusal } from "./command.js";
import { decide } from "./decide.js";
import { effectId, effects } from "./effects.js";
import { parseKey } from "./key.js";
import type { Effect, LoopPorts } from "./ports.js";
import { FINISHED, type Run } from "./run.js";
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
  /** By effect id: what stops it. */
  inFlight: Map<string, () => void>;
  /** Refusals that rest on a decision which is not durable yet. */
  refused: (() => void)[];
}

export class Loop {
  readonly #entries = new Map<string, Entry>();

  constructor(readonly ports: LoopPorts) {}

  /** Live runs: not finished, or not yet durably so. */
  get size(): number {
    return this.#entries.size;
  }

  /** Takes over an unfinished run that was read from the journal, and drives it on. */
  recover(run: Run): void {
    const entry = this.#admit(run, this.#workflow(run.workflow_version));
    // Before anything is started, so that a call is not repeated which may not be.
    for (const effect of effects(entry.workflow, run)) {
      if (effect.kind === "call" && this.#isOnce(entry, effect)) {
        this.#report(run.id, effect, interrupted(effect.key));
      }
    }
    this.#act(entry);
  }

  /** Takes an unfinished run over for commands alone: nothing is started for it. */
  hold(run: Run): void {
    this.#admit(run, this.#workflow(run.workflow_version));
  }

  /** The durable state of a live run. */
  get(runId: string): Run | undefined {
    return this.#entries.get(runId)?.run ?? undefined;
  }

  /** `stored`: the run, when it is finished and so no longer live; a retry revives it. */
  dispatch(command: Command, settled: Settled = () => {}, stored?: Run): void {
    const known = this.#entries.get(command.run_id);
    if (!known && !stored && command.type !== "start") {
      settled({ refused: "unknown_run", message: `There is no live run ${command.run_id}.` });
      return;
    }
    const before = known?.draft ?? stored ?? null;
    const version = command.type === "start" ? command.workflow_version : before?.workflow_version;
    const workflow = known?.workflow ?? this.#workflow(version ?? "");
    const decided = decide(workflow, before, command);
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
      this.#act(entry);
      settled(run);
      if (entry.writing === 0) this.#rest(entry);
    });
  }

  /** Stops all effects without deciding anything: the host is going down. */
  stop(): void {
    for (const entry of this.#entries.values()) {
      for (const stop of entry.inFlight.values()) stop();
      entry.inFlight.clear();
    }
  }

  #workflow(version: string): Workflow {
    const workflow = this.ports.workflow(version);
    if (!workflow) throw new Error(`the host lost workflow version ${version}`);
    return workflow;
  }

  #admit(draft: Run, workflow: Workflow, run: Run | null = draft): Entry {
    const fresh = { inFlight: new Map<string, () => void>(), refused: [] };
    const entry: Entry = { workflow, run, draft, writing: 0, ...fresh };
    this.#entries.set(draft.id, entry);
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
    if (!isLive && entry.writing === 0) this.#entries.delete(entry.draft.id);
  }

  /** Starts what is wanted and not in flight; stops what is in flight and not wanted. */
  #act(entry: Entry): void {
    if (entry.run === null) return;
    const wanted = effects(entry.workflow, entry.run);
    const stillWanted = entry.draft === entry.run ? null : this.#ids(entry);
    const ids = new Set<string>();
    for (const effect of wanted) {
      const id = effectId(effect);
      // Decided against already, though not durably: it would only be stopped again.
      if (stillWanted && !stillWanted.has(id) && !entry.inFlight.has(id)) continue;
      ids.add(id);
      if (!entry.inFlight.has(id)) this.#start(entry, id, effect);
    }
    for (const [id, stop] of entry.inFlight) {
      if (ids.has(id)) continue;
      entry.inFlight.delete(id);
      stop();
    }
  }

  #ids(entry: Entry): Set<string> {
    return new Set(effects(entry.workflow, entry.draft).map(effectId));
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
    entry.inFlight.set(id, () => {});
    const stop = this.#perform(effect, report);
    if (entry.inFlight.has(id)) entry.inFlight.set(id, stop);
  }

  #perform(effect: Effect, report: (outcome: Outcome) => void): () => void {
    if (effect.kind === "listen") return () => {};
    if (effect.kind === "wait") {
      return this.ports.wait(Date.parse(effect.until), () => report({ type: "due" }));
    }
    try {
      return this.ports.call(effect.call(), report);
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

function interrupted(key: string): Outcome {
  const { stepId } = parseKey(key);
  const message =
    `The host stopped in the middle of step "${stepId}". Its delivery is at_most_once, ` +
    "so it was not performed again; whether it was performed is not known.";
  return { type: "failure", error: { kind: "interrupted", message } };
}

// Runs that other runs start: each is started once, its end is reported, and it does not outlive a
// parent that waited for it and was cut off.

import type { JsonObject } from "../flow/json.js";
import { MAX_CHILD_DEPTH } from "../limits.js";
import { type Command, isRefusal, type Outcome, type Refusal } from "./command.js";
import type { Child, LoopPorts } from "./ports.js";
import { FINISHED, type Run } from "./run.js";

type Dispatch = (command: Command, settled?: (result: Run | Refusal) => void, stored?: Run) => void;

type Report = (outcome: Outcome) => void;

/** One performing of a workflow step. */
interface Performing {
  parent: Run;
  key: string;
  attempt: number;
  child: Child;
  report: Report;
}

export class Children {
  /** By the child's id: who waits for its end. */
  readonly #awaited = new Map<string, (run: Run) => void>();
  #stopping = false;

  constructor(
    readonly ports: LoopPorts,
    readonly dispatch: Dispatch,
    readonly isLive: (runId: string) => boolean,
  ) {}

  /** The answer stops it: a child that was waited for is cancelled. */
  perform(step: Performing): () => void {
    const { run_id, awaited } = step.child;
    const ended = (run: Run): void => {
      this.#awaited.delete(run_id);
      step.report(outcomeOf(run));
    };
    if (awaited) this.#awaited.set(run_id, ended);
    let stopped = false;
    if (this.isLive(run_id)) this.#started(step);
    else {
      this.ports.stored(run_id, (run) => {
        if (!stopped) this.#startOrGoOn(step, run);
      });
    }
    return () => {
      stopped = true;
      if (this.#stopping || this.#awaited.get(run_id) !== ended) return;
      this.#awaited.delete(run_id);
      this.#cancel(run_id, `Run ${step.parent.id} no longer waits for it.`);
    };
  }

  /** A run has durably ended. */
  ended(run: Run): void {
    this.#awaited.get(run.id)?.(run);
  }

  /** After a crash: a child whose parent was cut off, though it was not told any more. */
  cancelOrphan(run: Run): void {
    const { type, awaited, run_id } = run.trigger;
    if (type !== "workflow" || awaited !== true || this.#awaited.has(run.id)) return;
    this.#cancel(run.id, `Run ${run_id} no longer waits for it.`);
  }

  /** The host is going down: what is stopped from now on goes on in its next life. */
  stop(): void {
    this.#stopping = true;
  }

  #startOrGoOn(step: Performing, run: Run | undefined): void {
    if (!run) this.#start(step);
    else if (!FINISHED.has(run.status)) this.#started(step);
    else if (run.status === "completed" || step.attempt === 1) this.#foundEnded(step, run);
    else {
      const retry = { type: "retry", run_id: run.id, at: this.ports.now() } as const;
      this.dispatch(retry, (result) => this.#settled(step, result), run);
    }
  }

  #foundEnded(step: Performing, run: Run): void {
    if (step.child.awaited) this.ended(run);
    else this.#started(step);
  }

  #start(step: Performing): void {
    const { child, parent, key } = step;
    const depth = Number(parent.trigger.depth ?? 0) + 1;
    const workflow_version = this.ports.current(child.workflow_id);
    if (workflow_version === undefined) {
      step.report(failure(`There is no workflow "${child.workflow_id}".`));
    } else if (depth > MAX_CHILD_DEPTH) {
      step.report(failure(`Runs start each other more than ${MAX_CHILD_DEPTH} levels deep.`));
    } else {
      const { run_id, context, awaited } = child;
      const trigger = { type: "workflow", run_id: parent.id, key, awaited, depth } as const;
      const command = { type: "start", run_id, workflow_version, context, trigger } as const;
      this.dispatch({ ...command, at: this.ports.now() }, (result) => this.#settled(step, result));
    }
  }

  #settled(step: Performing, result: Run | Refusal): void {
    if (!isRefusal(result) || result.refused === "already_started") {
      this.#started(step);
      return;
    }
    this.#awaited.delete(step.child.run_id);
    const details = (result.details ?? []).map(({ path, message }) => ` ${path} ${message};`);
    step.report(failure(`${result.message}${details.join("")}`));
  }

  #started({ child, report }: Performing): void {
    if (!child.awaited) report({ type: "output", output: { run_id: child.run_id, output: null } });
  }

  #cancel(run_id: string, reason: string): void {
    this.dispatch({ type: "cancel", run_id, at: this.ports.now(), reason });
  }
}

function outcomeOf(run: Run): Outcome {
  if (run.status === "completed") {
    const output: JsonObject = { run_id: run.id, output: run.output };
    return { type: "output", output };
  }
  const why = run.error ? `: ${run.error.message}` : ".";
  return failure(`Run ${run.id} of workflow "${run.workflow_id}" is ${run.status}${why}`);
}

function failure(message: string): Outcome {
  return { type: "failure", error: { kind: "workflow", message } };
}

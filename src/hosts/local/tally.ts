// Counts what runs, steps and triggers came to: by words that are few, never by run.

import { isRefusal, type Outcome, type Refusal } from "../../engine/command.js";
import type { Event } from "../../engine/event.js";
import { Counts, type Figures, Histogram } from "../../engine/figures.js";
import type { Call } from "../../engine/ports.js";
import type { Run } from "../../engine/run.js";
import type { Triggered, TriggerRequest } from "../../engine/runner.js";
import { stepOf } from "../../engine/steps.js";
import type { Workflow } from "../../flow/workflow.js";

/** s: from a local step to one that waits for its time-out. */
const ATTEMPT_BOUNDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** The events that end something, and what that is called. */
const RUN_ENDS: { readonly [type: string]: string } = {
  run_completed: "completed",
  run_failed: "failed",
  run_cancelled: "cancelled",
};
const STEP_ENDS: { readonly [type: string]: string } = {
  step_completed: "completed",
  step_failed: "failed",
  step_skipped: "skipped",
  step_cancelled: "cancelled",
};
const OTHER = "other";

export class Tally {
  readonly #runs = new Counts(["workflow_id", "status"]);
  readonly #steps = new Counts(["step_type", "outcome"]);
  readonly #triggers = new Counts(["trigger", "outcome"]);
  readonly #attempts = new Histogram(ATTEMPT_BOUNDS);

  constructor(
    readonly workflows: { current(id: string): unknown },
    readonly versions: ReadonlyMap<string, Workflow>,
  ) {}

  /** What a run's decision says, once it is durable. */
  published(run: Run, events: readonly Event[]): void {
    for (const event of events) {
      if (event.type === "run_created") {
        this.#triggers.add(event.trigger.type, "accepted");
      }
      const status = RUN_ENDS[event.type];
      if (status !== undefined) this.#runs.add(run.workflow_id, status);
      const outcome = STEP_ENDS[event.type];
      if (outcome === undefined || !("key" in event)) continue;
      const workflow = this.versions.get(run.workflow_version);
      this.#steps.add(workflow ? stepOf(workflow, event.key).type : OTHER, outcome);
    }
  }

  /** What a trigger was answered, where no run came of it: one that did is published. */
  answered({ trigger }: TriggerRequest, answer: Triggered | Refusal): void {
    const type = trigger?.type ?? "manual";
    if (isRefusal(answer)) this.#triggers.add(type, answer.refused);
    else if (!answer.created) this.#triggers.add(type, "repeated");
  }

  /** A call of a connector is over, after so many ms; without an outcome it was stopped. */
  called({ type: step_type }: Call, outcome: Outcome | undefined, ms: number): void {
    this.#attempts.observe({ step_type, outcome: outcomeOf(outcome) }, ms / 1_000);
  }

  figures(): Pick<Figures, "runs_ended" | "steps_ended" | "attempts" | "triggers"> {
    this.#forget();
    return {
      runs_ended: this.#runs.all(),
      steps_ended: this.#steps.all(),
      attempts: this.#attempts,
      triggers: this.#triggers.all(),
    };
  }

  /** Files come and go for as long as a server runs; what has gone is counted together. */
  #forget(): void {
    for (const { labels, value } of this.#runs.all()) {
      const { workflow_id = OTHER, status = "" } = labels;
      if (workflow_id === OTHER || this.workflows.current(workflow_id)) continue;
      this.#runs.remove(workflow_id);
      this.#runs.add(OTHER, status, value);
    }
  }
}

function outcomeOf(outcome: Outcome | undefined): string {
  if (outcome === undefined) return "stopped";
  return outcome.type === "failure" ? "failed" : "completed";
}

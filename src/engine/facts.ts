// What a rehearsal shows, as the expectations of a test ask for it.

import { instancesIn, parseKey } from "./key.js";
import type { Given, Rehearsal, Traced } from "./rehearse.js";
import type { StepState } from "./run.js";

export class Facts {
  /** The tested run's own steps that began, in order. */
  readonly path: string[] = [];
  /** ms from the start of the tested run to the last thing that happened to it. */
  readonly elapsed: number;
  /** By prefix and key: how often it was tried. */
  readonly #tried = new Map<string, { prefix: string; key: string; times: number }>();

  constructor(readonly rehearsal: Rehearsal) {
    const own = rehearsal.trace.filter(({ prefix }) => prefix === "");
    this.elapsed = own.at(-1)?.after_ms ?? 0;
    for (const { prefix, event } of rehearsal.trace) this.#see(prefix, event);
  }

  #see(prefix: string, event: Traced["event"]): void {
    if (!("key" in event)) return;
    const { type, key } = event;
    const tried = this.#tried.get(prefix + key);
    // Some steps begin and end at once: they have no start of their own.
    const isWhole = (type === "step_completed" || type === "step_failed") && tried === undefined;
    if (type !== "step_started" && !isWhole) return;
    if (tried === undefined && prefix === "") this.path.push(parseKey(key).stepId);
    this.#tried.set(prefix + key, { prefix, key, times: (tried?.times ?? 0) + 1 });
  }

  /** All items and iterations of the step together. */
  attempts(address: string): number {
    let sum = 0;
    for (const { prefix, key, times } of this.#tried.values()) {
      if (isAt(address, prefix, key)) sum += times;
    }
    return sum;
  }

  /** Those of the runs' documents: of a loop, the last pass. */
  instances(address: string): StepState[] {
    const found: StepState[] = [];
    for (const { prefix, run } of this.rehearsal.runs) {
      for (const { key, state } of instancesIn(run, "")) {
        if (isAt(address, prefix, key)) found.push(state);
      }
    }
    return found;
  }

  calls(address: string): Given[] {
    return this.rehearsal.calls.filter(({ prefix, key }) => isAt(address, prefix, key));
  }
}

/** An address names an instance by its key, or all instances of a step by its id. */
function isAt(address: string, prefix: string, key: string): boolean {
  return address === prefix + key || address === prefix + parseKey(key).stepId;
}

// A decision in the making: emits events and folds each at once, so that rules see what they did.

import type { Step, Workflow } from "../flow/workflow.js";
import type { Decision, Event } from "./event.js";
import { evolve } from "./evolve.js";
import { OwnOfDecision } from "./key.js";
import type { Run } from "./run.js";
import { stepOf } from "./steps.js";
import { isoTime } from "./time.js";

/** An event without its time; the draft stamps all events of one command alike. */
export type Fact = Event extends infer E ? (E extends Event ? Omit<E, "at"> : never) : never;

export class Draft {
  readonly events: Event[] = [];
  /** What is to happen next, in order: an instance begins, or a body has come to its end. */
  readonly next: ({ begin: string } | { end: string })[] = [];
  /** ISO, of the command. */
  readonly at: string;
  #run: Run | null;
  readonly #own = new OwnOfDecision();

  constructor(
    readonly workflow: Workflow,
    run: Run | null,
    readonly now: number,
  ) {
    this.#run = run;
    this.at = isoTime(now);
  }

  get run(): Run {
    if (this.#run === null) throw new Error("a draft has no run before run_created");
    return this.#run;
  }

  step(key: string): Step {
    return stepOf(this.workflow, key);
  }

  /**
   * Takes the fact as its own. An event that changes nothing would be a mistake in the rules: it is
   * refused loudly.
   */
  emit(fact: Fact): void {
    const event = fact as Event;
    event.at = this.at;
    const next = evolve(this.#run, event, this.#own);
    if (next === this.#run) {
      throw new Error(`${event.type} changes nothing in ${next.id} (${next.status})`);
    }
    this.events.push(event);
    this.#run = next;
  }

  decision(): Decision {
    return { run_id: this.run.id, events: this.events };
  }
}

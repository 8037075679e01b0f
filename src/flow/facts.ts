// What is known to have happened when a step begins: on every way that leads there.

import type { BodyModel, StepModel } from "./model.js";
import { stepsOf } from "./model.js";

export interface Known {
  /** The step has been reached: it has a status. */
  visited(step: StepModel): boolean;
  /** And it has not failed: it has an output, or was skipped. */
  done(step: StepModel): boolean;
  /** Something has failed: there is an `error`. */
  failed(): boolean;
}

/** Nothing is ever forgotten on a way, so what a way adds does not depend on where it began. */
export class Facts {
  readonly #index = new Map<StepModel, number>();
  readonly #words: number;
  readonly #before = new Map<StepModel, Uint32Array>();
  /** By the node of the body: what is known at its end, beyond what was at its start. */
  readonly #ends = new Map<BodyModel, Uint32Array>();

  constructor(body: BodyModel) {
    for (const step of stepsOf(body)) {
      this.#index.set(step, this.#index.size);
    }
    this.#words = Math.ceil((2 * this.#index.size + 1) / 32);
    this.#solve(body, new Uint32Array(this.#words));
  }

  before(step: StepModel): Known {
    return this.#known(this.#before.get(step) ?? this.#everything());
  }

  atEnd(body: BodyModel): Known {
    return this.#known(this.#ends.get(body) ?? this.#everything());
  }

  #known(facts: Uint32Array): Known {
    const has = (bit: number) => ((facts[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0;
    return {
      visited: (step) => has(2 * (this.#index.get(step) ?? 0)),
      done: (step) => has(2 * (this.#index.get(step) ?? 0) + 1),
      failed: () => has(2 * this.#index.size),
    };
  }

  /** Inner bodies first: what a parallel's branches add is known behind it. */
  #solve(body: BodyModel, start: Uint32Array): void {
    const added = new Map<StepModel, Uint32Array>();
    for (const step of body.steps) {
      added.set(step, this.#added(step));
    }
    this.#flow(body, start, added);
    for (const step of body.steps) {
      for (const inner of step.bodies) {
        this.#solve(inner, this.#before.get(step) ?? this.#everything());
      }
    }
  }

  /** What is known behind a step that did not fail, beyond what was before it. */
  #added(step: StepModel): Uint32Array {
    const facts = new Uint32Array(this.#words);
    const index = this.#index.get(step) ?? 0;
    set(facts, 2 * index);
    set(facts, 2 * index + 1);
    if (step.type === "parallel") {
      for (const inner of step.bodies) {
        this.#solve(inner, new Uint32Array(this.#words));
        unite(facts, this.#ends.get(inner) ?? new Uint32Array(this.#words));
      }
    }
    return facts;
  }

  #flow(body: BodyModel, start: Uint32Array, added: ReadonlyMap<StepModel, Uint32Array>): void {
    for (const step of body.steps) {
      this.#before.delete(step);
    }
    const end = this.#everything();
    const open: StepModel[] = [];
    const reach = (to: string | null, facts: Uint32Array) => {
      const step = body.byId.get(to ?? "");
      if (step === undefined) {
        intersect(end, facts);
        return;
      }
      const before = this.#before.get(step);
      if (before === undefined) {
        this.#before.set(step, facts.slice());
        open.push(step);
      } else if (intersect(before, facts)) {
        open.push(step);
      }
    };
    if (body.entry !== undefined) {
      reach(body.entry.id, start);
      if (body.onError !== undefined) {
        // All that is known of a failure anywhere: the first step had begun.
        reach(body.onError.to, this.#afterFailure(start, body.entry));
      }
    }
    while (open.length > 0) {
      const step = open.shift() as StepModel;
      const before = this.#before.get(step) as Uint32Array;
      const after = before.slice();
      unite(after, added.get(step) as Uint32Array);
      for (const { kind, to } of step.edges) {
        reach(to, kind === "on_error" ? this.#afterFailure(before, step) : after);
      }
    }
    this.#ends.set(body, end);
  }

  #afterFailure(before: Uint32Array, step: StepModel): Uint32Array {
    const facts = before.slice();
    set(facts, 2 * (this.#index.get(step) ?? 0));
    set(facts, 2 * this.#index.size);
    return facts;
  }

  #everything(): Uint32Array {
    return new Uint32Array(this.#words).fill(0xffffffff);
  }
}

function set(facts: Uint32Array, bit: number): void {
  facts[bit >>> 5] = (facts[bit >>> 5] ?? 0) | (1 << (bit & 31));
}

function unite(facts: Uint32Array, more: Uint32Array): void {
  for (let word = 0; word < facts.length; word += 1) {
    facts[word] = (facts[word] ?? 0) | (more[word] ?? 0);
  }
}

/** True: something is no longer known. */
function intersect(facts: Uint32Array, other: Uint32Array): boolean {
  let changed = false;
  for (let word = 0; word < facts.length; word += 1) {
    const both = ((facts[word] ?? 0) & (other[word] ?? 0)) >>> 0;
    changed ||= both !== facts[word];
    facts[word] = both;
  }
  return changed;
}

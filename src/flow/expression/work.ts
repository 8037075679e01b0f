// The budget of one evaluation: CEL has no loops, but lists of lists of lists come near.

import { MAX_EXPRESSION_WORK } from "../../limits.js";

/** Thrown when the budget is spent. Not an error of CEL's own: `||` and `all` absorb those. */
export class WorkSpent extends Error {}

let left = 0;

/** Evaluation is synchronous and never inside another one, so that one counter is enough. */
export function startWork(): void {
  left = MAX_EXPRESSION_WORK;
}

export function charge(units: number): void {
  left -= units;
  if (left < 0) {
    throw new WorkSpent();
  }
}

/** Has an absorbed error hidden that the budget was spent? */
export function isWorkSpent(): boolean {
  return left < 0;
}

/** Characters and elements are cheap next to a visit by an expression. */
export function chargeSize(value: unknown): void {
  if (typeof value === "string" || Array.isArray(value)) {
    charge(value.length >> 4);
  }
}

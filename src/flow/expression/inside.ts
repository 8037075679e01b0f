// What the library keeps on its nodes beyond what its types say. Its version is pinned exactly.

import type { Node } from "./tree.js";

export interface Inside {
  op: string;
  args: unknown;
  meta: Meta;
  left: Inside;
  right: Inside;
  checkedType: unknown;
  candidates: Candidates;
  handle(...values: unknown[]): unknown;
  setMeta(key: string, value: unknown): Inside;
}

export interface Meta {
  check: Check;
  alternate?: Inside & { args: ComprehensionArgs };
  macro?: Macro;
}

export interface ComprehensionArgs {
  iterable: Inside;
  step: Inside;
  iterCtx?: KeptScope;
}

export interface KeptScope {
  reuse(parent: null): unknown;
  iterValue: unknown;
  accuValue: unknown;
}

export interface Macro {
  bindCtx?: KeptScope;
  typeCheck: Check | ((checker: Checker, macro: unknown, scope: unknown) => unknown);
  evaluate: (evaluator: Evaluator, macro: unknown, scope: unknown) => unknown;
}

/** The overloads of a function, by the number of arguments. */
export interface Candidates {
  findFunction(types: readonly unknown[], receiver?: unknown): Overload | null;
}

export interface Overload {
  handler(...values: unknown[]): unknown;
}

export interface Checker {
  dynType: unknown;
  boolType: unknown;
  check(node: Inside, scope: unknown): unknown;
  createError(code: string, message: string, node: unknown): Error;
}

export interface Evaluator {
  /** By the value alone, without a look at what is in it. */
  debugType(value: unknown): unknown;
  run(node: Inside, scope: unknown): unknown;
  createError(code: string, message: string, node: unknown): Error;
}

export type Check = (checker: Checker, node: Inside, scope: unknown) => unknown;

/** The library keeps more on its nodes than its types say. */
export function inside(node: Node): Inside {
  return node as unknown as Inside;
}

export type Evaluate = (evaluator: Evaluator, node: Inside, scope: unknown) => unknown;

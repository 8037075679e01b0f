// What a check of an expression says: findings with offsets, reads, and the error of a bad moment.

import type { Kind } from "../diagnostic.js";
import type { Type } from "./types.js";

export type FindingKind = Extract<
  Kind,
  "expression" | "expression-type" | "constant-condition" | "regex" | "cost"
>;

/** A diagnostic that does not know its file yet. */
export interface Finding {
  /** Offsets in the decoded text, in UTF-16 code units; the end is exclusive. */
  start: number;
  end: number;
  kind: FindingKind;
  severity: "error" | "warning";
  message: string;
  suggestion?: string;
}

/** One mention of a root: `steps.fetch.output.body` is root `steps`, path `fetch output body`. */
export interface Reference {
  /** `context`, `steps`, `secrets`, …, or a foreach's item variable. */
  root: string;
  /**
   * Names below the root, as far as they are written literally: a step's id or a secret's name
   * comes first. An index is written as its digits.
   */
  path: string[];
  /** Offsets in the decoded text. */
  start: number;
  end: number;
  /**
   * Evaluated only where it is known to be there (`has(…)`, or another read of the same step, in a
   * `&&` or a ternary before it), or absent without an error (`.?`, `has(…)` itself).
   */
  guarded: boolean;
}

export interface Checked {
  type: Type;
  /** By position. */
  findings: Finding[];
  reads: Reference[];
}

export type ExpressionErrorKind =
  | "syntax" // it was never checked: what a check would have said
  | "missing" // a name, a key or an index that is not there
  | "type" // a value of a type that the operator or function does not take
  | "value" // a value it does not take: a bad date, a bad number, a division by zero
  | "overflow" // beyond what a number in JSON holds exactly
  | "regex"
  | "cost"
  | "secret"; // a secret where none may be

/** An expression that could not be evaluated. The message names the expression. */
export class ExpressionError extends Error {
  constructor(
    readonly kind: ExpressionErrorKind,
    message: string,
    /** The text it was found in, as it was given. */
    readonly text: string,
    /** Offsets in that text. */
    readonly start: number,
    readonly end: number,
  ) {
    super(message);
    this.name = "ExpressionError";
  }
}

// From an error while an expression ran to a sentence about it.

import { TypeError as CelTypeError, EvaluationError, ParseError } from "@marcbachmann/cel-js";
import { MAX_EXPRESSION_WORK } from "../../limits.js";
import { OWN_PREFIX } from "./cel.js";
import type { ExpressionErrorKind } from "./finding.js";
import { NoJsonError } from "./json-value.js";
import { isAccess, type Node } from "./tree.js";
import { isWorkSpent, WorkSpent } from "./work.js";

/** What went wrong, with offsets in the expression. */
export interface Mishap {
  kind: ExpressionErrorKind;
  message: string;
  start: number;
  end: number;
}

export class MishapError extends Error {
  constructor(readonly mishap: Mishap) {
    super(mishap.message);
  }
}

export function mishapOf(error: unknown, tree: Node): Mishap {
  const { start, end } = tree;
  if (error instanceof WorkSpent || isWorkSpent()) {
    const units = MAX_EXPRESSION_WORK.toLocaleString("en-US");
    return { kind: "cost", message: `it takes more than ${units} units of work`, start, end };
  }
  if (error instanceof NoJsonError) {
    return { kind: error.kind, message: error.message, start, end };
  }
  if (isCelError(error)) {
    const place = placeOf(error, tree);
    return { ...wordsOf(error, tree), ...place };
  }
  if (error instanceof SyntaxError) {
    return { kind: "value", message: "json() was given no JSON", start, end };
  }
  if (error instanceof RangeError) {
    return { kind: "cost", message: "a value is nested too deep", start, end };
  }
  if (error instanceof TypeError) {
    // JavaScript's own: an object cannot be made a string to look a key up, or to be shown.
    return { kind: "type", message: "a value is of a type that does not fit", start, end };
  }
  throw error;
}

type CelError = EvaluationError | ParseError | CelTypeError;

function isCelError(error: unknown): error is CelError {
  return (
    error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError
  );
}

function placeOf({ node, range }: CelError, tree: Node): { start: number; end: number } {
  const start = node?.start ?? range?.start ?? tree.start;
  const end = node?.end ?? range?.end ?? tree.end;
  return { start, end };
}

function wordsOf(error: CelError, tree: Node): Pick<Mishap, "kind" | "message"> {
  const { code, summary } = error;
  const kind = KINDS[code] ?? "type";
  switch (code) {
    case "no_such_key":
      return { kind, message: missingKey(error, tree) };
    case "unknown_variable":
      return { kind, message: summary.replace(/^Unknown variable: (.*)$/, '"$1" is not there') };
    case "bool_conversion_error":
      return { kind, message: 'bool() was given neither "true" nor "false"' };
    case "int_conversion_error":
    case "uint_conversion_error":
    case "double_conversion_error":
      return { kind, message: `${code.replace(/_.*/, "")}() was given a string that is no number` };
    case "index_out_of_bounds":
      return { kind, message: summary.replace(/^No such key: index out of bounds, /, "") };
    default:
      return { kind, message: inWords(summary.charAt(0).toLowerCase() + summary.slice(1)) };
  }
}

const KINDS: { readonly [code: string]: ExpressionErrorKind } = {
  no_such_key: "missing",
  unknown_variable: "missing",
  index_out_of_bounds: "missing",
  index_out_of_range: "missing",
  optional_value_missing: "missing",
  numeric_overflow: "overflow",
  division_by_zero: "value",
  modulo_by_zero: "value",
  bool_conversion_error: "value",
  double_conversion_error: "value",
  int_conversion_error: "value",
  uint_conversion_error: "value",
  invalid_duration: "value",
  invalid_timestamp: "value",
  invalid_time: "value",
  invalid_key: "value",
  invalid_regular_expression: "regex",
  limit_exceeded: "cost",
};

function missingKey({ node, summary }: CelError, tree: Node): string {
  const key = summary.replace(/^No such key: /, "");
  const access = node as Node | undefined;
  if (access?.input === undefined || access.op === undefined || !isAccess(access)) {
    return `"${key}" is missing`;
  }
  const { start, end } = access.args[0];
  return `${tree.input.slice(start, end)} has no "${key}"`;
}

/** The library's names of types are those of protocol buffers. */
function inWords(text: string): string {
  return text
    .replaceAll("google.protobuf.", "")
    .replaceAll(new RegExp(`\\b${OWN_PREFIX}(?=[a-z])`, "g"), "")
    .replaceAll(/\bdyn<([^<>]*)>/g, "$1")
    .replaceAll(/\b(?:int|double|uint)\b/g, "number")
    .replaceAll(/\bbool\b/g, "boolean")
    .replaceAll(/\bmap<[^<>]*>/g, "object")
    .replaceAll(/\bTimestamp\b/g, "timestamp")
    .replaceAll(/\bDuration\b/g, "duration")
    .replaceAll(/\bdyn\b/g, "any value");
}

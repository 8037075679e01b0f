// The environment that expressions are parsed and run in: CEL, over plain JSON, without its traps.

import {
  Environment,
  EvaluationError,
  type ParseResult,
  type RegisteredFunctionHandler,
} from "@marcbachmann/cel-js";
import { type Duration, UnsignedInt } from "@marcbachmann/cel-js/evaluator";
import { MAX_LITERAL_ENTRIES } from "../../limits.js";
import * as calendar from "./calendar.js";
import { matchesPattern, PatternError } from "./pattern.js";
import { charge } from "./work.js";

export { Duration } from "@marcbachmann/cel-js/evaluator";
export { UnsignedInt };

/** Throws the library's own error when the text is no expression. */
export function parseCel(text: string): ParseResult {
  return environment.parse(text);
}

/**
 * Functions of CEL that the library has with a flaw are called by another name in the parsed tree.
 * No expression can spell a name that starts with a digit.
 */
export const OWN_PREFIX = "2";

const TIMESTAMP = "google.protobuf.Timestamp";
const DURATION = "google.protobuf.Duration";

const environment = makeEnvironment();

function makeEnvironment(): Environment {
  const made = new Environment({
    unlistedVariablesAreDyn: true,
    homogeneousAggregateLiterals: false,
    enableOptionalTypes: true,
    limits: { maxListElements: MAX_LITERAL_ENTRIES, maxMapEntries: MAX_LITERAL_ENTRIES },
  });
  addOwn(made);
  addForJsonNumbers(made);
  return made;
}

type Handler = RegisteredFunctionHandler;

function add(made: Environment, signature: string, handler: Handler): void {
  const guarded: Handler = (...values: unknown[]) => {
    try {
      return handler(...values);
    } catch (error) {
      throw asCelError(error);
    }
  };
  made.registerFunction(signature, guarded, { async: false });
}

/** The library gives its own errors the place they came from. */
function asCelError(error: unknown): unknown {
  const code =
    error instanceof PatternError
      ? "invalid_regular_expression"
      : error instanceof calendar.TimeError
        ? "invalid_time"
        : error instanceof IndexError
          ? "index_out_of_range"
          : undefined;
  return code === undefined || !(error instanceof Error)
    ? error
    : new EvaluationError({ code, message: error.message });
}

function addOwn(made: Environment): void {
  const own = (receiver: string, rest: string, handler: Handler) =>
    add(made, `${receiver}${OWN_PREFIX}${rest}`, handler);
  own("string.", "matches(string): bool", (text: string, pattern: string) => {
    charge(text.length);
    return matchesPattern(text, pattern);
  });
  own("", `timestamp(string): ${TIMESTAMP}`, calendar.parseTimestamp);
  own("", `timestamp(int): ${TIMESTAMP}`, (n: bigint) => calendar.timestampOf(Number(n)));
  own("", `timestamp(double): ${TIMESTAMP}`, calendar.timestampOf);
  own("", `duration(string): ${DURATION}`, calendar.parseDuration);
  for (const [name, part] of Object.entries(calendar.DATE_PARTS)) {
    own(`${TIMESTAMP}.`, `${name}(): int`, (date: Date) => BigInt(part(date)));
    own(`${TIMESTAMP}.`, `${name}(string): int`, (date: Date, zone: string) =>
      BigInt(part(calendar.inZone(date, zone))),
    );
  }
  for (const [name, part] of Object.entries(calendar.DURATION_PARTS)) {
    own(`${DURATION}.`, `${name}(): int`, part);
  }
  add(made, `string(${TIMESTAMP}): string`, (date: Date) => date.toISOString());
  add(made, `string(${DURATION}): string`, (length: Duration) => calendar.durationText(length));
  add(made, `int(${TIMESTAMP}): int`, (date: Date) => BigInt(Math.floor(date.getTime() / 1000)));
}

/** A number that came as JSON is a double, also where CEL wants an int. */
function addForJsonNumbers(made: Environment): void {
  for (const name of ["indexOf", "lastIndexOf"] as const) {
    add(made, `string.${name}(string, double): int`, (text: string, part: string, from: number) =>
      BigInt(text[name](part, position(from, text.length))),
    );
  }
  const substring = (text: string, start: number | bigint, end?: number | bigint) =>
    slice(text, Number(start), end === undefined ? text.length : Number(end));
  for (const types of ["double", "double, double", "int, double", "double, int"]) {
    add(made, `string.substring(${types}): string`, substring);
  }
  add(made, "string.split(string, double): list<string>", split);
  add(made, "bytes.at(double): int", (bytes: Uint8Array, index: number) =>
    BigInt(bytes[position(index, bytes.length - 1)] ?? 0),
  );
}

function slice(text: string, start: number, end: number): string {
  position(end, text.length);
  return text.slice(position(start, end), end);
}

function split(text: string, separator: string, most: number): string[] {
  if (!Number.isInteger(most)) {
    throw new IndexError(`${most} is no whole number`);
  }
  const parts = text.split(separator);
  if (most < 0 || parts.length <= most) {
    return parts;
  }
  return most === 0 ? [] : [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

/** Where a JSON number points to, in a text or a list. */
function position(index: number, last: number): number {
  if (!Number.isInteger(index) || index < 0 || index > last) {
    throw new IndexError(`${index} is not between 0 and ${last}`);
  }
  return index;
}

class IndexError extends Error {}

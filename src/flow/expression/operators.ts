// Operators over JSON: ints and doubles mix, nothing is compared by accident, and work is counted.

import { Duration, UnsignedInt } from "./cel.js";
import { charge, chargeSize } from "./work.js";

/** An operator that does not take its operands; `code` is of the library's kind. */
export class OperandError extends Error {
  constructor(
    readonly code: "no_such_overload" | "numeric_overflow" | "division_by_zero",
    message: string,
  ) {
    super(message);
  }
}

/** Arithmetic; undefined where times or bytes are left to the library. */
export function arithmetic(operator: string, left: unknown, right: unknown): unknown {
  if (isNumber(left) && isNumber(right)) {
    return typeof left === "bigint" && typeof right === "bigint"
      ? integers(operator, left, right)
      : doubles(operator, Number(left), Number(right));
  }
  if (operator === "+") {
    chargeSize(left);
    chargeSize(right);
    if (typeof left === "string" && typeof right === "string") {
      return left + right;
    }
    if (Array.isArray(left) && Array.isArray(right)) {
      return [...left, ...right];
    }
  }
  if (isForLibrary(left) && isForLibrary(right)) {
    return undefined;
  }
  throw unfit(operator, left, right);
}

function doubles(operator: string, left: number, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    default:
      if (right === 0) {
        throw new OperandError("division_by_zero", "division by zero");
      }
      return operator === "/" ? left / right : left % right;
  }
}

const INT_BITS = 64;

function integers(operator: string, left: bigint, right: bigint): bigint {
  const value = integer(operator, left, right);
  if (BigInt.asIntN(INT_BITS, value) !== value) {
    throw new OperandError("numeric_overflow", `${left} ${operator} ${right} is too large`);
  }
  return value;
}

function integer(operator: string, left: bigint, right: bigint): bigint {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    default:
      if (right === 0n) {
        throw new OperandError("division_by_zero", "division by zero");
      }
      return operator === "/" ? left / right : left % right;
  }
}

/** `<` and its kin; undefined where times are left to the library. */
export function order(operator: string, left: unknown, right: unknown): boolean | undefined {
  const numbers = isNumber(left) && isNumber(right);
  const texts = typeof left === "string" && typeof right === "string";
  const booleans = typeof left === "boolean" && typeof right === "boolean";
  if (!numbers && !texts && !booleans) {
    if (isForLibrary(left) && isForLibrary(right)) {
      return undefined;
    }
    throw unfit(operator, left, right);
  }
  switch (operator) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    default:
      return left >= right;
  }
}

/** Deep, and total: values of different types are different. */
export function equal(left: unknown, right: unknown): boolean {
  charge(1);
  if (left === right) {
    return true;
  }
  if (isNumber(left) && isNumber(right)) {
    // biome-ignore lint/suspicious/noDoubleEquals: 1n and 1 are one number
    return left == right;
  }
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    return false;
  }
  if (Array.isArray(left) || Array.isArray(right)) {
    return Array.isArray(left) && Array.isArray(right) && equalLists(left, right);
  }
  return isSpecial(left) || isSpecial(right)
    ? equalSpecial(left, right)
    : equalObjects(entriesOf(left), entriesOf(right));
}

function equalLists(left: readonly unknown[], right: readonly unknown[]): boolean {
  return left.length === right.length && left.every((value, index) => equal(value, right[index]));
}

function equalObjects(left: ReadonlyMap<string, unknown>, right: ReadonlyMap<string, unknown>) {
  charge(left.size);
  if (left.size !== right.size) {
    return false;
  }
  for (const [key, value] of left) {
    if (!right.has(key) || !equal(value, right.get(key))) {
      return false;
    }
  }
  return true;
}

function entriesOf(value: object): ReadonlyMap<string, unknown> {
  return value instanceof Map ? value : new Map(Object.entries(value));
}

function equalSpecial(left: object, right: object): boolean {
  if (left instanceof Date && right instanceof Date) {
    return left.getTime() === right.getTime();
  }
  if (left instanceof Duration && right instanceof Duration) {
    return left.seconds === right.seconds && left.nanos === right.nanos;
  }
  if (left instanceof UnsignedInt && right instanceof UnsignedInt) {
    return left.value === right.value;
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) {
    return left.length === right.length && left.every((byte, index) => byte === right[index]);
  }
  return false;
}

/** `in`: an element of a list, or a key of an object. */
export function contains(item: unknown, container: unknown): boolean {
  if (Array.isArray(container)) {
    return container.some((value) => equal(item, value));
  }
  if (container instanceof Map) {
    return container.has(item);
  }
  if (typeof container === "object" && container !== null && !isSpecial(container)) {
    return typeof item === "string" && Object.hasOwn(container, item);
  }
  throw unfit("in", item, container);
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

/** A value of a class: a time, a duration, bytes, a type, an optional. */
function isSpecial(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null && !(value instanceof Map);
}

function isForLibrary(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value) && isSpecial(value);
}

function unfit(operator: string, left: unknown, right: unknown): OperandError {
  return new OperandError(
    "no_such_overload",
    `"${operator}" does not take ${kindOf(left)} and ${kindOf(right)}`,
  );
}

/** What a value is, for a sentence. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return "a string";
    case "number":
    case "bigint":
      return "a number";
    case "boolean":
      return "a boolean";
    case "object":
      return kindOfObject(value);
    default:
      return "nothing";
  }
}

function kindOfObject(value: object | null): string {
  if (value === null) {
    return "null";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  if (value instanceof Date) {
    return "a timestamp";
  }
  if (value instanceof Duration) {
    return "a duration";
  }
  if (value instanceof Uint8Array) {
    return "a byte string";
  }
  return isSpecial(value) ? "a value of CEL's own" : "an object";
}

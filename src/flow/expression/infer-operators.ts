// The types of operators. Where one side is any value, the other one says what it must be.

import type { BinaryOperator } from "@marcbachmann/cel-js";
import { didYouMean, listed } from "../mistakes.js";
import type { Inference } from "./inference.js";
import type { Node } from "./tree.js";
import {
  accepts,
  BOOL,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  isNullable,
  isNumber,
  listOf,
  nameOf,
  STRING,
  TIMESTAMP,
  type Type,
  unify,
} from "./types.js";

export type Binary = Extract<Node, { op: BinaryOperator }>;

export function inferBinary(it: Inference, node: Binary, left: Type, right: Type): Type {
  const optional = [left, right].findIndex(({ kind }) => kind === "optional");
  if (optional !== -1) {
    const side = node.args[optional === 0 ? 0 : 1];
    it.add(
      "expression-type",
      side,
      `${it.written(side)} may be absent`,
      "say what it is then: put .orValue(…) behind it",
    );
    return ["+", "-", "*", "/", "%"].includes(node.op) ? DYN : BOOL;
  }
  switch (node.op) {
    case "==":
    case "!=":
      checkEquality(it, node, left, right);
      return BOOL;
    case "in":
      checkMembership(it, node, left, right);
      return BOOL;
    case "<":
    case "<=":
    case ">":
    case ">=":
      checkOrder(it, node, left, right);
      return BOOL;
    default:
      return inferArithmetic(it, node, left, right);
  }
}

function inferArithmetic(it: Inference, node: Binary, left: Type, right: Type): Type {
  const [, divisor] = node.args;
  if (
    (node.op === "/" || node.op === "%") &&
    divisor.op === "value" &&
    Number(divisor.args) === 0
  ) {
    it.add("expression", node, "this divides by zero");
  }
  const type = sumOf(node.op, left, right);
  if (type !== undefined) {
    return type;
  }
  const texts = node.op === "+" && [left, right].some(({ kind }) => kind === "string");
  it.add(
    "expression-type",
    node,
    `"${node.op}" does not take ${nameOf(left)} and ${nameOf(right)}`,
    texts ? "put string(…) around what is no string" : undefined,
  );
  return DYN;
}

function sumOf(operator: string, left: Type, right: Type): Type | undefined {
  const unsure = left.kind === "dyn" || right.kind === "dyn";
  const known = left.kind === "dyn" ? right : left;
  if (isNumber(left) && isNumber(right)) {
    return left.kind === "int" && right.kind === "int" ? INT : DOUBLE;
  }
  if (unsure && isNumber(known)) {
    return DOUBLE;
  }
  if (operator === "+" && (unsure || left.kind === right.kind)) {
    switch (known.kind) {
      case "string":
        return STRING;
      case "bytes":
        return known;
      case "list":
        return left.kind === "list" && right.kind === "list"
          ? listOf(unify(left.item, right.item))
          : listOf(DYN);
    }
  }
  return unsure && known.kind === "dyn" ? DYN : timeOf(operator, left, right);
}

function timeOf(operator: string, left: Type, right: Type): Type | undefined {
  const pair = `${left.kind} ${operator} ${right.kind}`;
  switch (pair) {
    case "timestamp + duration":
    case "duration + timestamp":
    case "timestamp - duration":
    case "timestamp + dyn":
    case "dyn + timestamp":
      return TIMESTAMP;
    case "timestamp - timestamp":
    case "duration + duration":
    case "duration - duration":
    case "duration - dyn":
      return DURATION;
    case "timestamp - dyn":
    case "dyn - timestamp":
    case "dyn - duration":
    case "duration + dyn":
    case "dyn + duration":
      return DYN;
    default:
      return undefined;
  }
}

const ORDERED: ReadonlySet<string> = new Set(["string", "bool", "timestamp", "duration", "dyn"]);

function checkOrder(it: Inference, node: Binary, left: Type, right: Type): void {
  const orderly = (type: Type) => isNumber(type) || ORDERED.has(type.kind);
  const alike = left.kind === right.kind || (isNumber(left) && isNumber(right));
  const unsure = left.kind === "dyn" || right.kind === "dyn";
  if (!orderly(left) || !orderly(right) || !(alike || unsure)) {
    const message = `"${node.op}" does not take ${nameOf(left)} and ${nameOf(right)}`;
    it.add("expression-type", node, message, conversion(left, right));
  }
}

function checkEquality(it: Inference, node: Binary, left: Type, right: Type): void {
  if (!canEqual(left, right)) {
    it.add(
      "expression-type",
      node,
      `${nameOf(left)} never equals ${nameOf(right)}`,
      conversion(left, right),
    );
    return;
  }
  const [one, other] = node.args;
  checkValues(it, node, one, left, right);
  checkValues(it, node, other, right, left);
}

/** A value that a declared `enum` does not have: `context.region == "uk"`. */
function checkValues(it: Inference, node: Binary, side: Node, type: Type, other: Type): void {
  const values = type.kind === "string" ? type.values : undefined;
  const asked = other.kind === "string" && other.values?.length === 1 ? other.values[0] : undefined;
  if (values === undefined || asked === undefined || side.op === "value") {
    return;
  }
  if (!values.includes(asked)) {
    const near = didYouMean(asked, values);
    it.add(
      "constant-condition",
      node,
      `${it.written(side)} is never "${asked}": it is ${listed([...values])}`,
      near,
    );
  }
}

function canEqual(left: Type, right: Type): boolean {
  if (left.kind === "null" || right.kind === "null" || (isNullable(left) && isNullable(right))) {
    return true;
  }
  return left.kind === "string" && right.kind === "string"
    ? true
    : comparable(left, right) && comparable(right, left);
}

/** Like `accepts`, but a time is no string while the expression runs. */
function comparable(left: Type, right: Type): boolean {
  if (left.kind === "string" && right.kind !== "dyn") {
    return right.kind === "string";
  }
  if (left.kind === "list" && right.kind === "list") {
    return canEqual(left.item, right.item);
  }
  return left.kind === "object" && right.kind === "object" ? true : accepts(left, right);
}

function checkMembership(it: Inference, node: Binary, left: Type, right: Type): void {
  const [item, container] = node.args;
  switch (right.kind) {
    case "dyn":
      return;
    case "list":
      if (!canEqual(left, right.item)) {
        const message = `${nameOf(left)} is never in a list of ${plural(right.item)}`;
        it.add("expression-type", node, message, conversion(left, right.item));
      }
      return;
    case "object":
      if (left.kind !== "string" && left.kind !== "dyn") {
        it.add("expression-type", item, `a key of an object is a string, not ${nameOf(left)}`);
      }
      return;
    case "string":
      it.add(
        "expression-type",
        node,
        '"in" looks into lists and objects, not into strings',
        `write ${it.written(container)}.contains(${it.written(item)})`,
      );
      return;
    default:
      it.add("expression-type", container, `"in" needs a list or an object, not ${nameOf(right)}`);
  }
}

function conversion(left: Type, right: Type): string | undefined {
  const kinds = new Set([left.kind, right.kind]);
  if (kinds.has("string") && (isNumber(left) || isNumber(right))) {
    return "put double(…) around the string, or string(…) around the number";
  }
  if (kinds.has("string") && (kinds.has("timestamp") || kinds.has("duration"))) {
    return `put ${kinds.has("timestamp") ? "timestamp" : "duration"}(…) around the string`;
  }
  return kinds.has("string") && kinds.has("bool") ? "compare with true or false" : undefined;
}

function plural(type: Type): string {
  return `${nameOf(type).replace(/^an? /, "")}s`;
}

// The type of an expression, by its tree; every node is visited once, in one scope.

import { Duration, UnsignedInt } from "./cel.js";
import { factsOf } from "./guards.js";
import { inferAccess, inferName } from "./infer-access.js";
import { inferCall, inferMethod } from "./infer-calls.js";
import { inferBinary } from "./infer-operators.js";
import type { Inference, Scope } from "./inference.js";
import type { Node } from "./tree.js";
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  isNumber,
  listOf,
  NULL,
  nameOf,
  type Type,
  unify,
} from "./types.js";

export function infer(it: Inference, node: Node, scope: Scope): Type {
  switch (node.op) {
    case "value":
      return inferLiteral(it, node);
    case "id":
      return inferName(it, node, scope);
    case ".":
    case ".?":
    case "[]":
    case "[?]":
      return inferAccess(it, node, scope, infer);
    case "call":
      return inferCall(it, node, scope, infer);
    case "rcall":
      return inferMethod(it, node, scope, infer);
    case "list":
      return inferList(it, node.args, scope);
    case "map":
      return inferMap(it, node, scope);
    case "?:":
      return inferChoice(it, node, scope);
    case "&&":
    case "||":
      return inferLogic(it, node, scope);
    case "!_":
      it.needBoolean(node.args, infer(it, node.args, scope), '"!"');
      return BOOL;
    case "-_":
      return inferMinus(it, node.args, scope);
    default: {
      const [left, right] = node.args;
      return inferBinary(it, node, infer(it, left, scope), infer(it, right, scope));
    }
  }
}

type Of<Op extends Node["op"]> = Extract<Node, { op: Op }>;

function inferLiteral(it: Inference, node: Of<"value">): Type {
  const value: unknown = node.args;
  switch (typeof value) {
    case "string":
      return { kind: "string", values: [value] };
    case "number":
      return DOUBLE;
    case "boolean":
      return BOOL;
    case "bigint":
      if (!Number.isSafeInteger(Number(value))) {
        it.add("expression", node, `${value} is beyond what a number in JSON holds exactly`);
      }
      return INT;
    default:
      return inferSpecial(it, node, value);
  }
}

function inferSpecial(it: Inference, node: Of<"value">, value: unknown): Type {
  if (value instanceof UnsignedInt) {
    const plain = `write ${value.value}`;
    it.add("expression", node, "numbers are written without a u here", plain);
    return INT;
  }
  return value instanceof Uint8Array ? BYTES : value instanceof Duration ? DURATION : NULL;
}

function inferList(it: Inference, items: readonly Node[], scope: Scope): Type {
  const types = items.map((item) => infer(it, item, scope));
  return listOf(types.length === 0 ? DYN : types.reduce(unify));
}

const UNSAFE_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function inferMap(it: Inference, node: Of<"map">, scope: Scope): Type {
  const properties = new Map<string, Type>();
  let rest: Type | null = null;
  for (const [keyNode, valueNode] of node.args) {
    const key = infer(it, keyNode, scope);
    const value = infer(it, valueNode, scope);
    const name = keyNode.op === "value" && typeof keyNode.args === "string" ? keyNode.args : null;
    if (key.kind !== "string" && key.kind !== "dyn") {
      it.add("expression-type", keyNode, `a key is a string, not ${nameOf(key)}`);
    } else if (name !== null && UNSAFE_KEYS.has(name)) {
      it.add("expression", keyNode, `the key "${name}" is not allowed`);
    } else if (name !== null) {
      properties.set(name, value);
    } else {
      rest = DYN;
    }
  }
  // A computed key may be one of the literal ones.
  return { kind: "object", properties: rest === null ? properties : new Map(), rest };
}

function inferChoice(it: Inference, node: Of<"?:">, scope: Scope): Type {
  const [condition, yes, no] = node.args;
  it.needBoolean(condition, infer(it, condition, scope), "a condition");
  const left = infer(it, yes, knowing(scope, condition, true));
  const right = infer(it, no, knowing(scope, condition, false));
  if ((left.kind === "optional") !== (right.kind === "optional")) {
    // JSON has no optionals, hence none is expected where the two meet.
    return DYN;
  }
  return unify(left, right);
}

function inferLogic(it: Inference, node: Of<"&&" | "||">, scope: Scope): Type {
  const [left, right] = node.args;
  it.needBoolean(left, infer(it, left, scope), `"${node.op}"`);
  const inside = knowing(scope, left, node.op === "&&");
  it.needBoolean(right, infer(it, right, inside), `"${node.op}"`);
  return BOOL;
}

function knowing(scope: Scope, condition: Node, outcome: boolean): Scope {
  return { ...scope, facts: [...scope.facts, ...factsOf(condition, outcome)] };
}

function inferMinus(it: Inference, operand: Node, scope: Scope): Type {
  const type = infer(it, operand, scope);
  if (!isNumber(type) && type.kind !== "dyn") {
    it.add("expression-type", operand, `"-" needs a number, not ${nameOf(type)}`);
  }
  return type.kind === "int" ? INT : DOUBLE;
}

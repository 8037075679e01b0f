// How the nodes of an expression are evaluated, where the library's own way will not do: it names a
// type for each shape of data that it meets, and keeps the name for ever.

import { EvaluationError } from "@marcbachmann/cel-js";
import { OWN_PREFIX } from "./cel.js";
import type { Check, Evaluate, Evaluator, Inside } from "./inside.js";
import { arithmetic, contains, equal, kindOf, OperandError, order } from "./operators.js";
import { chargeSize } from "./work.js";

export const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

export const BINARY: { readonly [operator: string]: Evaluate } = {
  "==": compared((left, right) => equal(left, right)),
  "!=": compared((left, right) => !equal(left, right)),
  in: compared(contains),
  ...Object.fromEntries([...ARITHMETIC].map((op) => [op, computed(arithmetic)])),
  ...Object.fromEntries(["<", "<=", ">", ">="].map((op) => [op, computed(order)])),
};

function compared(compare: (left: unknown, right: unknown) => boolean): Evaluate {
  return (evaluator, node, scope) => {
    const left = evaluator.run(node.left, scope);
    const right = evaluator.run(node.right, scope);
    try {
      return compare(left, right);
    } catch (error) {
      throw placed(error, evaluator, node);
    }
  };
}

function computed(compute: (op: string, left: unknown, right: unknown) => unknown): Evaluate {
  return (evaluator, node, scope) => {
    const left = evaluator.run(node.left, scope);
    const right = evaluator.run(node.right, scope);
    try {
      return compute(node.op, left, right) ?? node.handle(left, right, node, evaluator);
    } catch (error) {
      throw placed(error, evaluator, node);
    }
  };
}

function placed(error: unknown, evaluator: Evaluator, node: Inside): unknown {
  return error instanceof OperandError
    ? evaluator.createError(error.code, error.message, node)
    : error;
}

export const evaluateCall: Evaluate = (evaluator, node, scope) => {
  const [name, nodes] = node.args as [string, Inside[]];
  const values = valuesOf(evaluator, nodes, scope);
  const overload = node.candidates.findFunction(values.map((value) => evaluator.debugType(value)));
  if (overload === null) {
    throw noOverload(evaluator, node, `there is no ${spelled(name)}()`, values);
  }
  return called(() => overload.handler(...values), node);
};

export const evaluateMethod: Evaluate = (evaluator, node, scope) => {
  const [name, receiverNode, nodes] = node.args as [string, Inside, Inside[]];
  const [receiver, ...values] = valuesOf(evaluator, [receiverNode, ...nodes], scope);
  const overload = node.candidates.findFunction(
    values.map((value) => evaluator.debugType(value)),
    evaluator.debugType(receiver),
  );
  if (overload === null) {
    throw noOverload(evaluator, node, `${kindOf(receiver)} has no ${spelled(name)}()`, values);
  }
  return called(() => overload.handler(receiver, ...values), node);
};

/** A function reads its texts and lists from end to end. */
function valuesOf(evaluator: Evaluator, nodes: readonly Inside[], scope: unknown): unknown[] {
  return nodes.map((node) => {
    const value = evaluator.run(node, scope);
    chargeSize(value);
    return value;
  });
}

function spelled(name: string): string {
  return name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name;
}

function noOverload(evaluator: Evaluator, node: Inside, what: string, values: unknown[]): Error {
  const given = values.length === 0 ? "" : ` for ${values.map(kindOf).join(" and ")}`;
  return evaluator.createError("no_matching_overload", `${what}${given}`, node);
}

/** Gives an error its place. */
function called(call: () => unknown, node: Inside): unknown {
  try {
    return call();
  } catch (error) {
    throw error instanceof EvaluationError ? error.withAst(node as never) : error;
  }
}

export const evaluateNot: Evaluate = (evaluator, node, scope) => {
  const value = evaluator.run(node.args as Inside, scope);
  if (typeof value !== "boolean") {
    throw notBoolean(evaluator, value, node.args as Inside);
  }
  return !value;
};

export const evaluateMinus: Evaluate = (evaluator, node, scope) => {
  const value = evaluator.run(node.args as Inside, scope);
  if (typeof value !== "number" && typeof value !== "bigint") {
    const message = `"-" needs a number, not ${kindOf(value)}`;
    throw evaluator.createError("no_such_overload", message, node);
  }
  return -value;
};

/** Also for the conditions inside `filter` and its kin. */
export const evaluateChoice: Evaluate = (evaluator, node, scope) => {
  const [condition, yes, no] = node.args as [Inside, Inside, Inside];
  const value = evaluator.run(condition, scope);
  if (typeof value !== "boolean") {
    throw notBoolean(evaluator, value, condition);
  }
  return evaluator.run(value ? yes : no, scope);
};

export const evaluateAnd = logic(false);
export const evaluateOr = logic(true);

/** In CEL either side can decide, and then an error of the other one is none. */
function logic(deciding: boolean): Evaluate {
  return (evaluator, node, scope) => {
    const [leftNode, rightNode] = node.args as [Inside, Inside];
    let left: unknown;
    let failed = false;
    try {
      left = evaluator.run(leftNode, scope);
    } catch (error) {
      left = error;
      failed = true;
    }
    if (left === deciding) {
      return deciding;
    }
    const right = evaluator.run(rightNode, scope);
    if (right === deciding) {
      return deciding;
    }
    if (failed) {
      throw left;
    }
    if (typeof left !== "boolean" || typeof right !== "boolean") {
      const isLeft = typeof left !== "boolean";
      throw notBoolean(evaluator, isLeft ? left : right, isLeft ? leftNode : rightNode);
    }
    return !deciding;
  };
}

function notBoolean(evaluator: Evaluator, value: unknown, node: Inside): Error {
  const message = `a boolean is needed, not ${kindOf(value)}`;
  return evaluator.createError("invalid_condition_type", message, node);
}

/** The library drops keys that could reach a prototype, silently. */
const UNSAFE_KEYS: ReadonlySet<unknown> = new Set(["__proto__", "constructor", "prototype"]);

/** `{}` gets an evaluation of its own in the check, hence ours is set behind it. */
export function checkMap(check: Check): Check {
  return (checker, node, scope) => {
    const type = check(checker, node, scope);
    const entries = node.args as [Inside, Inside][];
    node.setMeta("evaluate", (evaluator: Evaluator, _node: Inside, values: unknown) =>
      Object.fromEntries(
        entries.map(([keyNode, valueNode]) => {
          const key = evaluator.run(keyNode, values);
          if (typeof key !== "string") {
            const message = `a key is a string, not ${kindOf(key)}`;
            throw evaluator.createError("invalid_key_type", message, keyNode);
          }
          if (UNSAFE_KEYS.has(key)) {
            throw evaluator.createError("invalid_key", `the key "${key}" is not allowed`, keyNode);
          }
          return [key, evaluator.run(valueNode, values)];
        }),
      ),
    );
    return type;
  };
}

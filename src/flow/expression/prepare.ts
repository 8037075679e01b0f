// Rewrites a parsed tree where the library's own way would surprise or hang: see each function.
// Relies on the inside of the library, which is why its version is pinned exactly.

import { DATE_PARTS } from "./calendar.js";
import { OWN_PREFIX } from "./cel.js";
import { arithmetic, contains, equal, kindOf, OperandError, order } from "./operators.js";
import { asBinding, asComprehension, asPresence, childrenOf, isAccess, type Node } from "./tree.js";
import { charge, chargeSize } from "./work.js";

/** Where comprehensions and bindings keep the last scope they ran in. */
export interface Keeper {
  release(): void;
}

/** Changes the tree in place, before it is checked or run for the first time. */
export function prepare(tree: Node): Keeper[] {
  const keepers: Keeper[] = [];
  prepareNode(inside(tree), keepers);
  return keepers;
}

interface Inside {
  op: string;
  args: unknown;
  meta: Meta;
  left: Inside;
  right: Inside;
  checkedType: unknown;
  receiverWithArgs: Inside[];
  handle(...values: unknown[]): unknown;
  setMeta(key: string, value: unknown): Inside;
}

interface Meta {
  check: Check;
  alternate?: Inside & { args: ComprehensionArgs };
  macro?: Macro;
}

interface ComprehensionArgs {
  iterable: Inside;
  iterCtx?: KeptScope;
}

interface KeptScope {
  reuse(parent: null): unknown;
  iterValue: unknown;
  accuValue: unknown;
}

interface Macro {
  bindCtx?: KeptScope;
  typeCheck: Check | ((checker: Checker, macro: unknown, scope: unknown) => unknown);
  evaluate: (evaluator: Evaluator, macro: unknown, scope: unknown) => unknown;
}

interface Checker {
  dynType: unknown;
  boolType: unknown;
  check(node: Inside, scope: unknown): unknown;
  createError(code: string, message: string, node: unknown): Error;
}

interface Evaluator {
  run(node: Inside, scope: unknown): unknown;
  createError(code: string, message: string, node: unknown): Error;
}

type Check = (checker: Checker, node: Inside, scope: unknown) => unknown;

/** The library keeps more on its nodes than its types say. */
function inside(node: Node): Inside {
  return node as unknown as Inside;
}

function prepareNode(node: Inside, keepers: Keeper[]): void {
  const seen = node as unknown as Node;
  for (const child of childrenOf(seen)) {
    prepareNode(inside(child), keepers);
  }
  const presence = asPresence(seen);
  if (presence !== undefined) {
    preparePresence(node, presence);
  } else if (asComprehension(seen) !== undefined) {
    prepareComprehension(node, keepers);
  } else if (asBinding(seen) !== undefined) {
    keepers.push(keeperOf(() => node.meta.macro?.bindCtx));
  } else if (node.meta.macro === undefined) {
    prepareOperator(seen, node);
  }
}

function prepareOperator(seen: Node, node: Inside): void {
  switch (seen.op) {
    case "call":
      seen.args[0] = ownName(seen.args[0], OWN_FUNCTIONS);
      node.setMeta("evaluate", evaluateCall);
      break;
    case "rcall":
      seen.args[0] = ownName(seen.args[0], OWN_METHODS);
      node.setMeta("evaluate", evaluateMethod);
      break;
    case "map":
      node.setMeta("check", checkMap(node.meta.check));
      break;
    case "?:":
      tolerate(node, "incompatible_ternary_branches");
      break;
    default:
      if (Object.hasOwn(BINARY, seen.op)) {
        tolerate(node, "no_such_overload");
        node.setMeta("evaluate", BINARY[seen.op]);
      }
  }
}

const OWN_FUNCTIONS: ReadonlySet<string> = new Set(["timestamp", "duration"]);
const OWN_METHODS: ReadonlySet<string> = new Set(["matches", ...Object.keys(DATE_PARTS)]);

function ownName(name: string, owned: ReadonlySet<string>): string {
  return owned.has(name) ? `${OWN_PREFIX}${name}` : name;
}

/**
 * `c ? 1 : "a"` and `1 + 1.5` are no errors here: our own check is the one that judges types. Nor
 * is `x + 1` an int, as the library has it, while `x` may be any number.
 */
function tolerate(node: Inside, code: string): void {
  const { check } = node.meta;
  node.setMeta("check", (checker: Checker, it: Inside, scope: unknown) => {
    try {
      const type = check(checker, it, scope);
      return ARITHMETIC.has(it.op) ? checker.dynType : type;
    } catch (error) {
      const its = error instanceof Error && "node" in error && error.node === it;
      if (its && "code" in error && error.code === code) {
        return checker.dynType;
      }
      throw error;
    }
  });
}

const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);

type Evaluate = (evaluator: Evaluator, node: Inside, scope: unknown) => unknown;

const BINARY: { readonly [operator: string]: Evaluate } = {
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

function evaluateCall(evaluator: Evaluator, node: Inside, scope: unknown): unknown {
  const [, nodes] = node.args as [string, Inside[]];
  return node.handle(argumentsOf(evaluator, nodes, scope), node, evaluator);
}

function evaluateMethod(evaluator: Evaluator, node: Inside, scope: unknown): unknown {
  return node.handle(argumentsOf(evaluator, node.receiverWithArgs, scope), evaluator, node);
}

/** A function reads its texts and lists from end to end. */
function argumentsOf(evaluator: Evaluator, nodes: readonly Inside[], scope: unknown): unknown[] {
  return nodes.map((node) => {
    const value = evaluator.run(node, scope);
    chargeSize(value);
    return value;
  });
}

/** The library drops keys that could reach a prototype, silently. */
const UNSAFE_KEYS: ReadonlySet<unknown> = new Set(["__proto__", "constructor", "prototype"]);

/** `{}` gets an evaluation of its own in the check, hence ours is set behind it. */
function checkMap(check: Check): Check {
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

/** Counts the elements before it visits them. */
function prepareComprehension(node: Inside, keepers: Keeper[]): void {
  const loop = node.meta.alternate;
  if (loop === undefined) {
    return;
  }
  loop.setMeta("evaluate", (evaluator: Evaluator, it: Inside, scope: unknown) => {
    const { iterable } = it.args as ComprehensionArgs;
    const items = evaluator.run(iterable, scope);
    charge(Array.isArray(items) ? items.length : 0);
    return it.handle(items, it.args, evaluator, scope);
  });
  keepers.push(keeperOf(() => loop.args.iterCtx));
}

/** Otherwise a cached expression would keep a whole run's data alive. */
function keeperOf(scope: () => KeptScope | undefined): Keeper {
  return {
    release() {
      const kept = scope();
      kept?.reuse(null);
      if (kept !== undefined) {
        kept.iterValue = undefined;
        kept.accuValue = undefined;
      }
    },
  };
}

/**
 * `has(a.b.c)` is false when any part of the path is missing, not only the last one, and the path
 * may go through lists: `has(steps.fetch.output.items[0].id)`.
 */
function preparePresence(node: Inside, path: Node): void {
  const { macro } = node.meta;
  if (macro === undefined) {
    return;
  }
  const links: Inside[] = [];
  let start = path;
  while (isAccess(start)) {
    links.unshift(inside(start));
    start = start.args[0];
  }
  const base = inside(start);
  macro.typeCheck = (checker: Checker, _macro: unknown, scope: unknown) => {
    if (links.length === 0) {
      throw checker.createError("invalid_macro_argument", "has() takes a path", base);
    }
    checker.check(base, scope);
    for (const link of links) {
      if (typeof keyNode(link) !== "string") {
        checker.check(keyNode(link) as Inside, scope);
      }
    }
    return checker.boolType;
  };
  macro.evaluate = (evaluator, _macro, scope) => {
    let value = evaluator.run(base, scope);
    for (const link of links) {
      const key = keyNode(link);
      value = member(value, typeof key === "string" ? key : evaluator.run(key, scope));
      if (value === undefined) {
        return false;
      }
    }
    return true;
  };
}

function keyNode(link: Inside): string | Inside {
  return (link.args as [Inside, string | Inside])[1];
}

function member(value: unknown, key: unknown): unknown {
  if (Array.isArray(value)) {
    return typeof key === "number" || typeof key === "bigint" ? value[Number(key)] : undefined;
  }
  if (value instanceof Map) {
    return value.get(key);
  }
  const isKey = typeof value === "object" && value !== null && typeof key === "string";
  return isKey && Object.hasOwn(value, key)
    ? (value as { [key: string]: unknown })[key]
    : undefined;
}

// Rewrites a parsed tree where the library's own way would surprise or hang: see each function.

import { DATE_PARTS } from "./calendar.js";
import { OWN_PREFIX } from "./cel.js";
import {
  ARITHMETIC,
  BINARY,
  checkMap,
  evaluateAnd,
  evaluateCall,
  evaluateChoice,
  evaluateMethod,
  evaluateMinus,
  evaluateNot,
  evaluateOr,
} from "./evaluators.js";
import {
  type Checker,
  type ComprehensionArgs,
  type Evaluator,
  type Inside,
  inside,
  type KeptScope,
} from "./inside.js";
import { asBinding, asComprehension, asPresence, childrenOf, isAccess, type Node } from "./tree.js";
import { charge } from "./work.js";

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
      node.setMeta("evaluate", evaluateChoice);
      break;
    case "&&":
      node.setMeta("evaluate", evaluateAnd);
      break;
    case "||":
      node.setMeta("evaluate", evaluateOr);
      break;
    case "!_":
      node.setMeta("evaluate", evaluateNot);
      break;
    case "-_":
      node.setMeta("evaluate", evaluateMinus);
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

/** Counts the elements before it visits them. */
function prepareComprehension(node: Inside, keepers: Keeper[]): void {
  const loop = node.meta.alternate;
  if (loop === undefined) {
    return;
  }
  loop.setMeta("evaluate", (evaluator: Evaluator, it: Inside, scope: unknown) => {
    const { iterable } = it.args as ComprehensionArgs;
    const items = evaluator.run(iterable, scope);
    charge(sizeOf(items));
    return it.handle(items, it.args, evaluator, scope);
  });
  const { step } = loop.args as ComprehensionArgs;
  if (step.op === "?:") {
    step.setMeta("evaluate", evaluateChoice);
  }
  keepers.push(keeperOf(() => loop.args.iterCtx));
}

function sizeOf(items: unknown): number {
  if (Array.isArray(items)) {
    return items.length;
  }
  return items instanceof Map ? items.size : Object.keys(items ?? {}).length;
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

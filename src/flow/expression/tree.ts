// The parsed tree of an expression, as the CEL library makes it: what is in it, and how deep.

import type { ASTNode } from "@marcbachmann/cel-js";

export type Node = ASTNode;
export type CallNode = Extract<Node, { op: "call" }>;
export type MethodNode = Extract<Node, { op: "rcall" }>;
export type AccessNode = Extract<Node, { op: "." | ".?" | "[]" | "[?]" }>;

export function childrenOf(node: Node): readonly Node[] {
  switch (node.op) {
    case "value":
    case "id":
      return [];
    case ".":
    case ".?":
      return [node.args[0]];
    case "call":
      return node.args[1];
    case "rcall":
      return [node.args[1], ...node.args[2]];
    case "map":
      return node.args.flat();
    case "!_":
    case "-_":
      return [node.args];
    default:
      return node.args;
  }
}

/** `e.map(x, …)` and its kin: `variable` stands for each element of `range` inside `inner`. */
export interface Comprehension {
  name: string;
  range: Node;
  variable: Node;
  inner: readonly Node[];
}

const COMPREHENSIONS: { readonly [name: string]: readonly number[] } = {
  all: [2],
  exists: [2],
  exists_one: [2],
  filter: [2],
  map: [2, 3],
};

export function asComprehension(node: Node): Comprehension | undefined {
  if (node.op !== "rcall") {
    return undefined;
  }
  const [name, range, [variable, ...inner]] = node.args;
  const arities = Object.hasOwn(COMPREHENSIONS, name) ? COMPREHENSIONS[name] : undefined;
  const fits = variable !== undefined && arities?.includes(inner.length + 1);
  return fits ? { name, range, variable, inner } : undefined;
}

/** `cel.bind(name, value, body)`. */
export interface Binding {
  variable: Node;
  value: Node;
  body: Node;
}

export function asBinding(node: Node): Binding | undefined {
  if (node.op !== "rcall" || node.args[0] !== "bind") {
    return undefined;
  }
  const [variable, value, body, ...more] = node.args[2];
  const whole = variable !== undefined && value !== undefined && body !== undefined;
  return whole && more.length === 0 ? { variable, value, body } : undefined;
}

/** `has(path)`. */
export function asPresence(node: Node): Node | undefined {
  const found = node.op === "call" && node.args[0] === "has" && node.args[1].length === 1;
  return found ? node.args[1][0] : undefined;
}

/** The name in `a.name` or `a["name"]`; undefined where it is computed. */
export function literalKey(node: AccessNode): string | undefined {
  const key = node.args[1];
  if (typeof key === "string") {
    return key;
  }
  if (key.op !== "value") {
    return undefined;
  }
  const isKey = typeof key.args === "string" || typeof key.args === "bigint";
  return isKey ? String(key.args) : undefined;
}

export function isAccess(node: Node): node is AccessNode {
  return node.op === "." || node.op === ".?" || node.op === "[]" || node.op === "[?]";
}

/** Levels below the node, itself included. Does not recurse: the tree may be too deep for that. */
export function depthOf(tree: Node): number {
  let deepest = 0;
  const open: { node: Node; depth: number }[] = [{ node: tree, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { node, depth } = next;
    deepest = Math.max(deepest, depth);
    for (const child of childrenOf(node)) {
      open.push({ node: child, depth: depth + 1 });
    }
  }
  return deepest;
}

/**
 * The names that an expression takes from outside, not those of comprehensions and bindings; and
 * the members that it reads of each. `whole`: it takes the value itself, too.
 */
export type FreeNames = Map<string, { whole: boolean; members: Set<string> }>;

export function freeNames(tree: Node): FreeNames {
  const names: FreeNames = new Map();
  collectFree(tree, [], names);
  return names;
}

function collectFree(node: Node, bound: readonly string[], names: FreeNames): void {
  if (node.op === "id") {
    if (!bound.includes(node.args)) {
      free(node.args, names).whole = true;
    }
    return;
  }
  if (isAccess(node) && node.args[0].op === "id") {
    const name = node.args[0].args;
    const key = literalKey(node);
    if (key !== undefined && !bound.includes(name)) {
      free(name, names).members.add(key);
      return;
    }
  }
  const scope = asComprehension(node);
  if (scope !== undefined) {
    collectFree(scope.range, bound, names);
    collectAll(scope.inner, withName(bound, scope.variable), names);
    return;
  }
  const binding = asBinding(node);
  if (binding !== undefined) {
    collectFree(binding.value, bound, names);
    collectFree(binding.body, withName(bound, binding.variable), names);
    return;
  }
  collectAll(childrenOf(node), bound, names);
}

function free(name: string, names: FreeNames): { whole: boolean; members: Set<string> } {
  const known = names.get(name) ?? { whole: false, members: new Set() };
  names.set(name, known);
  return known;
}

function collectAll(nodes: readonly Node[], bound: readonly string[], names: FreeNames): void {
  for (const node of nodes) {
    collectFree(node, bound, names);
  }
}

function withName(bound: readonly string[], variable: Node): readonly string[] {
  return variable.op === "id" ? [...bound, variable.args] : bound;
}

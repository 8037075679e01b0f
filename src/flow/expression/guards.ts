// What is known to be there once a condition has been decided: `has(a.b) ? a.b : 0` is safe.

import {
  asBinding,
  asComprehension,
  asPresence,
  childrenOf,
  isAccess,
  literalKey,
  type Node,
} from "./tree.js";

/** A root and names below it, up to the first that is computed. */
export interface Path {
  root: string;
  names: string[];
  /** Offsets of the part that is written literally. */
  start: number;
  end: number;
  /** How many of the names come before the first `.?`; all of them without one. */
  strict: number;
}

/** The path that a chain of accesses starts with; undefined where it starts with no name. */
export function pathOf(node: Node): Path | undefined {
  const links: Node[] = [];
  let base = node;
  while (isAccess(base)) {
    links.unshift(base);
    base = base.args[0];
  }
  if (base.op !== "id") {
    return undefined;
  }
  const path: Path = { root: base.args, names: [], start: base.start, end: base.end, strict: 0 };
  let strict = true;
  for (const link of links) {
    const key = isAccess(link) ? literalKey(link) : undefined;
    if (key === undefined) {
      break;
    }
    strict &&= link.op === "." || link.op === "[]";
    path.names.push(key);
    path.strict += strict ? 1 : 0;
    path.end = link.end;
  }
  return path;
}

/** Paths that exist when `condition` has come out as `outcome`. */
export function factsOf(condition: Node, outcome: boolean): Path[] {
  if (condition.op === "!_") {
    return factsOf(condition.args, !outcome);
  }
  if (condition.op === "&&" || condition.op === "||") {
    // Of a false `&&` and a true `||` we do not know which side it was.
    const both = outcome === (condition.op === "&&");
    return both ? condition.args.flatMap((side) => factsOf(side, outcome)) : [];
  }
  const presence = asPresence(condition);
  if (presence !== undefined) {
    const path = outcome ? pathOf(presence) : undefined;
    return path === undefined ? [] : [{ ...path, strict: path.names.length }];
  }
  return readsOf(condition);
}

/** Paths that a node cannot be evaluated without. */
function readsOf(node: Node): Path[] {
  if (node.op === "id" || isAccess(node)) {
    const path = pathOf(node);
    const known = path === undefined ? [] : [path];
    return isAccess(node) ? [...known, ...childrenOf(node).flatMap(keysOnly)] : known;
  }
  if (node.op === "&&" || node.op === "||" || asPresence(node) !== undefined) {
    return [];
  }
  if (node.op === "?:") {
    return readsOf(node.args[0]);
  }
  const loop = asComprehension(node);
  if (loop !== undefined) {
    return readsOf(loop.range);
  }
  const binding = asBinding(node);
  return (binding === undefined ? childrenOf(node) : [binding.value]).flatMap(readsOf);
}

/** Below an access: its own chain is known already, an index in brackets is a read of its own. */
function keysOnly(node: Node): Path[] {
  return isAccess(node)
    ? childrenOf(node).flatMap(keysOnly)
    : node.op === "id"
      ? []
      : readsOf(node);
}

/**
 * Is the path known to be there? A step is there as a whole: whoever has seen its status may read
 * its output.
 */
export function isGuarded(path: Path, facts: readonly Path[]): boolean {
  const needed = path.root === "steps" ? 1 : path.names.length;
  if (path.strict < Math.min(needed, path.names.length)) {
    return true;
  }
  return facts.some(({ root, names, strict }) => {
    const known = path.root === "steps" ? Math.min(1, strict) : strict;
    const prefix = names.slice(0, known);
    return (
      root === path.root && known > 0 && prefix.every((name, index) => name === path.names[index])
    );
  });
}

// The types of names and of what is reached from them, with a likely fix for what is not there.

import { didYouMean, listed } from "../mistakes.js";
import { isReservedName } from "./env.js";
import { methodsNamed } from "./functions.js";
import { isGuarded, pathOf } from "./guards.js";
import type { Inference, Scope, Visit } from "./inference.js";
import { type AccessNode, literalKey, type Node } from "./tree.js";
import { DYN, isNumber, nameOf, type ObjectType, optionalOf, TYPE, type Type } from "./types.js";

type NameNode = Extract<Node, { op: "id" }>;

const TYPE_NAMES: ReadonlySet<string> = new Set([
  "string",
  "bool",
  "int",
  "uint",
  "double",
  "map",
  "list",
  "bytes",
  "null_type",
  "type",
]);

/** A name by itself. Reads of it are recorded, whatever is then reached from it, by its chain. */
export function inferName(it: Inference, node: NameNode, scope: Scope): Type {
  if (isOutside(node, scope)) {
    record(it, node, scope);
  }
  return typeOfName(it, node, scope);
}

function typeOfName(it: Inference, node: NameNode, scope: Scope): Type {
  const name = node.args;
  const variable = scope.variables.get(name) ?? it.env.roots.get(name);
  if (variable !== undefined) {
    if (name === "secrets" && !scope.variables.has(name)) {
      it.add("expression-type", node, SECRET_ALONE, SECRET_WHERE);
      return DYN;
    }
    return variable;
  }
  if (TYPE_NAMES.has(name)) {
    return TYPE;
  }
  const { message, suggestion } = unknownName(it, name, scope);
  it.add("expression", node, message, suggestion);
  return DYN;
}

export const SECRET_ALONE = "a secret can only stand alone between its braces, in a step's config";
export const SECRET_WHERE = 'write it like "Bearer ${{ secrets.NAME }}"';

function unknownName(it: Inference, name: string, scope: Scope) {
  const message = `there is no "${name}" here`;
  if (name === "error") {
    return { message: '"error" is known only in a step that on_error leads to, and in retry.when' };
  }
  for (const root of ["steps", "context", "secrets"]) {
    const type = it.env.roots.get(root);
    if (type?.kind === "object" && type.properties.has(name)) {
      const rest = root === "steps" ? ".output" : "";
      return { message, suggestion: `did you mean "${root}.${name}${rest}"?` };
    }
  }
  const names = [...scope.variables.keys(), ...it.env.roots.keys()];
  return { message, suggestion: didYouMean(name, names) ?? `here are ${listed(names, "and")}` };
}

/** `a.b`, `a["b"]`, `a[0]`, and the same with a `?` for what may be absent. */
export function inferAccess(
  it: Inference,
  node: AccessNode,
  scope: Scope,
  visit: Visit,
  asked = false,
): Type {
  const path = pathOf(node);
  if (path !== undefined && !scope.variables.has(path.root)) {
    record(it, node, scope, asked);
  }
  return inferChain(it, node, scope, visit);
}

function inferChain(it: Inference, node: AccessNode, scope: Scope, visit: Visit): Type {
  const [from] = node.args;
  if (isSecretAccess(node, scope)) {
    it.add("expression-type", node, SECRET_ALONE, SECRET_WHERE);
    return DYN;
  }
  const left =
    from.op === "id"
      ? typeOfName(it, from, scope)
      : isChain(from)
        ? inferChain(it, from, scope, visit)
        : visit(it, from, scope);
  const index = typeof node.args[1] === "string" ? undefined : visit(it, node.args[1], scope);
  const value = left.kind === "optional" ? left.value : left;
  const type = memberType(it, node, value, index);
  const mayBeAbsent = left.kind === "optional" || node.op === ".?" || node.op === "[?]";
  return mayBeAbsent ? optionalOf(type) : type;
}

function isChain(node: Node): node is AccessNode {
  return node.op === "." || node.op === ".?" || node.op === "[]" || node.op === "[?]";
}

function isSecretAccess(node: AccessNode, scope: Scope): boolean {
  const [from] = node.args;
  return from.op === "id" && from.args === "secrets" && !scope.variables.has("secrets");
}

function memberType(it: Inference, node: AccessNode, left: Type, index: Type | undefined): Type {
  switch (left.kind) {
    case "dyn":
      return DYN;
    case "object":
      return propertyType(it, node, left, index);
    case "list":
      if (index !== undefined && (isNumber(index) || index.kind === "dyn")) {
        return left.item;
      }
      it.add("expression-type", keyPlace(node), ...listMistake(it, node));
      return DYN;
    default: {
      const written = it.written(node.args[0]);
      const message = `${written} is ${nameOf(left)}, and has nothing inside`;
      it.add("expression-type", keyPlace(node), message, callOf(literalKey(node), written));
      return DYN;
    }
  }
}

/** `name.size` and `name.length` want to be calls. */
function callOf(key: string | undefined, written: string): string | undefined {
  if (key === "length" || key === "count") {
    return `write size(${written})`;
  }
  return key !== undefined && methodsNamed(key).length > 0
    ? `write ${written}.${key}(…)`
    : undefined;
}

function listMistake(it: Inference, node: AccessNode): [message: string, suggestion: string] {
  const written = it.written(node.args[0]);
  const key = literalKey(node);
  if (key === undefined) {
    return ["the index of a list is a number", `write ${written}[0]`];
  }
  return [
    `${written} is a list, and has no "${key}"`,
    callOf(key, written) ?? `write ${written}[0].${key}, or ${written}.map(item, item.${key})`,
  ];
}

function propertyType(
  it: Inference,
  node: AccessNode,
  left: ObjectType,
  index: Type | undefined,
): Type {
  if (index !== undefined && index.kind !== "string" && index.kind !== "dyn") {
    const message = `a key of an object is a string, not ${nameOf(index)}`;
    it.add("expression-type", keyPlace(node), message);
    return DYN;
  }
  const key = literalKey(node);
  const isSteps = node.args[0].op === "id" && node.args[0].args === "steps";
  if (key === undefined) {
    if (isSteps && left === it.env.roots.get("steps")) {
      const example = 'write it like steps.fetch or steps["fetch-it"]';
      it.add("expression", keyPlace(node), "a step is named literally", example);
    }
    return left.properties.size === 0 && left.rest !== null ? left.rest : DYN;
  }
  const known = left.properties.get(key) ?? left.rest;
  if (known !== null) {
    return known;
  }
  const names = [...left.properties.keys()];
  const whole = dashed(it, node, key, names);
  const fix =
    whole === undefined ? near(key, names) : `write ${it.written(node.args[0])}["${whole}"]`;
  if (isSteps) {
    it.add("expression", keyPlace(node), `there is no step "${key}" to read here`, fix);
  } else {
    const message = `${it.written(node.args[0])} has no "${key}"`;
    it.add("expression-type", keyPlace(node), message, fix);
  }
  if (whole !== undefined) {
    it.explain(node.end + whole.length - key.length);
  }
  return DYN;
}

/** `steps.my-step` subtracts `step` from `steps.my`: the whole name, if there is one. */
function dashed(it: Inference, node: AccessNode, key: string, names: readonly string[]) {
  return names.find(
    (name) => name.startsWith(`${key}-`) && it.text.startsWith(name.slice(key.length), node.end),
  );
}

/** Of one letter everything is near. */
function near(key: string, names: readonly string[]): string | undefined {
  return (key.length > 1 ? didYouMean(key, names) : undefined) ?? few(names);
}

function few(names: readonly string[]): string | undefined {
  return names.length > 0 && names.length <= 8 ? `it has ${listed([...names], "and")}` : undefined;
}

/** The key alone: what stands before it is not wrong. */
function keyPlace(node: AccessNode): { start: number; end: number } {
  const key = node.args[1];
  return typeof key === "string" ? { start: node.end - key.length, end: node.end } : key;
}

function isOutside(node: NameNode, scope: Scope): boolean {
  return !scope.variables.has(node.args) && !TYPE_NAMES.has(node.args);
}

function record(it: Inference, node: Node, scope: Scope, asked = false): void {
  const path = pathOf(node);
  if (path !== undefined && it.env.roots.has(path.root)) {
    const { root, names, start, end } = path;
    const guarded = asked || isGuarded(path, scope.facts);
    it.reads.push({ root, path: names, start, end, guarded });
  }
}

/** The variable of a comprehension or a binding; undefined when it cannot be one. */
export function variableName(it: Inference, node: Node, scope: Scope): string | undefined {
  if (node.op !== "id") {
    it.add("expression", node, "the first argument must be a name", "write list.map(item, …)");
    return undefined;
  }
  const name = node.args;
  if (it.env.roots.has(name) || scope.variables.has(name) || isReservedName(name)) {
    it.add("expression", node, `"${name}" means something already`, "take another name");
    return undefined;
  }
  return name;
}

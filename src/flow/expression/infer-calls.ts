// The types of calls: functions, methods, loops over lists, bindings, `has` and optionals.

import { didYouMean } from "../mistakes.js";
import {
  FUNCTION_NAMES,
  functionsNamed,
  methodNames,
  methodsNamed,
  namesOf,
  OTHER_SPELLINGS,
  type Signature,
  takes,
} from "./functions.js";
import { inferAccess, variableName } from "./infer-access.js";
import type { Inference, Scope, Visit } from "./inference.js";
import { patternMistake } from "./pattern.js";
import {
  asBinding,
  asComprehension,
  asPresence,
  type CallNode,
  type Comprehension,
  isAccess,
  type MethodNode,
  type Node,
} from "./tree.js";
import { BOOL, DYN, listOf, nameOf, optionalOf, STRING, type Type, unify } from "./types.js";

export function inferCall(it: Inference, node: CallNode, scope: Scope, visit: Visit): Type {
  const [name, given] = node.args;
  if (name === "has") {
    return inferPresence(it, node, scope, visit);
  }
  const types = given.map((argument) => visit(it, argument, scope));
  const signatures = functionsNamed(name);
  if (signatures.length === 0) {
    const place = { start: node.start, end: node.start + name.length };
    const asMethod = methodsNamed(name).length > 0 && given[0] !== undefined;
    const fix = asMethod
      ? `write ${it.written(given[0] as Node)}.${name}(…)`
      : (spelling(name) ?? didYouMean(name, FUNCTION_NAMES) ?? SOME_FUNCTIONS);
    it.add("expression", place, `there is no function "${name}"`, fix);
    return DYN;
  }
  return choose(it, node, name, signatures, given, types);
}

const SOME_FUNCTIONS =
  "the functions are has, size, string, int, double, bool, timestamp and duration";

export function inferMethod(it: Inference, node: MethodNode, scope: Scope, visit: Visit): Type {
  const loop = asComprehension(node);
  if (loop !== undefined) {
    return inferLoop(it, loop, scope, visit);
  }
  const [name, receiver, given] = node.args;
  if (receiver.op === "id" && !scope.variables.has(receiver.args)) {
    if (receiver.args === "cel") {
      return inferBinding(it, node, scope, visit);
    }
    if (receiver.args === "optional") {
      return inferOptional(it, node, scope, visit);
    }
  }
  const type = visit(it, receiver, scope);
  const types = given.map((argument) => visit(it, argument, scope));
  if (type.kind === "optional" || OPTIONAL_METHODS.has(name)) {
    return inferOptionalMethod(it, node, type, types);
  }
  const named = methodsNamed(name);
  const fitting = named.filter((one) => one.receiver?.some((taken) => takes(taken, type)));
  if (fitting.length === 0) {
    it.add("expression-type", methodPlace(it, node), ...noMethod(it, node, type, named.length > 0));
    return DYN;
  }
  checkPattern(it, name, given);
  return choose(it, node, name, fitting, given, types);
}

/** The result of the signature that takes what is given; else says which argument is wrong. */
function choose(
  it: Inference,
  node: Node,
  name: string,
  signatures: readonly Signature[],
  given: readonly Node[],
  types: readonly Type[],
): Type {
  const many = signatures.filter((signature) => signature.takes.length === types.length);
  if (many.length === 0) {
    const counts = [...new Set(signatures.map((signature) => signature.takes.length))].sort();
    const wanted = `${counts.join(" or ")} argument${counts.at(-1) === 1 ? "" : "s"}`;
    it.add("expression-type", node, `${name}() takes ${wanted}, not ${types.length}`);
    return DYN;
  }
  const fits = ({ takes: wanted }: Signature) =>
    wanted.every((taken, index) => taken.some((one) => takes(one, types[index] ?? DYN)));
  const chosen = many.filter(fits);
  if (chosen.length > 0) {
    return chosen.map(({ gives }) => gives).reduce(unify);
  }
  const wanted = many[0]?.takes ?? [];
  const wrong = wanted.findIndex((taken, at) => !taken.some((one) => takes(one, types[at] ?? DYN)));
  const type = types[wrong] ?? DYN;
  const message = `${name}() takes ${namesOf(wanted[wrong] ?? [])}, not ${nameOf(type)}`;
  const fix = type.kind === "optional" ? "put .orValue(…) behind it" : undefined;
  it.add("expression-type", given[wrong] ?? node, message, fix);
  return DYN;
}

function noMethod(
  it: Inference,
  node: MethodNode,
  type: Type,
  known: boolean,
): [message: string, suggestion: string | undefined] {
  const [name, receiver, given] = node.args;
  if (functionsNamed(name).length > 0) {
    const rest = given.map((argument) => it.written(argument));
    const call = `${name}(${[it.written(receiver), ...rest].join(", ")})`;
    return [`"${name}" is a function, not a method`, `write ${call}`];
  }
  const spelled = name === "join" ? "put .map(item, string(item)) before it" : spelling(name);
  const fix = spelled ?? (known ? undefined : didYouMean(name, methodNames(type)));
  return type.kind === "dyn"
    ? [`there is no method "${name}"`, fix]
    : [`${nameOf(type)} has no method "${name}"`, fix];
}

function spelling(name: string): string | undefined {
  const meant = OTHER_SPELLINGS.get(name);
  return meant && `write ${meant}`;
}

/** The name of the method, behind its dot. */
function methodPlace(it: Inference, node: MethodNode): { start: number; end: number } {
  const [name, receiver] = node.args;
  const start = it.text.indexOf(name, receiver.end);
  return start === -1 ? node : { start, end: start + name.length };
}

function checkPattern(it: Inference, name: string, [pattern]: readonly Node[]): void {
  if (name === "matches" && pattern?.op === "value" && typeof pattern.args === "string") {
    const mistake = patternMistake(pattern.args);
    if (mistake !== undefined) {
      it.add("regex", pattern, `this is no regular expression of RE2: ${mistake}`);
    }
  }
}

function inferPresence(it: Inference, node: CallNode, scope: Scope, visit: Visit): Type {
  const path = asPresence(node);
  if (path === undefined || !isAccess(path)) {
    const message = "has() asks for one path";
    it.add("expression", node, message, "write it like has(steps.fetch.output)");
    return BOOL;
  }
  // What is asked for is not read: it may be absent.
  inferAccess(it, path, scope, visit, true);
  return BOOL;
}

function inferLoop(it: Inference, loop: Comprehension, scope: Scope, visit: Visit): Type {
  const { name, range, variable, inner } = loop;
  const element = elementOf(it, name, range, visit(it, range, scope));
  const variableNamed = variableName(it, variable, scope);
  const inside: Scope =
    variableNamed === undefined
      ? { ...scope, variables: withVariable(scope, variable, DYN) }
      : { ...scope, variables: new Map([...scope.variables, [variableNamed, element]]) };
  const types = inner.map((part) => visit(it, part, inside));
  const [first] = inner;
  if (first !== undefined && (name !== "map" || inner.length === 2)) {
    it.needBoolean(first, types[0] ?? DYN, `${name}()`);
  }
  switch (name) {
    case "map":
      return listOf(types.at(-1) ?? DYN);
    case "filter":
      return listOf(element);
    default:
      return BOOL;
  }
}

/** A name that cannot be taken has been complained about, and is then any value. */
function withVariable(scope: Scope, variable: Node, type: Type): ReadonlyMap<string, Type> {
  return variable.op === "id"
    ? new Map([...scope.variables, [variable.args, type]])
    : scope.variables;
}

function elementOf(it: Inference, name: string, range: Node, type: Type): Type {
  switch (type.kind) {
    case "list":
      return type.item;
    case "object":
      return STRING;
    case "dyn":
      return DYN;
    default:
      it.add(
        "expression-type",
        range,
        `${name}() goes through a list, or the keys of an object, not ${nameOf(type)}`,
        type.kind === "optional" ? "put .orValue([]) behind it" : undefined,
      );
      return DYN;
  }
}

function inferBinding(it: Inference, node: MethodNode, scope: Scope, visit: Visit): Type {
  const binding = asBinding(node);
  if (binding === undefined) {
    it.add("expression", node, 'of "cel" there is only cel.bind(name, value, expression)');
    return DYN;
  }
  const value = visit(it, binding.value, scope);
  const name = variableName(it, binding.variable, scope);
  const variables =
    name === undefined
      ? withVariable(scope, binding.variable, DYN)
      : new Map([...scope.variables, [name, value]]);
  return visit(it, binding.body, { ...scope, variables });
}

const OPTIONAL_METHODS: ReadonlySet<string> = new Set(["or", "orValue", "hasValue", "value"]);

function inferOptional(it: Inference, node: MethodNode, scope: Scope, visit: Visit): Type {
  const [name, , given] = node.args;
  const [value = DYN] = given.map((argument) => visit(it, argument, scope));
  if (name === "of" && given.length === 1) {
    return optionalOf(value);
  }
  if (name !== "none" || given.length > 0) {
    it.add("expression", node, 'of "optional" there are optional.of(value) and optional.none()');
  }
  return optionalOf(DYN);
}

function inferOptionalMethod(
  it: Inference,
  node: MethodNode,
  type: Type,
  types: readonly Type[],
): Type {
  const [name, receiver, given] = node.args;
  if (type.kind !== "optional") {
    const fix = isAccess(receiver) ? "write .? before the last name of its path" : undefined;
    it.add("expression-type", receiver, `${name}() is for what may be absent`, fix);
    return DYN;
  }
  const [other] = types;
  const wanted = name === "or" || name === "orValue" ? 1 : 0;
  if (!OPTIONAL_METHODS.has(name)) {
    const fix = `put .orValue(…) before .${name}`;
    it.add("expression-type", receiver, `${it.written(receiver)} may be absent`, fix);
    return DYN;
  }
  if (given.length !== wanted) {
    const plural = wanted === 1 ? "1 argument" : "no argument";
    it.add("expression-type", node, `${name}() takes ${plural}, not ${given.length}`);
    return DYN;
  }
  switch (name) {
    case "hasValue":
      return BOOL;
    case "value":
      return type.value;
    case "or":
      if (other?.kind !== "optional") {
        it.add(
          "expression-type",
          given[0] ?? node,
          "or() takes what may be absent as well",
          "write orValue(…)",
        );
      }
      return unify(type, other?.kind === "optional" ? other : optionalOf(DYN));
    default:
      return unify(type.value, other ?? DYN);
  }
}

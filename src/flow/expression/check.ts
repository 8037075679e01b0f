// Checks expressions before anything runs: is it CEL, does it fit the types, what does it read.

import { didYouMean } from "../mistakes.js";
import type { TypeEnv } from "./env.js";
import type { Checked, Finding, FindingKind, Reference } from "./finding.js";
import { infer } from "./infer.js";
import { SECRET_ALONE, SECRET_WHERE } from "./infer-access.js";
import { Inference } from "./inference.js";
import { type Mishap, MishapError } from "./mishap.js";
import { parseExpression } from "./parse.js";
import { type ExpressionPart, findExpressions, wholeExpression } from "./parts.js";
import { compileOnce, type Program, run, secretNamed } from "./program.js";
import { childrenOf, freeNames, type Node } from "./tree.js";
import { DYN, nameOf, nullable, SECRET, STRING, type Type } from "./types.js";

export interface Place {
  /** Is this part of a step's config? Only there `${{ secrets.X }}` may stand. */
  secrets?: boolean;
}

/** A string that may hold `${{ … }}`. One that is nothing else has the type of its value. */
export function checkText(text: string, env: TypeEnv, place: Place = {}): Checked {
  if (!text.includes("${{")) {
    return { type: { kind: "string", values: [text] }, findings: [], reads: [] };
  }
  const { parts, findings } = findExpressions(text);
  const checked = parts
    .filter((part): part is ExpressionPart => part.kind === "expression")
    .map((part) => shift(checkExpression(part.text, env, place), part.offset));
  return {
    type: wholeExpression(parts) === undefined ? STRING : (checked[0]?.type ?? DYN),
    findings: [...checked.flatMap((one) => one.findings), ...findings].sort(byPosition),
    reads: checked.flatMap((one) => one.reads),
  };
}

/** A string that is an expression without braces: `when`, `if`. */
export function checkBare(text: string, env: TypeEnv, wanted?: "bool"): Checked {
  const braces = bracesOf(text);
  if (braces !== undefined) {
    return { type: DYN, findings: [braces], reads: [] };
  }
  const checked = checkExpression(text, env, {});
  if (wanted === undefined || checked.findings.some(({ severity }) => severity === "error")) {
    return checked;
  }
  const start = text.length - text.trimStart().length;
  const whole = { start, end: text.trimEnd().length };
  const { type } = checked;
  if (type.kind !== "bool" && type.kind !== "dyn") {
    const inference = new Inference(text, env);
    const tree = treeOf(text);
    if (tree !== undefined) {
      inference.needBoolean(tree, type, "a condition");
    }
    return { ...checked, findings: [...checked.findings, ...inference.findings] };
  }
  const constants = constantsIn(text, whole);
  return { ...checked, findings: [...checked.findings, ...constants].sort(byPosition) };
}

function checkExpression(text: string, env: TypeEnv, place: Place): Checked {
  const parsed = parseExpression(text);
  if ("finding" in parsed) {
    return { type: DYN, findings: [parsed.finding], reads: [] };
  }
  const { tree } = parsed;
  if (secretNamed(tree) !== undefined) {
    return checkSecret(text, tree, env, place);
  }
  const inference = new Inference(text, env);
  const type = infer(inference, tree, { variables: new Map(), facts: [] });
  const { findings, reads } = inference;
  if (findings.length === 0) {
    findings.push(...outcomeOf(text, tree, type));
  }
  return { type: outside(type), findings: findings.sort(byPosition), reads };
}

/** What the value is where the expression ends: an optional that is absent is null there. */
function outside(type: Type): Type {
  return type.kind === "optional" ? nullable(outside(type.value)) : type;
}

/** What can be said only when all types are right. */
function outcomeOf(text: string, tree: Node, type: Type): Finding[] {
  if (type.kind === "bytes" || type.kind === "type") {
    const fix = type.kind === "bytes" ? "put .base64() or .string() behind it" : undefined;
    return [error("expression-type", tree, `the value is ${nameOf(type)}, which is not JSON`, fix)];
  }
  const program = compileOnce(text);
  if (program.kind === "broken") {
    return [ofMishap(program.mishap)];
  }
  // Without anything from outside, what goes wrong once goes wrong always.
  if (program.kind === "runnable" && program.names.size === 0) {
    const mishap = mishapIn(program);
    return mishap === undefined ? [] : [ofMishap(mishap)];
  }
  return [];
}

function checkSecret(text: string, tree: Node, env: TypeEnv, place: Place): Checked {
  const name = secretNamed(tree) ?? "";
  const { start, end } = tree;
  const reads: Reference[] = [{ root: "secrets", path: [name], start, end, guarded: false }];
  if (!place.secrets) {
    const finding = error("expression-type", tree, SECRET_ALONE, SECRET_WHERE);
    return { type: DYN, findings: [finding], reads };
  }
  const inference = new Inference(text, env);
  const secrets = env.roots.get("secrets");
  if (secrets?.kind === "object" && !secrets.properties.has(name)) {
    const names = [...secrets.properties.keys()];
    const fix = didYouMean(name, names) ?? `add ${name} to "secrets:"`;
    const place = { start: Math.max(start, end - name.length), end };
    inference.add("expression", place, `the secret "${name}" is not declared`, fix);
  }
  return { type: SECRET, findings: inference.findings, reads };
}

/** `if: ${{ … }}`: the braces are for texts. */
function bracesOf(text: string): Finding | undefined {
  const braces = /^\s*\$\{\{([\s\S]*)\}\}\s*$/.exec(text);
  if (braces === null) {
    return undefined;
  }
  const place = { start: 0, end: text.length };
  const inner = braces[1]?.trim() ?? "";
  const fix = inner.length > 60 ? 'leave out "${{" and "}}"' : `write ${inner}`;
  return error("expression", place, "an expression stands here without braces", fix);
}

/** Conditions, and parts of them, that come out the same whatever the run is about. */
function constantsIn(text: string, whole: { start: number; end: number }): Finding[] {
  const tree = treeOf(text);
  if (tree === undefined) {
    return [];
  }
  const outcome = constantOf(text, tree);
  if (outcome !== undefined) {
    return [constant(whole, outcome)];
  }
  const findings: Finding[] = [];
  const open: Node[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    for (const part of conditionsOf(node)) {
      const value = constantOf(text, part);
      if (value !== undefined) {
        findings.push(constant(part, value));
      }
    }
    open.push(...childrenOf(node));
  }
  return findings;
}

function conditionsOf(node: Node): readonly Node[] {
  switch (node.op) {
    case "&&":
    case "||":
      return node.args;
    case "?:":
      return [node.args[0]];
    default:
      return [];
  }
}

function constantOf(text: string, node: Node): boolean | undefined {
  if (freeNames(node).size > 0) {
    return undefined;
  }
  try {
    const value = run(compileOnce(text.slice(node.start, node.end)), {});
    return typeof value === "boolean" ? value : undefined;
  } catch (error) {
    if (error instanceof MishapError) {
      return undefined;
    }
    throw error;
  }
}

function constant(place: { start: number; end: number }, value: boolean): Finding {
  const { start, end } = place;
  const message = `this is always ${value}`;
  return { start, end, kind: "constant-condition", severity: "warning", message };
}

function mishapIn(program: Program): Mishap | undefined {
  try {
    run(program, {});
    return undefined;
  } catch (error) {
    if (error instanceof MishapError) {
      return error.mishap;
    }
    throw error;
  }
}

const KIND_OF_MISHAP: { readonly [kind: string]: FindingKind } = {
  cost: "cost",
  regex: "regex",
  type: "expression-type",
};

function ofMishap(mishap: Mishap): Finding {
  return error(KIND_OF_MISHAP[mishap.kind] ?? "expression", mishap, mishap.message);
}

function treeOf(text: string): Node | undefined {
  const parsed = parseExpression(text);
  return "tree" in parsed ? parsed.tree : undefined;
}

function error(
  kind: FindingKind,
  { start, end }: { start: number; end: number },
  message: string,
  suggestion?: string,
): Finding {
  const finding: Finding = { start, end, kind, severity: "error", message };
  return suggestion === undefined ? finding : { ...finding, suggestion };
}

function shift(checked: Checked, by: number): Checked {
  const moved = <Placed extends { start: number; end: number }>(placed: Placed): Placed => ({
    ...placed,
    start: placed.start + by,
    end: placed.end + by,
  });
  return {
    type: checked.type,
    findings: checked.findings.map(moved),
    reads: checked.reads.map(moved),
  };
}

function byPosition(a: Finding, b: Finding): number {
  return a.start - b.start || a.end - b.end;
}

// Data from outside does not choose a host or a program, and nothing becomes part of a script.

import {
  type ExpressionPart,
  findExpressions,
  type Part,
  type Reference,
} from "../expression/index.js";
import { choosers } from "../fixed-host.js";
import type { Json, JsonObject } from "../json.js";
import { get, stepsOf } from "../model.js";
import { placeInScalar } from "../scalar-text.js";
import { foreachesAround, type Use } from "../uses.js";
import { itemName } from "./expressions.js";
import type { Rule, Subject } from "./rule.js";

export const tainted: Rule = {
  name: "tainted",
  says: "What comes from outside chooses neither a host nor a program; a script is literal.",
  kinds: ["tainted-input"],
  after: [],
  check(subject) {
    for (const use of subject.uses) {
      if (use.role !== "config" || typeof use.node.json !== "string") continue;
      const { parts } = findExpressions(use.node.json);
      if (isScript(use)) checkScript(subject, use, parts);
      else if (/\/config\/url$/.test(use.pointer)) checkHost(subject, use, use.node.json);
      else if (isProgram(use)) checkProgram(subject, use, parts);
    }
  },
};

/** Even a bounded value can end the script's quotes, and a secret would be seen in `ps`. */
function checkScript({ text, findings }: Subject, { node }: Use, parts: readonly Part[]): void {
  for (const { kind, start, end } of parts) {
    if (kind === "literal") continue;
    const place = placeInScalar(text, node, start, end);
    const message = "an expression becomes part of a script, and what it gives would be run";
    const suggestion = 'pass it in env, and write "$NAME" in the script';
    // Unlike the others: there is always another way, and no value with which this one is safe.
    findings.add("tainted-input", place, message, suggestion, "error");
  }
}

/** Nothing but an enum will do here: the local host refuses what this speaks of. */
function checkHost(subject: Subject, { node }: Use, url: string): void {
  const { text, root, lists_hosts, findings } = subject;
  if (lists_hosts) return;
  for (const part of choosers(url, get(root, "context")?.json)) {
    const message = "data from outside chooses the host of this address";
    const suggestion =
      "write the host down, bound the value by an enum in context, " +
      "or start flows with --allow-host HOST for each that may be called";
    const place = placeInScalar(text, node, ...rangeOf(part));
    findings.add("tainted-input", place, message, suggestion);
  }
}

/** Without the blanks around it. */
function rangeOf({ text, offset }: ExpressionPart): [start: number, end: number] {
  const start = offset + text.length - text.trimStart().length;
  return [start, start + text.trim().length];
}

function checkProgram(subject: Subject, use: Use, parts: readonly Part[]): void {
  for (const read of use.checked.reads) {
    const inside = parts.some(({ start, end }) => start <= read.start && read.end <= end);
    if (inside && isTainted(read, use, subject)) {
      const place = placeInScalar(subject.text, use.node, read.start, read.end);
      const message = "data from outside chooses the program that runs";
      const suggestion =
        "write the program down, or bound the value: an enum or a pattern in context";
      subject.findings.add("tainted-input", place, message, suggestion);
    }
  }
}

/** The text of `script`, or what a shell is given by `-c`. */
function isScript({ step, pointer }: Use): boolean {
  if (step?.type !== "shell") return false;
  if (/\/config\/script$/.test(pointer)) return true;
  const index = Number(/\/config\/command\/(\d+)$/.exec(pointer)?.[1]);
  const words = get(get(step.node, "config"), "command")?.items?.map(({ json }) => String(json));
  const isShell = /^(?:.*\/)?(?:ba|da|z|k|a)?sh$/.test(words?.[0] ?? "");
  return isShell && /^-[a-z]*c[a-z]*$/.test(words?.[index - 1] ?? "");
}

function isProgram({ step, pointer }: Use): boolean {
  return step?.type === "shell" && /\/config\/command\/0$/.test(pointer);
}

/** Context counts, unless its schema bounds the value; so does what other services answered. */
function isTainted({ root, path }: Reference, use: Use, subject: Subject): boolean {
  switch (root) {
    case "trigger":
      return path[0] !== "type";
    case "context":
      return !isBounded(get(subject.root, "context")?.json, path);
    case "steps": {
      const step = [...stepsOf(subject.body)].find(({ id }) => id === path[0]);
      const type = step === undefined ? undefined : subject.catalog[step.type];
      const declared = step && get(step.node, "output")?.json;
      return path[1] === "output" && !type?.control && !isBounded(declared, path.slice(2));
    }
    default: {
      const foreach = foreachesAround(use.body).find((around) => itemName(around) === root);
      const items = foreach && get(get(foreach.node, "config"), "items");
      return items !== undefined && !Array.isArray(items.json);
    }
  }
}

function isBounded(schema: Json | undefined, path: readonly string[]): boolean {
  let at: Json | undefined = schema;
  for (const name of path) {
    const properties: Json | undefined = isObject(at) ? at.properties : undefined;
    at = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  }
  if (!isObject(at)) {
    return false;
  }
  const bounds = ["enum", "const", "pattern", "format"];
  const types = ["number", "integer", "boolean"];
  return bounds.some((key) => at[key] !== undefined) || types.includes(String(at.type));
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

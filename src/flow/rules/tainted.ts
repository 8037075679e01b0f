// Data from outside does not choose the host of an address, nor become part of a shell script.

import { type ExpressionPart, findExpressions, type Reference } from "../expression/index.js";
import type { Json, JsonObject } from "../json.js";
import { get, stepsOf } from "../model.js";
import { placeInScalar } from "../scalar-text.js";
import { foreachesAround, type Use } from "../uses.js";
import { itemName } from "./expressions.js";
import type { Rule, Subject } from "./rule.js";

export const tainted: Rule = {
  name: "tainted",
  says: "What comes from outside neither chooses a URL's host nor is run by a shell.",
  kinds: ["tainted-input"],
  after: [],
  check(subject) {
    for (const use of subject.uses) {
      const text = use.node.json;
      if (use.role !== "config" || typeof text !== "string") {
        continue;
      }
      const parts = dangerous(use, text);
      for (const read of use.checked.reads) {
        const inside = parts.some(({ start, end }) => start <= read.start && read.end <= end);
        if (inside && isTainted(read, use, subject)) {
          const place = placeInScalar(subject.text, use.node, read.start, read.end);
          const [message, suggestion] = WORDS[isScript(use) ? "script" : "host"];
          subject.findings.add("tainted-input", place, message, suggestion);
        }
      }
    }
  },
};

const WORDS = {
  host: [
    "data from outside chooses the host of this address",
    "write the host down, or bound the value: an enum, a pattern or a format in context",
  ],
  script: [
    "data from outside becomes part of a shell script, and may end its quotes",
    'pass it in env, and write "$NAME" in the script',
  ],
} as const;

function isScript({ step, pointer }: Use): boolean {
  return step?.type === "shell" && /\/config\/script$/.test(pointer);
}

/** The expressions that can do harm: all of a script, and those of a URL up to its host's end. */
function dangerous(use: Use, text: string): ExpressionPart[] {
  const { parts } = findExpressions(text);
  if (isScript(use)) {
    return parts.filter((part) => part.kind === "expression");
  }
  if (!/\/config\/url$/.test(use.pointer)) {
    return [];
  }
  const found: ExpressionPart[] = [];
  let before = "";
  for (const part of parts) {
    if (part.kind === "expression") {
      found.push(part);
    } else {
      before += part.text;
    }
    if (/^[^:/?#]*:\/\/[^/?#]*[/?#]/.test(before)) {
      break;
    }
    before += part.kind === "expression" ? "x" : "";
  }
  return found;
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

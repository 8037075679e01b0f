// Does a value of the file fit a schema, with expressions left open? Places the mistakes in it.

import type { Kind } from "../diagnostic.js";
import { accepts, nameOf, typeOf } from "../expression/index.js";
import type { Place } from "../findings.js";
import type { Json, JsonObject } from "../json.js";
import type { Forgive, Mistake } from "../mistakes.js";
import { keyAt, nodeAt, placeAt, type TextNode } from "../tree.js";
import { validatorOf } from "../validator.js";
import type { Subject } from "./rule.js";

/** What an expression will be is the expression rules' to judge, not the schema's. */
const isExpression: Forgive = (value, keyword, schema) => {
  const literal = schema["x-literal"] === true;
  if (literal || typeof value !== "string" || !value.includes("${{")) {
    return false;
  }
  const whole = /^\s*\$\{\{[\s\S]*\}\}\s*$/.test(value);
  return keyword === "type" ? whole : keyword !== "additionalProperties";
};

/** The mistakes in `value`, which stays as it is; defaults fill a copy. */
export function mistakesIn(value: Json, schema: JsonObject): Mistake[] {
  return validatorOf(schema).mistakes(copy(value), isExpression);
}

/** Does the context given at `pointer` fit the one that a workflow declares? */
export function checkContextGiven(
  subject: Pick<Subject, "root" | "findings" | "uses">,
  given: TextNode | undefined,
  pointer: string,
  otherwise: Place,
  schema: Json | undefined,
  of: string,
): void {
  if (!isObject(schema) || (given !== undefined && given.entries === undefined)) {
    return;
  }
  const { findings, root } = subject;
  for (const mistake of mistakesIn(given?.json ?? {}, schema)) {
    const place = given === undefined ? otherwise : placeOf(root, pointer + mistake.path, mistake);
    const message = `the context does not fit ${of}: ${mistake.message}`;
    findings.add("context-type", place, message, mistake.suggestion);
  }
  for (const use of subject.uses) {
    if (given !== undefined && use.pointer.startsWith(`${pointer}/`)) {
      const wanted = typeOf(schemaAt(schema, use.pointer.slice(pointer.length)));
      if (use.checked.findings.length === 0 && !accepts(wanted, use.checked.type)) {
        const gives = nameOf(use.checked.type);
        const message = `the context does not fit ${of}: must be ${nameOf(wanted)}, not ${gives}`;
        findings.add("context-type", use.node, message);
      }
    }
  }
}

export function addMistakes(
  subject: Pick<Subject, "root" | "findings">,
  base: string,
  mistakes: readonly Mistake[],
): void {
  for (const mistake of mistakes) {
    const place = placeOf(subject.root, base + mistake.path, mistake);
    subject.findings.add(mistake.kind as Kind, place, mistake.message, mistake.suggestion);
  }
}

/** An unknown key is wrong itself; a missing one is missing at its parent's key. */
function placeOf(root: TextNode, pointer: string, mistake: Mistake): Place {
  if (mistake.key !== undefined) {
    return nodeAt(root, pointer).entries?.get(mistake.key)?.key ?? placeAt(root, pointer);
  }
  if (mistake.kind === "missing-key") {
    return keyAt(root, pointer) ?? placeAt(root, pointer);
  }
  return placeAt(root, pointer);
}

function schemaAt(schema: Json, pointer: string): Json | undefined {
  let at: Json | undefined = schema;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isObject(at)) {
      return undefined;
    }
    const properties: Json | undefined = at.properties;
    if (isObject(properties) && Object.hasOwn(properties, name)) {
      at = properties[name];
    } else {
      at = at.items ?? at.additionalProperties;
    }
  }
  return at;
}

/** ajv fills defaults into what it checks, and the file's values are shared between aliases. */
function copy(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(copy);
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, copy(entry)]));
  }
  return value;
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

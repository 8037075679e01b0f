// Evaluates the expressions in texts, values and configs over plain JSON.

import { MAX_COMPILED_EXPRESSIONS } from "../../limits.js";
import type { Json, JsonObject } from "../json.js";
import { Cache } from "./cache.js";
import { ExpressionError } from "./finding.js";
import { toText } from "./json-value.js";
import { MishapError } from "./mishap.js";
import { type ExpressionPart, type Found, findExpressions, wholeExpression } from "./parts.js";
import { compile, run, type Scope } from "./program.js";

/** A string with a secret in it, for the host to fill in just before the call. */
export interface SecretText {
  /** JSON pointer into the config; an empty string stands there. */
  pointer: string;
  /** Literal text and values are data: whatever they look like, they are never expanded. */
  parts: (string | { secret: string })[];
}

export interface FilledConfig {
  config: JsonObject;
  secrets: SecretText[];
}

/** The value of an expression without braces. Throws an `ExpressionError`. */
export function evaluateBare(text: string, scope: Scope): Json {
  return evaluateAt(text, 0, scope, text);
}

/** The same, for a condition: anything but a boolean is an `ExpressionError`. */
export function evaluateCondition(text: string, scope: Scope): boolean {
  const value = evaluateBare(text, scope);
  if (typeof value !== "boolean") {
    const given = JSON.stringify(value).slice(0, 40);
    const message = `it gives ${given}, and a condition needs a boolean`;
    throw failure("type", message, text, text, 0, text.length);
  }
  return value;
}

/**
 * The value with every expression in its strings evaluated, at any depth. A string that is one
 * expression becomes its value, of whatever type; in any other, the values become text.
 */
export function evaluateValue(value: Json, scope: Scope): Json {
  return mapStrings(value, "", (text) => evaluateText(text, scope));
}

/** Of objects that are asked about again and again: the configs of a workflow's steps. */
const constants = new WeakMap<object, boolean>();

/** Whether there is no expression in the value's strings, at any depth. */
export function isConstant(value: Json): boolean {
  if (typeof value === "string") return !value.includes("${{");
  if (value === null || typeof value !== "object") return true;
  const known = constants.get(value);
  if (known !== undefined) return known;
  const found = Object.values(value).every(isConstant);
  constants.set(value, found);
  return found;
}

/**
 * The same for a step's config, whose strings may mention secrets. Secrets are no values here: a
 * string with one is left empty, and described for the host.
 */
export function evaluateConfig(config: JsonObject, scope: Scope): FilledConfig {
  const secrets: SecretText[] = [];
  const filled = mapStrings(config, "", (text, pointer) => {
    const parts = secretParts(text, scope);
    if (parts === undefined) {
      return evaluateText(text, scope);
    }
    secrets.push({ pointer, parts });
    return "";
  });
  return { config: filled as JsonObject, secrets };
}

const texts = new Cache<Found>(MAX_COMPILED_EXPRESSIONS);

function partsOf(text: string): Found["parts"] {
  const { parts, findings } = texts.get(text, findExpressions);
  const [finding] = findings;
  if (finding !== undefined) {
    const { message, start, end } = finding;
    throw failure("syntax", message, text, text.slice(start, end), start, end);
  }
  return parts;
}

function evaluateText(text: string, scope: Scope): Json {
  if (!text.includes("${{")) {
    return text;
  }
  const parts = partsOf(text);
  const whole = wholeExpression(parts);
  if (whole !== undefined) {
    return evaluatePart(whole, scope, text);
  }
  return parts
    .map((part) => (part.kind === "literal" ? part.text : toText(evaluatePart(part, scope, text))))
    .join("");
}

/** The text in parts, when a secret is among them. */
function secretParts(text: string, scope: Scope): SecretText["parts"] | undefined {
  if (!text.includes("${{")) {
    return undefined;
  }
  const parts = partsOf(text);
  const isSecret = (part: ExpressionPart) => compile(part.text).kind === "secret";
  if (!parts.some((part) => part.kind === "expression" && isSecret(part))) {
    return undefined;
  }
  return parts.map((part) => {
    if (part.kind === "literal") {
      return part.text;
    }
    const program = compile(part.text);
    return program.kind === "secret"
      ? { secret: program.name }
      : toText(evaluatePart(part, scope, text));
  });
}

function evaluatePart(part: ExpressionPart, scope: Scope, text: string): Json {
  return evaluateAt(part.text, part.offset, scope, text);
}

function evaluateAt(expression: string, offset: number, scope: Scope, text: string): Json {
  try {
    return run(compile(expression), scope);
  } catch (error) {
    if (error instanceof MishapError) {
      const { kind, message, start, end } = error.mishap;
      throw failure(kind, message, text, expression, offset + start, offset + end);
    }
    throw error;
  }
}

function failure(
  kind: ExpressionError["kind"],
  message: string,
  text: string,
  expression: string,
  start: number,
  end: number,
): ExpressionError {
  const trimmed = expression.trim();
  const shown = trimmed.length > 80 ? `${trimmed.slice(0, 79)}…` : trimmed;
  return new ExpressionError(kind, `${message} (in the expression ${shown})`, text, start, end);
}

/** A copy with every string replaced. Keys stay as they are, whatever they are. */
function mapStrings(
  value: Json,
  pointer: string,
  replace: (text: string, pointer: string) => Json,
): Json {
  if (typeof value === "string") {
    return replace(value, pointer);
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => mapStrings(item, `${pointer}/${index}`, replace));
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, item]): [string, Json] => {
      const escaped = key.replaceAll("~", "~0").replaceAll("/", "~1");
      return [key, mapStrings(item, `${pointer}/${escaped}`, replace)];
    });
    return Object.fromEntries(entries);
  }
  return value;
}

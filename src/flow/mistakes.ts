// From ajv's errors to mistakes as people see them: one mistake, one message.

import type { ErrorObject } from "ajv";
import { distance } from "fastest-levenshtein";
import type { Kind } from "./diagnostic.js";
import { parseDuration } from "./duration.js";
import type { Json, JsonObject } from "./json.js";

/** What does not fit, without a place in a text yet. */
export interface Mistake {
  /** JSON pointer to the value; with `key`, to the mapping that has the key. */
  path: string;
  key?: string;
  kind: Kind;
  message: string;
  suggestion?: string;
  /** The keys that are missing, or that an unknown key may have meant. */
  names?: string[];
}

/** True: a value may yet become what the schema wants, so an error about it says nothing. */
export type Forgive = (value: Json, keyword: string, schema: JsonObject) => boolean;

/** In the order of ajv; errors that only follow from another one are left out. */
export function mistakesOf(errors: readonly ErrorObject[], forgive?: Forgive): Mistake[] {
  const open = forgive === undefined ? errors : withoutForgiven(errors, forgive);
  const kept = withoutAlternatives(open);
  const mistakes = kept.filter((error) => !isSummary(error, kept)).map(toMistake);
  return mistakes.filter(
    (mistake) => !isMisspelled(mistake, mistakes) && !isOfNoMapping(mistake, mistakes),
  );
}

/** What is no mapping has no keys to miss. */
function isOfNoMapping({ kind, path }: Mistake, mistakes: readonly Mistake[]): boolean {
  return (
    kind === "missing-key" &&
    mistakes.some((other) => other.kind === "type" && other.path === path && !other.key)
  );
}

/** A key is missing because it stands there misspelled. */
function isMisspelled({ kind, path, names }: Mistake, mistakes: readonly Mistake[]): boolean {
  return (
    kind === "missing-key" &&
    mistakes.some(
      (other) =>
        other.kind === "unknown-key" &&
        other.path === path &&
        names?.some((name) => other.names?.includes(name)),
    )
  );
}

/** The nearest of `names`, if it is near enough to be meant. */
function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = name.length < 4 ? 2 : name.length < 9 ? 3 : 4;
  for (const candidate of names) {
    const far = distance(name.toLowerCase(), candidate.toLowerCase());
    if (far < least) {
      best = candidate;
      least = far;
    }
  }
  return best;
}

export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const best = nearest(name, names);
  return best === undefined ? undefined : `did you mean "${best}"?`;
}

/** A value, short enough for a sentence. */
export function show(value: Json | undefined): string {
  if (value === undefined) {
    return "nothing";
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  if (value !== null && typeof value === "object") {
    return "a mapping";
  }
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 36)}…"` : text;
}

/** `"a", "b" or "c"`. */
export function listed(values: readonly Json[], last = "or"): string {
  const shown = values.map(show);
  const end = shown.pop() ?? "";
  return shown.length === 0 ? end : `${shown.join(", ")} ${last} ${end}`;
}

/** A union goes too, where one of its branches fails for nothing but what is forgiven. */
function withoutForgiven(errors: readonly ErrorObject[], forgive: Forgive): ErrorObject[] {
  let kept = errors.filter(
    ({ data, keyword, parentSchema }) => !forgive(data as Json, keyword, parentSchema ?? {}),
  );
  if (kept.length === errors.length) {
    return kept;
  }
  for (const union of errors) {
    if (union.keyword !== "anyOf" && union.keyword !== "oneOf") {
      continue;
    }
    const failing = branchesOf(union, errors);
    const left = branchesOf(union, kept);
    if ([...failing.keys()].some((branch) => !left.has(branch))) {
      const inside = new Set([union, ...[...failing.values()].flat()]);
      kept = kept.filter((error) => !inside.has(error));
    }
  }
  return kept;
}

/** The errors inside a union, by the branch that they are of. */
function branchesOf(
  union: ErrorObject,
  errors: readonly ErrorObject[],
): Map<string, ErrorObject[]> {
  const branches = new Map<string, ErrorObject[]>();
  for (const error of errors) {
    if (
      error !== union &&
      error.schemaPath.startsWith(`${union.schemaPath}/`) &&
      isWithin(error.instancePath, union.instancePath)
    ) {
      const branch = error.schemaPath.slice(union.schemaPath.length + 1).split("/")[0] ?? "";
      branches.set(branch, [...(branches.get(branch) ?? []), error]);
    }
  }
  return branches;
}

/** Of a union, keep the errors of the one branch that was meant; else the union's own. */
function withoutAlternatives(errors: readonly ErrorObject[]): ErrorObject[] {
  let kept = [...errors];
  for (const union of errors) {
    if ((union.keyword !== "anyOf" && union.keyword !== "oneOf") || !kept.includes(union)) {
      continue;
    }
    const branches = branchesOf(union, kept);
    const inside = [...branches.values()].flat();
    const meant = meantBranch(union, branches);
    const dropped = new Set(inside.filter((error) => !meant.includes(error)));
    if (meant.length > 0) {
      dropped.add(union);
    }
    kept = kept.filter((error) => !dropped.has(error));
  }
  return kept;
}

/** The errors of the only branch whose type fits the value, if there is exactly one. */
function meantBranch(
  union: ErrorObject,
  branches: ReadonlyMap<string, ErrorObject[]>,
): ErrorObject[] {
  if (isRequiredOnly(union)) {
    return [];
  }
  const fitting = [...branches.values()].filter(
    (branch) =>
      !branch.some(
        (error) =>
          error.instancePath === union.instancePath &&
          ["type", "const", "enum", "required"].includes(error.keyword),
      ),
  );
  const only = fitting[0];
  return fitting.length === 1 && only !== undefined ? only : [];
}

function isRequiredOnly(union: ErrorObject): boolean {
  return (
    Array.isArray(union.schema) &&
    union.schema.every((branch: JsonObject) => Object.keys(branch).join() === "required")
  );
}

function isWithin(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

/** `if`, and what only says that something below is wrong. */
function isSummary(error: ErrorObject, all: readonly ErrorObject[]): boolean {
  if (error.keyword === "if") {
    return true;
  }
  return (
    error.keyword === "propertyNames" &&
    all.some((other) => other !== error && other.propertyName !== undefined)
  );
}

function toMistake(error: ErrorObject): Mistake {
  const path = error.instancePath;
  const wanted = (error.parentSchema as JsonObject | undefined)?.["x-wanted"];
  if (typeof wanted === "string") {
    const kind = error.keyword === "type" || error.keyword === "anyOf" ? "type" : "value";
    if (error.propertyName !== undefined) {
      const message = `the key ${show(error.propertyName)} must be ${wanted}`;
      return { path, key: error.propertyName, kind: "value", message };
    }
    if (VALUE_KEYWORDS.has(error.keyword)) {
      return { path, kind, message: `must be ${wanted}, not ${show(error.data as Json)}` };
    }
  }
  if (error.propertyName !== undefined) {
    const message = `the key ${show(error.propertyName)} ${sentence(error)}`;
    return { path, key: error.propertyName, kind: "value", message };
  }
  return keyMistake(error) ?? valueMistake(error);
}

const VALUE_KEYWORDS: ReadonlySet<string> = new Set([
  "type",
  "pattern",
  "format",
  "enum",
  "const",
  "anyOf",
  "oneOf",
  "minLength",
  "maxLength",
  "minimum",
  "maximum",
  "x-duration",
]);

function keyMistake(error: ErrorObject): Mistake | undefined {
  const params = error.params as { [name: string]: Json };
  const path = error.instancePath;
  switch (error.keyword) {
    case "additionalProperties":
    case "unevaluatedProperties": {
      const key = String(params.additionalProperty ?? params.unevaluatedProperty);
      const known = Object.keys((error.parentSchema?.properties as JsonObject) ?? {});
      const near = nearest(key, known);
      const names =
        known.length > 0 && known.length <= 12 ? `; the keys are ${listed(known, "and")}` : "";
      const message = `unknown key ${show(key)}${near === undefined ? names : ""}`;
      return {
        path,
        key,
        kind: "unknown-key",
        message,
        ...(near === undefined ? {} : { suggestion: `did you mean "${near}"?`, names: [near] }),
      };
    }
    case "required": {
      const name = String(params.missingProperty);
      return { path, kind: "missing-key", message: `missing key "${name}"`, names: [name] };
    }
    case "dependentRequired": {
      const message =
        `missing key ${show(params.missingProperty)}, ` + `which ${show(params.property)} needs`;
      return { path, kind: "missing-key", message };
    }
    default:
      return undefined;
  }
}

function valueMistake(error: ErrorObject): Mistake {
  const path = error.instancePath;
  const kind = error.keyword === "type" ? "type" : "value";
  const mistake: Mistake = { path, kind, message: sentence(error) };
  if (error.keyword === "enum" && typeof error.data === "string") {
    const allowed = (error.params.allowedValues as Json[]).filter((v) => typeof v === "string");
    const near = didYouMean(error.data, allowed);
    if (near !== undefined) {
      mistake.suggestion = near;
    }
  }
  // There is another key, for what is written with its unit.
  const other = error.parentSchema?.["x-duration-key"];
  if (typeof error.data === "string" && other && parseDuration(error.data) !== undefined) {
    mistake.suggestion = `write "${other}: ${error.data}"`;
  }
  if ((error.keyword === "anyOf" || error.keyword === "oneOf") && Array.isArray(error.schema)) {
    return { ...mistake, ...unionMistake(error) };
  }
  return mistake;
}

/** `needs exactly one of …`, or the types that fit. */
function unionMistake(error: ErrorObject): Partial<Mistake> {
  const branches = error.schema as JsonObject[];
  if (isRequiredOnly(error)) {
    const keys = branches.flatMap((branch) => branch.required as string[]);
    const data = error.data as JsonObject;
    const given = keys.filter((key) => Object.hasOwn(data, key));
    return given.length === 0
      ? { kind: "missing-key", message: `missing key: ${listed(keys)} is needed`, names: keys }
      : { kind: "value", message: `${listed(given, "and")} exclude each other` };
  }
  const types = [...new Set(branches.flatMap((branch) => typesOf(branch)))];
  if (types.length === 0) {
    return {};
  }
  return { kind: "type", message: `must be ${or(types)}, not ${show(error.data as Json)}` };
}

function typesOf(branch: JsonObject): string[] {
  if ("const" in branch) {
    return [show(branch.const)];
  }
  const type = branch.type;
  const names = Array.isArray(type) ? type : [type];
  return names.filter((name) => typeof name === "string").map((name) => NOUNS[name] ?? name);
}

const NOUNS: { readonly [type: string]: string } = {
  object: "a mapping",
  array: "a list",
  string: "text",
  number: "a number",
  integer: "a whole number",
  boolean: "true or false",
  null: "null",
};

function or(words: string[]): string {
  return words.length < 2
    ? (words[0] ?? "")
    : `${words.slice(0, -1).join(", ")} or ${words[words.length - 1]}`;
}

/** What was wanted, and what came. */
function sentence(error: ErrorObject): string {
  const params = error.params as { [name: string]: Json };
  const came = show(error.data as Json);
  switch (error.keyword) {
    case "type": {
      const types = [params.type ?? []].flat() as string[];
      return `must be ${or(types.map((type) => NOUNS[type] ?? type))}, not ${came}`;
    }
    case "enum":
      return `must be ${listed(params.allowedValues as Json[])}, not ${came}`;
    case "const":
      return `must be ${show(params.allowedValue)}, not ${came}`;
    case "pattern":
      return `must match the pattern ${String(params.pattern)}, which ${came} does not`;
    case "format":
      return `must be a valid ${String(params.format)}, not ${came}`;
    case "minimum":
      return `must be at least ${String(params.limit)}, not ${came}`;
    case "maximum":
      return `must be at most ${String(params.limit)}, not ${came}`;
    case "exclusiveMinimum":
      return `must be more than ${String(params.limit)}, not ${came}`;
    case "exclusiveMaximum":
      return `must be less than ${String(params.limit)}, not ${came}`;
    case "multipleOf":
      return `must be a multiple of ${String(params.multipleOf)}, not ${came}`;
    default:
      return countSentence(error);
  }
}

function countSentence(error: ErrorObject): string {
  const limit = String(error.params.limit);
  switch (error.keyword) {
    case "minLength":
      return error.params.limit === 1
        ? "must not be empty"
        : `must have at least ${limit} characters`;
    case "maxLength":
      return `must have at most ${limit} characters`;
    case "minItems":
      return error.params.limit === 1 ? "must not be empty" : `must have at least ${limit} entries`;
    case "maxItems":
      return `must have at most ${limit} entries`;
    case "minProperties":
      return error.params.limit === 1 ? "must not be empty" : `must have at least ${limit} keys`;
    case "maxProperties":
      return `must have at most ${limit} keys`;
    case "uniqueItems":
      return "must not have the same entry twice";
    case "false schema":
      return "is not allowed here";
    default:
      return error.message ?? "does not fit";
  }
}

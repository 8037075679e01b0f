// The functions and methods of expressions: names, what they take, and what they give.

import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  STRING,
  TIMESTAMP,
  TYPE,
  type Type,
} from "./types.js";

/** What may stand for a receiver or an argument. */
type Taken = "any" | "number" | "texts" | Type["kind"];

export interface Signature {
  name: string;
  /** Absent: a function. */
  receiver?: readonly Taken[];
  takes: readonly (readonly Taken[])[];
  gives: Type;
}

const GIVEN: { readonly [name: string]: Type } = {
  any: DYN,
  bool: BOOL,
  int: INT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  timestamp: TIMESTAMP,
  duration: DURATION,
  type: TYPE,
  texts: listOf(STRING),
};

/** `texts` is a list of strings; `number` an int or a double, which JSON does not tell apart. */
const SIGNATURES: readonly Signature[] = [
  "dyn(any): any",
  "type(any): type",
  "bool(bool|string): bool",
  "int(number|string|timestamp): int",
  "double(number|string): double",
  "string(string|bool|number|bytes|timestamp|duration): string",
  "bytes(string|bytes): bytes",
  "timestamp(string|number): timestamp",
  "duration(string): duration",
  "size(string|bytes|list|object): int",
  "string|bytes|list|object.size(): int",
  "string.startsWith(string): bool",
  "string.endsWith(string): bool",
  "string.contains(string): bool",
  "string.matches(string): bool",
  "string.lowerAscii(): string",
  "string.upperAscii(): string",
  "string.trim(): string",
  "string.indexOf(string): int",
  "string.indexOf(string, number): int",
  "string.lastIndexOf(string): int",
  "string.lastIndexOf(string, number): int",
  "string.substring(number): string",
  "string.substring(number, number): string",
  "string.split(string): texts",
  "string.split(string, number): texts",
  "texts.join(): string",
  "texts.join(string): string",
  "bytes.json(): any",
  "bytes.hex(): string",
  "bytes.base64(): string",
  "bytes.string(): string",
  "bytes.at(number): int",
  ...[
    "getFullYear",
    "getMonth",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
  ].flatMap((name) => [`timestamp.${name}(): int`, `timestamp.${name}(string): int`]),
  ...["getHours", "getMinutes", "getSeconds", "getMilliseconds"].flatMap((name) => [
    `timestamp|duration.${name}(): int`,
    `timestamp.${name}(string): int`,
  ]),
].map(parseSignature);

function parseSignature(text: string): Signature {
  const [, receiver, name = "", takes = "", gives = ""] =
    /^(?:([\w|]+)\.)?(\w+)\((.*)\): (\w+)$/.exec(text) ?? [];
  const parts = takes === "" ? [] : takes.split(", ").map((taken) => taken.split("|") as Taken[]);
  const signature = { name, takes: parts, gives: GIVEN[gives] ?? DYN };
  return receiver === undefined
    ? signature
    : { ...signature, receiver: receiver.split("|") as Taken[] };
}

const functions = group(SIGNATURES.filter(({ receiver }) => receiver === undefined));
const methods = group(SIGNATURES.filter(({ receiver }) => receiver !== undefined));

function group(signatures: readonly Signature[]): ReadonlyMap<string, readonly Signature[]> {
  const named = new Map<string, Signature[]>();
  for (const signature of signatures) {
    named.set(signature.name, [...(named.get(signature.name) ?? []), signature]);
  }
  return named;
}

export function functionsNamed(name: string): readonly Signature[] {
  return functions.get(name) ?? [];
}

export function methodsNamed(name: string): readonly Signature[] {
  return methods.get(name) ?? [];
}

export const FUNCTION_NAMES: readonly string[] = [...functions.keys(), "has"];

/** Names of the methods that a value of this type has. */
export function methodNames(type: Type): string[] {
  const named = SIGNATURES.filter(({ receiver }) => receiver?.some((taken) => takes(taken, type)));
  const loops = ["all", "exists", "exists_one", "filter", "map"];
  const more = ["list", "object", "dyn"].includes(type.kind) ? loops : [];
  return [...new Set([...named.map(({ name }) => name), ...more])];
}

/** Can a value of the type stand here? Unsure is yes. */
export function takes(taken: Taken, type: Type): boolean {
  if (taken === "any" || type.kind === "dyn") {
    return true;
  }
  if (taken === "number") {
    return type.kind === "int" || type.kind === "double";
  }
  if (taken === "texts") {
    return type.kind === "list" && (type.item.kind === "dyn" || type.item.kind === "string");
  }
  return taken === type.kind;
}

/** `a string`, `a string or a number`. */
export function namesOf(taken: readonly Taken[]): string {
  const names = taken.map((one) => TAKEN[one] ?? `a ${one}`);
  const last = names.pop() ?? "";
  return names.length === 0 ? last : `${names.join(", ")} or ${last}`;
}

const TAKEN: { readonly [taken: string]: string } = {
  any: "any value",
  bool: "a boolean",
  bytes: "a byte string",
  object: "an object",
  texts: "a list of strings",
};

/** Names of other languages, and what is written here. */
export const OTHER_SPELLINGS: ReadonlyMap<string, string> = new Map([
  ["length", "size(…)"],
  ["count", "size(…)"],
  ["len", "size(…)"],
  ["includes", "contains"],
  ["toLowerCase", "lowerAscii"],
  ["lower", "lowerAscii"],
  ["toUpperCase", "upperAscii"],
  ["upper", "upperAscii"],
  ["strip", "trim"],
  ["slice", "substring"],
  ["substr", "substring"],
  ["toString", "string(…)"],
  ["str", "string(…)"],
  ["parseInt", "int(…)"],
  ["parseFloat", "double(…)"],
  ["Number", "double(…)"],
  ["some", "exists"],
  ["any", "exists"],
  ["every", "all"],
  ["find", "filter"],
  ["test", "matches"],
  ["match", "matches"],
  ["fromJSON", "bytes(…).json()"],
]);

// What an expression can name at one place of a workflow, and of which type it is.

import type { Json, JsonObject } from "../json.js";
import { typeOf } from "./schema-type.js";
import { closed, DOUBLE, DYN, nullable, oneOf, SECRET, STRING, type Type } from "./types.js";

export interface TypeEnv {
  /** By root: `context`, `steps`, …, and the item variables of each `foreach` around the place. */
  readonly roots: ReadonlyMap<string, Type>;
}

export interface Declarations {
  /** The workflow's `context`. Absent: any object. */
  context?: JsonObject;
  /** The steps that can be read here: each one's declared output, or else its step type's. */
  steps?: Iterable<{ id: string; output?: Json }>;
  /** Names. */
  secrets?: readonly string[];
  /** JSON Schema of what the trigger brings. Absent: any object. */
  trigger?: JsonObject;
  /** Is there an `error` here: in an `on_error` target, or in `retry.when`? */
  error?: boolean;
}

/** What a run's `error` and a step's `error` hold. */
const FAILURE: Type = {
  ...closed({
    kind: STRING,
    message: STRING,
    status: DOUBLE,
    exit_code: DOUBLE,
    step_id: STRING,
    key: STRING,
  }),
};

const STEP_STATUS = oneOf(
  "pending",
  "running",
  "waiting",
  "completed",
  "failed",
  "skipped",
  "cancelled",
);
const TRIGGER: Type = {
  kind: "object",
  properties: new Map([["type", oneOf("manual", "schedule", "webhook", "workflow")]]),
  rest: DYN,
};

/** What `trigger` brings to a trigger's own `context`, by the trigger's type. */
const BROUGHT: { readonly [type: string]: Type } = {
  schedule: closed({
    type: oneOf("schedule"),
    scheduled_at: STRING,
    cron: STRING,
    timezone: STRING,
  }),
  webhook: closed({
    type: oneOf("webhook"),
    path: STRING,
    delivery_id: nullable(STRING),
    headers: { kind: "object", properties: new Map(), rest: STRING },
    query: { kind: "object", properties: new Map(), rest: STRING },
    body: DYN,
  }),
  workflow: closed({
    type: oneOf("workflow"),
    workflow_id: STRING,
    run_id: STRING,
    status: oneOf("completed", "failed", "cancelled"),
    outputs: DYN,
    error: nullable(FAILURE),
  }),
};

/** In the `context` of a trigger of this type: what it brings, and nothing of a run yet. */
export function triggerEnv(env: TypeEnv, type: string): TypeEnv {
  const brought = Object.hasOwn(BROUGHT, type) ? BROUGHT[type] : undefined;
  const workflow = env.roots.get("workflow") ?? DYN;
  return {
    roots: new Map([
      ["trigger", brought ?? DYN],
      ["workflow", workflow],
    ]),
  };
}

/** What a run does not keep of its trigger: it may be large, and the context has what matters. */
export const NOT_KEPT: ReadonlySet<string> = new Set(["body", "outputs", "error"]);

export function typeEnv(declared: Declarations): TypeEnv {
  const steps = new Map<string, Type>();
  for (const { id, output } of declared.steps ?? []) {
    steps.set(id, stepType(typeOf(output)));
  }
  const secrets = (declared.secrets ?? []).map((name): [string, Type] => [name, SECRET]);
  const roots = new Map<string, Type>([
    ["context", declared.context === undefined ? ANY_OBJECT : typeOf(declared.context)],
    ["steps", { kind: "object", properties: steps, rest: null }],
    ["secrets", { kind: "object", properties: new Map(secrets), rest: null }],
    ["trigger", declared.trigger === undefined ? TRIGGER : typeOf(declared.trigger)],
    ["run", closed({ id: STRING, created_at: STRING })],
    ["workflow", closed({ id: STRING, version: STRING })],
  ]);
  if (declared.error) {
    roots.set("error", FAILURE);
  }
  return { roots };
}

/** The same place, inside a `foreach`: with its item and the item's index, from 0. */
export function withItem(env: TypeEnv, as: string, item: Type): TypeEnv {
  return { roots: new Map([...env.roots, [as, item], [`${as}_index`, DOUBLE]]) };
}

/** The same place, where something has failed. */
export function withError(env: TypeEnv): TypeEnv {
  return { roots: new Map([...env.roots, ["error", FAILURE]]) };
}

const ANY_OBJECT = typeOf({ type: "object" });

function stepType(output: Type): Type {
  return closed({
    output,
    status: STEP_STATUS,
    error: nullable(FAILURE),
    iteration: DOUBLE,
  });
}

/** Names that a `foreach`'s `as` cannot take: they mean something already, or are words of CEL. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name);
}

const RESERVED: ReadonlySet<string> = new Set([
  ...["context", "steps", "secrets", "trigger", "run", "workflow", "error"],
  ...["true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function"],
  ...["if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"],
  ...["__proto__", "prototype", "constructor", "cel", "optional", "google"],
  ...["bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type"],
]);

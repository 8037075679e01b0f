// Does a context fit what its workflow declares? Checked once, before a run starts.

import { MAX_JSON_DEPTH } from "../limits.js";
import type { Json, JsonObject } from "./json.js";
import { validatorOf } from "./validator.js";
import type { Workflow } from "./workflow.js";

export type ContextCheck =
  | { context: JsonObject }
  | { details: { path: string; message: string }[] };

/** Enough for a reader; a long list of entries may be wrong in each. */
const MAX_DETAILS = 20;

/** The context with defaults filled in, a copy; or what does not fit, and where: `/min_amount`. */
export function checkContext(workflow: Workflow, context: JsonObject): ContextCheck {
  const empty = workflow.context === undefined ? plain : bare;
  const copy = copyJson(context, empty, MAX_JSON_DEPTH);
  if (copy === undefined) {
    return refused("", `must be nested at most ${MAX_JSON_DEPTH} levels deep`);
  }
  if (workflow.context === undefined) {
    return { context: copy as JsonObject };
  }
  try {
    const mistakes = validatorOf(workflow.context).mistakes(copy);
    if (mistakes.length === 0) {
      return { context: plainJson(copy) };
    }
    const details = mistakes.slice(0, MAX_DETAILS).map(({ path, key, message }) => ({
      path: key === undefined ? path : `${path}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`,
      message,
    }));
    return { details };
  } catch (error) {
    if (error instanceof RangeError) {
      return refused("", "is nested too deep for the workflow's context schema");
    }
    throw error;
  }
}

function refused(path: string, message: string): ContextCheck {
  return { details: [{ path, message }] };
}

/** Without prototypes, `constructor` is as absent as any other name when ajv fills defaults. */
function bare(): JsonObject {
  return Object.create(null) as JsonObject;
}

function plain(): JsonObject {
  return {};
}

function plainJson(value: Json): JsonObject {
  return copyJson(value, plain, Number.POSITIVE_INFINITY) as JsonObject;
}

/** Undefined: deeper than `depth`. */
function copyJson(value: Json, empty: () => JsonObject, depth: number): Json | undefined {
  if (value === null || typeof value !== "object") {
    return value;
  }
  if (depth === 0) {
    return undefined;
  }
  if (Array.isArray(value)) {
    const list: Json[] = [];
    for (const entry of value) {
      const copy = copyJson(entry, empty, depth - 1);
      if (copy === undefined) {
        return undefined;
      }
      list.push(copy);
    }
    return list;
  }
  const object = empty();
  for (const [key, entry] of Object.entries(value)) {
    const copy = copyJson(entry, empty, depth - 1);
    if (copy === undefined) {
      return undefined;
    }
    if (key === "__proto__") {
      // A name like any other; but to assign it would not make a key.
      Object.defineProperty(object, key, {
        value: copy,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    } else {
      object[key] = copy;
    }
  }
  return object;
}

// What steps with steps inside have alike: a list of steps and its entry.

import type { JsonObject } from "../flow/json.js";
import { Type } from "../flow/type.js";

export const EntryPoint = Type.String({
  description: "The first step. Default: the first of the list.",
});

/** `x-steps`: the language checks each entry as a step, and editors do the same. */
export const Steps = Type.Unsafe<JsonObject[]>({
  type: "array",
  description: "Steps, as in a workflow. Jumps stay inside.",
  minItems: 1,
  items: { type: "object" },
  "x-steps": true,
});

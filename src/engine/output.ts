// Does a step's output have the shape that its workflow declares?

import type { Json, JsonObject } from "../flow/json.js";
import { validatorOf } from "../flow/validator.js";

/** The first mistake as `/body/id must be a number`; undefined: it fits. */
export function misfit(schema: JsonObject, output: Json): string | undefined {
  // A copy: the validator fills in defaults, and an output is recorded as it came.
  const copy = JSON.parse(JSON.stringify(output)) as Json;
  const first = validatorOf(schema).mistakes(copy)[0];
  return first && `${first.path || "it"} ${first.message}`;
}

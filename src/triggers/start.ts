// From what happened to a start: the run's context, filled in from what the trigger brought.

import type { Refusal } from "../engine/command.js";
import type { TriggerInfo } from "../engine/run.js";
import type { TriggerRequest } from "../engine/runner.js";
import { ExpressionError, evaluateValue } from "../flow/expression/index.js";
import type { JsonObject } from "../flow/json.js";
import type { Workflow } from "../flow/workflow.js";

/** What new runs of a workflow get. */
export interface Served {
  workflow: Workflow;
  version: string;
}

export interface Happened {
  /** As refusals call the trigger: `schedule "0 9 * * 1-5"`. */
  name: string;
  /** The trigger's `context`, as written. */
  context: JsonObject;
  /** What `trigger` reads in it. */
  values: JsonObject;
  /** What of that the run keeps. */
  kept: TriggerInfo;
  /** The same for the same happening, whenever it is told. Absent: each telling is a new one. */
  key?: string;
}

export function startOf(
  { workflow, version }: Served,
  { name, context, values, kept, key }: Happened,
): TriggerRequest | Refusal {
  const filled = filledContext(workflow, version, context, values);
  if (typeof filled === "string") {
    const message = `The context of the ${name} of "${workflow.id}" cannot be made: ${filled}`;
    return { refused: "context_mismatch", message };
  }
  return {
    workflow_id: workflow.id,
    context: filled,
    trigger: kept,
    ...(key === undefined ? {} : { idempotency_key: key }),
  };
}

/** A text: why an expression has no value. */
function filledContext(
  { id }: Workflow,
  version: string,
  context: JsonObject,
  values: JsonObject,
): JsonObject | string {
  try {
    const names = { trigger: values, workflow: { id, version } };
    return evaluateValue(context, names) as JsonObject;
  } catch (error) {
    if (error instanceof ExpressionError) return error.message;
    throw error;
  }
}

/** A refusal in one sentence, with the places that do not fit. */
export function refusalText({ message, details = [] }: Refusal): string {
  return [message, ...details.map(({ path, message: why }) => `${path || "/"} ${why}.`)].join(" ");
}

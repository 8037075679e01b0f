// The `workflow` step: starts a run of another workflow. A control type: the engine reads it.

import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const WorkflowConfig = Type.Object(
  {
    workflow_id: Type.String({
      description: "The other workflow, of the same folder.",
      pattern: "^[A-Za-z_][A-Za-z0-9_-]{0,63}$",
      "x-literal": true,
      "x-wanted": "a workflow's id",
    }),
    context: Type.Optional(
      Type.Unsafe<{ [name: string]: unknown }>({
        type: "object",
        description: "What its run starts with. Default: nothing.",
      }),
    ),
    await: Type.Boolean({
      description: "Wait until its run has ended; a failed one fails this step. Default true.",
      default: true,
    }),
  },
  { additionalProperties: false, required: ["workflow_id"] },
);

export const workflow: Connector = {
  type: "workflow",
  description: "Starts a run of another workflow, and waits for its end unless told not to.",
  config: WorkflowConfig,
  output: Type.Object(
    {
      run_id: Type.String({ description: "Of the other run." }),
      output: Type.Unknown({ description: "Its outputs; null where they were not awaited." }),
    },
    { additionalProperties: false },
  ),
};

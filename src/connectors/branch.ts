// The `branch` step: goes on with the first case that is true. A control type: the engine reads it.

import { nextStepId } from "../flow/envelope.js";
import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

/** Shared with every step: a step's id, or null to end the body. */
const NextStepId = Type.Unsafe<string | null>(nextStepId);

const BranchConfig = Type.Object(
  {
    cases: Type.Array(
      Type.Object(
        {
          when: Type.Unsafe<string | boolean>({
            type: ["string", "boolean"],
            description: "An expression without ${{ }}. The first case that is true wins.",
          }),
          next_step_id: NextStepId,
        },
        { additionalProperties: false },
      ),
      { description: "Tried from the top.", minItems: 1, maxItems: 100 },
    ),
    otherwise: Type.Unsafe<string | null>({
      ...nextStepId,
      description: "Where it goes when no case is true: a step, or null to end.",
    }),
  },
  { additionalProperties: false },
);

export const branch: Connector = {
  type: "branch",
  description: "Goes on with the step of the first case that is true.",
  config: BranchConfig,
  output: Type.Object(
    {
      case: Type.Union([Type.Integer(), Type.Null()], {
        description: "Which case was true, from 0; null: none.",
      }),
      next_step_id: NextStepId,
    },
    { additionalProperties: false },
  ),
};

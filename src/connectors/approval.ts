// The `approval` step: pauses the run until a person answers. A control type: the engine reads it.

import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const ApprovalConfig = Type.Object(
  {
    message: Type.String({
      description: "What is asked, for the person who answers.",
      minLength: 1,
      maxLength: 2_000,
    }),
    on_timeout: Type.Unsafe<"reject" | "approve" | "fail">({
      enum: ["reject", "approve", "fail"],
      description: "What it means that no one answers before the step's timeout. Default fail.",
      default: "fail",
      "x-literal": true,
    }),
  },
  { additionalProperties: false, required: ["message"] },
);

export const approval: Connector = {
  type: "approval",
  description: "Pauses the run until someone approves or rejects.",
  config: ApprovalConfig,
  output: Type.Object(
    {
      approved: Type.Boolean({ description: "The answer." }),
      comment: Type.Union([Type.String(), Type.Null()], { description: "Given with the answer." }),
      timed_out: Type.Optional(
        Type.Boolean({ description: "True where the timeout has answered; else it is not there." }),
      ),
    },
    { additionalProperties: false },
  ),
};

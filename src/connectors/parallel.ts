// The `parallel` step: runs branches at the same time. A control type: the engine reads it.

import type { Static } from "typebox";
import { Type } from "../flow/type.js";
import { EntryPoint, Steps } from "./body.js";
import type { Connector } from "./connector.js";

const Branch = Type.Object(
  { entry_point: Type.Optional(EntryPoint), steps: Steps },
  { additionalProperties: false },
);

const ParallelConfig = Type.Object(
  {
    branches: Type.Unsafe<{ [name: string]: Static<typeof Branch> }>({
      type: "object",
      description: "By name. The step completes when all branches have.",
      minProperties: 1,
      maxProperties: 50,
      propertyNames: {
        pattern: "^[A-Za-z_][A-Za-z0-9_-]{0,63}$",
        "x-wanted": "a name: a letter or _, then letters, digits, _ or -",
      },
      additionalProperties: Branch,
    }),
  },
  { additionalProperties: false },
);

export const parallel: Connector = {
  type: "parallel",
  description: "Runs branches at the same time, and goes on when all have completed.",
  config: ParallelConfig,
  output: Type.Object({}, { additionalProperties: false }),
};

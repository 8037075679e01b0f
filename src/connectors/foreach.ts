// The `foreach` step: runs steps for each item of a list. A control type: the engine reads it.

import { Type } from "../flow/type.js";
import { MAX_PARALLEL_ITEMS } from "../limits.js";
import { EntryPoint, Steps } from "./body.js";
import type { Connector } from "./connector.js";

const ForeachConfig = Type.Object(
  {
    items: Type.Array(Type.Unknown(), {
      description: "The list, or an expression that gives one.",
    }),
    as: Type.String({
      description: "The name under which the steps inside read the item. Default item.",
      default: "item",
      "x-literal": true,
      pattern: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
      "x-wanted": "a name: a letter or _, then letters, digits or _",
    }),
    max_parallel: Type.Integer({
      description: "How many items are worked on at a time. Default 1.",
      default: 1,
      "x-literal": true,
      minimum: 1,
      maximum: MAX_PARALLEL_ITEMS,
    }),
    entry_point: Type.Optional(EntryPoint),
    steps: Steps,
    collect: Type.Optional(
      Type.Unknown({
        description: "One value an item, in the order of the items: output.results.",
      }),
    ),
  },
  { additionalProperties: false, required: ["items", "steps"] },
);

export const foreach: Connector = {
  type: "foreach",
  description: "Runs steps for each item of a list, several at a time where that is allowed.",
  config: ForeachConfig,
  output: Type.Object(
    {
      results: Type.Array(Type.Unknown(), {
        description: "What `collect` says of each item, in the order of the items.",
      }),
    },
    { additionalProperties: false },
  ),
};

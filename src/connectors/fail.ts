// The `fail` step: ends the run with a message. A control type: the engine reads it.

import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const FailConfig = Type.Object(
  {
    message: Type.String({ description: "Why, for people.", minLength: 1, maxLength: 2_000 }),
  },
  { additionalProperties: false },
);

export const fail: Connector = {
  type: "fail",
  description: "Fails with a message: nothing follows but what an on_error says.",
  config: FailConfig,
  output: Type.Null(),
};

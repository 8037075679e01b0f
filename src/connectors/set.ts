// The `set` step: gives names to values. A control type: the engine fills the expressions in.

import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const SetConfig = Type.Object(
  {
    values: Type.Unsafe<{ [name: string]: unknown }>({
      type: "object",
      description: "Names and values; the values may be expressions. All of them are the output.",
      minProperties: 1,
      maxProperties: 100,
      propertyNames: {
        pattern: "^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        "x-wanted": "a name: a letter or _, then letters, digits or _",
      },
    }),
  },
  { additionalProperties: false },
);

export const set: Connector = {
  type: "set",
  description: "Gives names to values, for the steps that follow.",
  config: SetConfig,
  output: Type.Unsafe<object>({ type: "object" }),
};

// The `wait` step: waits for a signal from outside. A control type: the engine reads it.

import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const WaitConfig = Type.Object(
  {
    signal: Type.String({
      description: "The signal's name. One that came before the step was reached counts.",
      pattern: "^[A-Za-z_][A-Za-z0-9_-]{0,63}$",
      "x-wanted": "a name: a letter or _, then letters, digits, _ or -",
    }),
  },
  { additionalProperties: false },
);

export const wait: Connector = {
  type: "wait",
  description: "Waits for a signal by name; the signal's data is the output.",
  config: WaitConfig,
};

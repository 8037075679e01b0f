// The `wait` step: waits for a signal from outside. A control type: the engine reads it.

import { SIGNAL_NAME_PATTERN } from "../engine/waiting-for.js";
import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const WaitConfig = Type.Object(
  {
    signal: Type.String({
      description: "The signal's name. One that came before the step was reached counts.",
      pattern: SIGNAL_NAME_PATTERN,
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

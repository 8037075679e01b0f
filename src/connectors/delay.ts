// The `delay` step: waits. A control type: the engine reads its config, and no connector is called.

import Type from "typebox";
import { MAX_DURATION_MS } from "../limits.js";
import type { Connector } from "./connector.js";

/** The shape of a duration, for editors; the engine reads its value. */
const DURATION =
  "^(?:(?:\\d+(?:\\.\\d+)?(?:ms|s|m|h|d))+|" +
  "P(?:\\d+D)?(?:T(?:\\d+H)?(?:\\d+M)?(?:\\d+(?:\\.\\d+)?S)?)?)$";

const DelayConfig = Type.Object(
  {
    seconds: Type.Optional(
      Type.Number({
        description: "How many seconds to wait.",
        minimum: 0,
        maximum: MAX_DURATION_MS / 1_000,
      }),
    ),
    for: Type.Optional(
      // One schema of two types: `anyOf` would report one mistake several times.
      Type.Unsafe<string | number>({
        type: ["string", "number"],
        description: "How long to wait: 500ms, 5m, 1h30m, PT5M, P2D, or a number of seconds.",
        pattern: DURATION,
        minimum: 0,
        maximum: MAX_DURATION_MS / 1_000,
      }),
    ),
    until: Type.Optional(
      Type.String({
        description:
          "The time to wait for, with its offset: 2030-01-31T09:00:00Z. A past one does not wait.",
        format: "date-time",
      }),
    ),
  },
  // Exactly one of the three. Written as a count: `oneOf` reports one mistake several times.
  { additionalProperties: false, minProperties: 1, maxProperties: 1 },
);

export type DelayConfig = Type.Static<typeof DelayConfig>;

export const delay: Connector = {
  type: "delay",
  description: "Waits: for a number of seconds, for a duration, or until a time.",
  config: DelayConfig,
  output: Type.Null(),
};

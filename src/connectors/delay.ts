// The `delay` step: waits. A control type: the engine reads its config, and no connector is called.

import { DURATION_PATTERN } from "../flow/duration.js";
import { Type } from "../flow/type.js";
import { MAX_DURATION_MS } from "../limits.js";
import type { Connector } from "./connector.js";

const MAX_SECONDS = MAX_DURATION_MS / 1_000;

const DelayConfig = Type.Object(
  {
    seconds: Type.Optional(
      Type.Number({
        description: "How many seconds to wait.",
        minimum: 0,
        maximum: MAX_SECONDS,
        "x-duration-key": "for",
      }),
    ),
    for: Type.Optional(
      // One schema of two types: a union would report one mistake several times.
      Type.Unsafe<string | number>({
        type: ["string", "number"],
        description: "How long to wait: 500ms, 5m, 1h30m, PT5M, P2D, or a number of seconds.",
        pattern: DURATION_PATTERN,
        "x-duration": true,
        minimum: 0,
        maximum: MAX_SECONDS,
        "x-wanted": "a duration (500ms, 5m, 1h30m, PT5M, P2D, or a number of seconds)",
      }),
    ),
    until: Type.Optional(
      Type.String({
        description:
          "The time to wait for, with its offset: 2030-01-31T09:00:00Z. A past one does not wait.",
        format: "date-time",
        "x-wanted": "a time with its offset, as 2030-01-31T09:00:00Z",
      }),
    ),
  },
  {
    additionalProperties: false,
    oneOf: [{ required: ["seconds"] }, { required: ["for"] }, { required: ["until"] }],
  },
);

export const delay: Connector = {
  type: "delay",
  description: "Waits: for a number of seconds, for a duration, or until a time.",
  config: DelayConfig,
  output: Type.Null(),
};

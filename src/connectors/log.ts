// The `log` step: writes a line into the run's log.

import type { Static } from "typebox";
import type { LogLevel } from "../engine/ports.js";
import type { Json } from "../flow/json.js";
import { Type } from "../flow/type.js";
import type { Connector } from "./connector.js";

const LogConfig = Type.Object(
  {
    message: Type.String({ description: "What to write.", minLength: 1 }),
    level: Type.Optional(
      Type.Unsafe<LogLevel>({
        enum: ["debug", "info", "warn", "error"],
        description: "How much it matters. Default info.",
        default: "info",
      }),
    ),
    data: Type.Optional(Type.Unknown({ description: "Any value, kept beside the message." })),
  },
  { additionalProperties: false },
);

type LogConfig = Static<typeof LogConfig>;

export const log: Connector = {
  type: "log",
  description: "Writes a line into the run's log: see flows logs.",
  config: LogConfig,
  output: Type.Null(),
  harmless: true,
  run: async (call, io) => {
    const { message, level = "info", data } = call.config as LogConfig;
    io.log({
      stream: "log",
      level,
      text: message,
      ...(data !== undefined && { data: data as Json }),
    });
    return null;
  },
};

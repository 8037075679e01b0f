// The log of a host and its server: lines for people on a terminal, JSON lines elsewhere.

import type { Colors, Output } from "./output.js";
import { printable, withoutSecrets } from "./output.js";

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type Level = "info" | "warn" | "error";

const LEVELS: { readonly [level: number]: { name: string; color: "dim" | "yellow" | "red" } } = {
  30: { name: "info", color: "dim" },
  40: { name: "warn", color: "yellow" },
  50: { name: "error", color: "red" },
};

/** Loads the logger only now: most commands talk to a server, and log nothing. */
export async function createLog(output: Output, level: Level): Promise<Log> {
  const { pino } = await import("pino");
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  const isForPeople = !output.json && process.stderr.isTTY === true;
  const write = (line: string) => {
    if (isForPeople) output.say(humanLine(line, output.talkColors));
    else process.stderr.write(withoutSecrets(line));
  };
  const log: Log = pino(options, { write });
  return log;
}

export function silentLog(): Log {
  const nothing = () => {};
  return { info: nothing, warn: nothing, error: nothing };
}

/** `09:00:02 warn  the message  key=value …`; a long text, such as a report, below. */
export function humanLine(line: string, colors: Colors): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as {
    level: number;
    time: string;
    msg: string;
    [field: string]: unknown;
  };
  const { name, color } = LEVELS[level] ?? { name: String(level), color: "dim" };
  const short: string[] = [];
  const long: string[] = [];
  for (const [key, value] of Object.entries(fields)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    if (text.includes("\n")) long.push(...text.trimEnd().split("\n"));
    else short.push(`${key}=${printable(text)}`);
  }
  const head = `${colors.dim(time.slice(11, 19))} ${colors[color](name.padEnd(5))}`;
  const more = short.length > 0 ? `  ${colors.dim(short.join(" "))}` : "";
  const first = `${head} ${printable(msg)}${more}`;
  return [first, ...long.map((text) => `  ${printable(text)}`)].join("\n");
}

// The log of a host and its server: lines for people on a terminal, JSON lines elsewhere.

import type { Colors, Output } from "./output.js";
import { printable, withoutSecrets } from "./output.js";

export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export type Level = "info" | "warn" | "error";

/** Their numbers in JSON are those that pino and Bunyan write, and that log viewers know. */
const LEVELS: { readonly [name in Level]: { level: number; color: "dim" | "yellow" | "red" } } = {
  info: { level: 30, color: "dim" },
  warn: { level: 40, color: "yellow" },
  error: { level: 50, color: "red" },
};

/** Says what is of this level or a graver one. */
export function createLog(output: Output, least: Level): Log {
  const isForPeople = !output.json && process.stderr.isTTY === true;
  const write = (line: string) => {
    if (isForPeople) output.say(humanLine(line, output.talkColors));
    else process.stderr.write(`${withoutSecrets(line)}\n`);
  };
  const at = (name: Level) => (fields: object, msg: string) => {
    const { level } = LEVELS[name];
    if (level < LEVELS[least].level) return;
    const time = new Date().toISOString();
    write(JSON.stringify({ level, time, ...fields, msg }, withErrors));
  };
  return { info: at("info"), warn: at("warn"), error: at("error") };
}

/** JSON alone would leave nothing of an error. */
function withErrors(_: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value;
  const { name, message, stack, cause } = value;
  return { type: name, message, stack, cause };
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
  const known = Object.entries(LEVELS).find(([, each]) => each.level === level);
  const [name, { color }] = known ?? ["", { color: "dim" as const }];
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

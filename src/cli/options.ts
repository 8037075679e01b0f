// The options all commands share, and how the texts of options become values.

import { parseDuration } from "../flow/duration.js";
import { MAX_TIMER_MS } from "../limits.js";
import { CliError, EXIT } from "./exit.js";
import type { Output } from "./output.js";

/** What every command is given. */
export interface Common {
  flows: string;
  store: string;
  /** Steps of type shell may run programs, where this process drives their runs. */
  allowShell: boolean;
  /** Hosts that data may choose, as they were written. */
  allowHost: readonly string[];
  /** The folder of secrets, if one is given. */
  secrets?: string;
  output: Output;
}

/** A command's own options as commander parsed them: texts, lists of texts, and flags. */
export interface Options {
  [name: string]: string | string[] | boolean | undefined;
}

/** The token of the server, as the environment gives it. */
export function tokenFromEnvironment(): string | undefined {
  return process.env.FLOWS_TOKEN || undefined;
}

export function wholeNumber(option: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < from || value > to) {
    throw usage(`${option} wants a whole number from ${from} to ${to}, not ${quoted(text)}.`);
  }
  return value;
}

export function duration(option: string, text: string): number {
  const ms = parseDuration(/^\d+(\.\d+)?$/.test(text) ? Number(text) : text);
  if (ms === undefined || ms === 0 || ms > MAX_TIMER_MS) {
    throw usage(`${option} wants a duration such as 30s, 5m or 1h30m, not ${quoted(text)}.`);
  }
  return ms;
}

export function usage(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, message, hint);
}

export function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

// The program that a user's connector runs in: loads one bundle, then performs one call at a time.

import { Module } from "node:module";
import { Socket } from "node:net";
import { format } from "node:util";
import type { LogLevel } from "../../../engine/ports.js";
import type { Json } from "../../../flow/json.js";
import { type ConnectorContext, type ConnectorDefinition, isDefinition } from "./define.js";
import { type FromChild, receive, send, type ToChild, WIRE_FD } from "./wire.js";

const wire = new Socket({ fd: WIRE_FD, readable: true, writable: true });
const tell = (message: FromChild): void => send(wire, message);
let definition: ConnectorDefinition | undefined;
let abort = new AbortController();

receive<ToChild>(wire, Number.POSITIVE_INFINITY, (message) => {
  if (message.type === "load") load(message.file, message.code);
  else if (message.type === "abort") abort.abort(new Error("the step was stopped"));
  else void perform(message);
});
// The host is gone, and nobody waits for an answer.
wire.on("error", () => process.exit(1)).on("close", () => process.exit(0));

// In the order of all else that is said; what is written to stdout past it comes when it comes.
for (const [name, level] of Object.entries({
  debug: "debug",
  log: "info",
  info: "info",
  warn: "warn",
  error: "error",
} as const)) {
  const method = name as "log";
  globalThis.console[method] = (...values) => write(level, format(...values));
}

function write(level: LogLevel, text: string, data?: unknown): void {
  tell({ type: "log", level, text, ...(data !== undefined && { data: toJson(data) }) });
}

function load(file: string, code: string): void {
  try {
    const module = new Module(file) as Module & { _compile(code: string, file: string): void };
    module.filename = file;
    module._compile(code, file);
    const found = [...new Set(Object.values(module.exports as object))].filter(isDefinition);
    definition = found[0];
    tell({ type: "loaded", definitions: found.map(describe) });
  } catch (error) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    tell({ type: "broken", message, stack: stack ?? "" });
  }
}

/** JSON alone crosses: what else there is has no place in a schema. */
function describe({ type, description, config, output, run }: ConnectorDefinition): Json {
  const parts = { type, description, config, output, run: typeof run };
  return JSON.parse(JSON.stringify(parts)) as Json;
}

async function perform({ config, context }: Extract<ToChild, { type: "run" }>): Promise<void> {
  abort = new AbortController();
  const given = {
    ...(context as unknown as Omit<ConnectorContext, "signal" | "log">),
    signal: abort.signal,
    log: (message: string, data?: unknown) => {
      write("info", String(message), data);
    },
  };
  try {
    const output: unknown = await definition?.run(config, given);
    tell({ type: "output", output: output === undefined ? null : toJson(output) });
  } catch (error) {
    tell({ type: "failure", ...failureOf(error) });
  }
}

function toJson(value: unknown): Json {
  const text = JSON.stringify(value);
  if (text === undefined) throw new Error(`a ${typeof value} cannot be written as JSON`);
  return JSON.parse(text) as Json;
}

function failureOf(error: unknown): Omit<Extract<FromChild, { type: "failure" }>, "type"> {
  if (!(error instanceof Error)) return { message: String(error) };
  // For whoever reads the run's log; the run's document has the message.
  write("error", error.stack ?? error.message);
  const { kind, retry_after_ms } = error as { kind?: unknown; retry_after_ms?: unknown };
  return {
    message: error.message,
    ...(typeof kind === "string" && { kind }),
    ...(typeof retry_after_ms === "number" && retry_after_ms >= 0 && { retry_after_ms }),
  };
}

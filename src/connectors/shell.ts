// The `shell` step: runs a program or a script on the host, where that is allowed.

import type { Static } from "typebox";
import {
  type Call,
  ConnectorError,
  type Io,
  type ProcessEnd,
  type Signal,
} from "../engine/ports.js";
import type { Json } from "../flow/json.js";
import { Type } from "../flow/type.js";
import { MAX_JSON_DEPTH, MAX_STDOUT_BYTES, PROCESS_STOP_MS } from "../limits.js";
import type { Connector } from "./connector.js";
import { isDeeperThan } from "./exchange.js";

const ShellConfig = Type.Object(
  {
    command: Type.Optional(
      Type.Array(Type.String(), {
        description: "A program and its arguments, as a list: no shell looks at them.",
        minItems: 1,
        maxItems: 1_000,
      }),
    ),
    script: Type.Optional(
      Type.String({
        description:
          'A script for sh -eu. Values come in by env, and are read as "$NAME": ' +
          "an expression in the text itself is refused.",
        minLength: 1,
      }),
    ),
    env: Type.Optional(
      Type.Unsafe<{ [name: string]: Json }>({
        type: "object",
        description: "Environment variables. What is not text becomes JSON; null is empty.",
        propertyNames: {
          pattern: "^[A-Za-z_][A-Za-z0-9_]*$",
          "x-wanted": "the name of a variable: a letter or _, then letters, digits or _",
        },
      }),
    ),
    cwd: Type.Optional(
      Type.String({
        description: "Where it runs: inside the folder that holds the flows folder, the default.",
        pattern: "^[^/]",
        "x-wanted": "a path relative to the folder that holds the flows folder",
      }),
    ),
    expect: Type.Optional(
      Type.Array(Type.Integer({ minimum: 0, maximum: 255 }), {
        description: "The exit codes that complete the step; others fail it. Without it: 0.",
        minItems: 1,
        maxItems: 50,
        uniqueItems: true,
      }),
    ),
    json: Type.Optional(
      Type.Boolean({ description: "Stdout is JSON: read it into the output's json." }),
    ),
  },
  {
    additionalProperties: false,
    oneOf: [{ required: ["command"] }, { required: ["script"] }],
  },
);

type ShellConfig = Static<typeof ShellConfig>;

export const shell: Connector = {
  type: "shell",
  description:
    "Runs a program or a script, where the host allows it. Its exit code and the beginning of " +
    "its stdout are the output; all it writes is in the run's log.",
  config: ShellConfig,
  output: Type.Object(
    {
      exit_code: Type.Integer({ description: "One of those expected." }),
      stdout: Type.String({ description: `At most ${MAX_STDOUT_BYTES / 1024} KiB.` }),
      truncated: Type.Boolean({ description: "There was more on stdout." }),
      json: Type.Unknown({ description: "What stdout says, with json: true; else null." }),
    },
    { additionalProperties: false },
  ),
  stop_ms: 2 * PROCESS_STOP_MS,
  run,
};

async function run(call: Call, io: Io, signal: Signal): Promise<Json> {
  const {
    command,
    script = "",
    env = {},
    cwd = ".",
    expect = [0],
    json,
  } = call.config as ShellConfig;
  if (io.process === undefined) throw failed("not_allowed", NOT_ALLOWED);
  const end = await io.process({
    // Without -e a script goes on after a command that failed; without -u, with a name misspelled.
    command: command ?? ["/bin/sh", "-eu", "-c", script],
    env: { ...aboutCall(call), ...toTexts(env) },
    cwd,
    max_stdout_bytes: MAX_STDOUT_BYTES,
    signal,
  });
  const { exit_code, stdout, truncated } = end;
  if (!expect.includes(exit_code)) throw unexpected(command?.[0] ?? "the script", end);
  return { exit_code, stdout, truncated, json: json === true ? parse(end) : null };
}

const NOT_ALLOWED =
  "steps of type shell do not run here: start flows with --allow-shell if those who write the " +
  "flow files may run programs on this machine";

/** So that a program can tell a repetition, as an idempotency key tells it to a server. */
function aboutCall(call: Call): { [name: string]: string } {
  return {
    FLOWS_RUN_ID: call.run_id,
    FLOWS_WORKFLOW_ID: call.workflow_id,
    FLOWS_STEP_ID: call.step_id,
    FLOWS_ATTEMPT: String(call.attempt),
    FLOWS_IDEMPOTENCY_KEY: call.idempotency_key,
  };
}

function toTexts(values: { [name: string]: Json }): { [name: string]: string } {
  const entries = Object.entries(values).map(([name, value]) => {
    const text = typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
    return [name, text] as const;
  });
  return Object.fromEntries(entries);
}

function unexpected(what: string, { exit_code, last_words }: ProcessEnd): ConnectorError {
  const said = last_words === "" ? "" : `: ${last_words}`;
  const message = `${what} ended with exit code ${exit_code}${said}`;
  return new ConnectorError({ kind: "exit_code", message, exit_code });
}

function parse({ stdout, truncated }: ProcessEnd): Json {
  if (truncated) {
    throw failed("too_large", `stdout has more than ${MAX_STDOUT_BYTES / 1024} KiB of JSON`);
  }
  try {
    const value = JSON.parse(stdout) as Json;
    if (!isDeeperThan(value, MAX_JSON_DEPTH)) return value;
  } catch {
    throw failed("invalid_output", "stdout is not JSON, and the step says that it is");
  }
  throw failed("invalid_output", `stdout is nested deeper than ${MAX_JSON_DEPTH} levels`);
}

function failed(kind: string, message: string): ConnectorError {
  return new ConnectorError({ kind, message });
}

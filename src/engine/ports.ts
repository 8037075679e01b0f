// What the engine's loop and the connectors need of a host. Hosts fill these; this does no I/O.

import type { SecretText } from "../flow/expression/index.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { Concurrency, Workflow } from "../flow/workflow.js";
import type { Outcome } from "./command.js";
import type { Decision, Event } from "./event.js";
import type { Failure, Run } from "./run.js";

/** What must be in flight for a run right now. Derived from the run, never stored. */
export type Effect =
  | { kind: "wait"; key: string; attempt: number; until: string }
  /** Another workflow's run is to be started, and, where it is awaited, to end. */
  | { kind: "run"; key: string; attempt: number; child: () => Child }
  /** A pending run waits for a slot of its concurrency group. */
  | { kind: "slot"; key: string; attempt: number; concurrency: Concurrency }
  /** Nothing to do for a host: the run goes on when a person answers, or a signal comes. */
  | { kind: "listen"; key: string; attempt: number }
  | { kind: "call"; key: string; attempt: number; call: () => Call };

/** The run that a workflow step starts. */
export interface Child {
  /** A function of the parent's id and the step's key: a second start finds the first one's run. */
  run_id: string;
  workflow_id: string;
  context: JsonObject;
  awaited: boolean;
}

/** One attempt of one step, as a connector gets it. */
export interface Call {
  run_id: string;
  workflow_id: string;
  step_id: string;
  type: string;
  /** `<run id>/<instance key>`: the same for every attempt, never for another step. */
  idempotency_key: string;
  attempt: number;
  /** With all expressions filled in, but those that name a secret: an empty string is there. */
  config: JsonObject;
  /** The strings with secrets in them, for the host to fill in just before the call. */
  secrets: SecretText[];
  /** The flow file does not fix the host of `config.url`: what the run brings has chosen it. */
  open_host?: true;
  context: JsonObject;
  timeout_ms: number;
}

/** What the loop asks of its host. Callbacks, not promises: a simulated host can be synchronous. */
export interface LoopPorts {
  /** ms since 1970. */
  now(): number;
  /** 0 ≤ x < 1. */
  random(): number;
  /** Writes one record; calls back, in order of appending, once it is durable. */
  append(decision: Decision, durable: (seq: number) => void): void;
  /** Calls a connector; reports at most once. The answer stops it (no report follows). */
  call(call: Call, report: (outcome: Outcome) => void): () => void;
  /** Calls back at `until` (ms) or after it. The answer forgets it. */
  wait(until: number, due: () => void): () => void;
  /** The run as it is now, durable; `events` brought it there. */
  published(run: Run, events: Event[]): void;
  /** The run as it was last stored; calls back once, with undefined when there is none. */
  stored(runId: string, found: (run: Run | undefined) => void): void;
  /** The run of this id that was given up by `rest`, which is no longer asleep then. */
  wake?(runId: string): Run | undefined;
  /** The version of a workflow that new runs get. */
  current(workflowId: string): string | undefined;
  /** Every version that an unfinished run or a start command names. */
  workflow(version: string): Workflow | undefined;
  /** The value without secrets in it: what others say may hold them. Absent: there are none. */
  clean?(value: Json): Json;
}

/** The part of an AbortSignal that connectors use; the pure rooms do not know the DOM. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
}

export interface HttpRequest {
  method: string;
  url: string;
  headers: { [name: string]: string };
  body?: string;
  /** The answer's body is cut off, and the request fails, beyond this many bytes. */
  max_response_bytes: number;
  /** Absent: a redirect is the answer, as any other. */
  redirects?: {
    /** Statuses that are wanted as they come. */
    expect: readonly number[];
    /** By lower-case name: not sent to another origin. */
    secret_headers: readonly string[];
    secret_body: boolean;
  };
  signal: Signal;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names. */
  headers: { [name: string]: string };
  body: string;
}

export interface ProcessRequest {
  /** A program and its arguments; no shell looks at them. */
  command: string[];
  /** What the program's environment has beside what every program needs. */
  env: { [name: string]: string };
  /** Relative to the folder that holds the flows folder; not outside it. */
  cwd: string;
  /** Of stdout, which is kept up to here; the rest is in the log alone. */
  max_stdout_bytes: number;
  signal: Signal;
}

export interface ProcessEnd {
  exit_code: number;
  stdout: string;
  /** There was more on stdout. */
  truncated: boolean;
  /** The last line of stderr that says something. */
  last_words: string;
}

/** One line of a step's log; from a program's output, or from a connector itself. */
export interface Written {
  stream: "stdout" | "stderr" | "log";
  level?: LogLevel;
  text: string;
  data?: Json;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

/** A secret's own characters, or the bytes that it writes in base64. */
export type HmacKey = { text: string } | { base64: string };

/** Signs, and compares signatures: the pure rooms have no hashes of their own. */
export interface Signer {
  /** Of the parts one after another; texts as UTF-8. */
  hmac(of: {
    hash: "sha256" | "sha512" | "sha1";
    key: HmacKey;
    parts: readonly (string | Uint8Array)[];
    encoding: "hex" | "base64";
  }): string;
  /** Takes as long for what is nearly equal as for what is not. */
  equal(a: string, b: string): boolean;
}

/** The world, as connectors may touch it. A rejection is a `ConnectorError`. */
export interface Io {
  http(request: HttpRequest): Promise<HttpResponse>;
  /** Runs a program to its end, its output into the step's log. Absent: that may not be. */
  process?(request: ProcessRequest): Promise<ProcessEnd>;
  log(entry: Written): void;
  /** ms since 1970. */
  now(): number;
  signer: Signer;
}

/** What a connector throws to fail its step with a reason. */
export class ConnectorError extends Error {
  constructor(
    readonly failure: Failure,
    readonly retry_after_ms?: number,
  ) {
    super(failure.message);
    this.name = "ConnectorError";
  }
}

export type RunConnector = (call: Call, io: Io, signal: Signal) => Promise<Json>;

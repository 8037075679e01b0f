// The one interface that all doors use. Every host fills it, and so does the CLI's HTTP client.

import type { Diagnostic } from "../flow/diagnostic.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { Signature, Workflow } from "../flow/workflow.js";
import type { Refusal } from "./command.js";
import type { Event } from "./event.js";
import type { Figures } from "./figures.js";
import type { Written } from "./ports.js";
import type { Run, RunStatus, TriggerInfo } from "./run.js";
import type { WaitingFor } from "./waiting-for.js";

export interface TriggerRequest {
  workflow_id: string;
  context: JsonObject;
  /** The same key for the same workflow and context gives the same run. */
  idempotency_key?: string;
  /**
   * What happened, where it is not a person or a program that asks. Its key is that happening's:
   * the same gives the same run whatever the context.
   */
  trigger?: TriggerInfo;
}

export interface Triggered {
  run_id: string;
  /** As it is created: a run starts in the same durable write. */
  status: RunStatus;
  /** False: an earlier request with the same idempotency key created it. */
  created: boolean;
}

export interface RunQuery {
  workflow_id?: string;
  status?: RunStatus;
  /** 1 to 200. */
  limit: number;
  /** From the page before. */
  cursor?: string;
}

export interface RunSummary
  extends Pick<
    Run,
    | "id"
    | "workflow_id"
    | "workflow_version"
    | "status"
    | "created_at"
    | "started_at"
    | "finished_at"
    | "error"
  > {
  /** Of a paused run: the answers and signals that it waits for; none when it is held by hand. */
  waiting_for?: WaitingFor[];
}

export interface PersonAnswer {
  approved: boolean;
  comment: string | null;
  /** By id or key; needed only where several steps wait for an answer. */
  step_id?: string;
}

/** One change of a run, or, where the changes since `after` are gone, the whole run. */
export type Change =
  | { id: string; type: "event"; event: Event; run: Run }
  | { id: string; type: "run"; run: Run };

/** One line that a step wrote, as the run's log keeps it. */
export interface LogLine extends Written {
  /** ISO 8601, UTC, ms. */
  at: string;
  step_id: string;
  key: string;
  attempt: number;
}

export interface LogQuery {
  /** The cursor of the page before. */
  after?: string;
  /** 1 to 1 000. */
  limit: number;
  /** Only of this step: its id, or its key in the run. */
  step?: string;
}

export interface LogPage {
  lines: LogLine[];
  /** Where the next page begins, also of lines that are still to come. */
  cursor: string;
  /** There are further lines already. */
  more: boolean;
}

export interface Runner {
  /** Answers after the run is durable. */
  trigger(request: TriggerRequest): Promise<Triggered | Refusal>;
  get(runId: string): Promise<Run | undefined>;
  /** What its steps wrote, in order. Undefined: there is no such run. */
  logs(runId: string, query: LogQuery): Promise<LogPage | undefined>;
  /** Newest first. */
  list(query: RunQuery): Promise<{ runs: RunSummary[]; next_cursor: string | null }>;
  /**
   * First the run as it is (or the changes after `after`), then each change; ends after the run's
   * last one, or when `signal` aborts. Undefined: there is no such run.
   */
  watch(
    runId: string,
    after: string | undefined,
    signal: AbortSignalLike,
  ): Promise<AsyncIterable<Change> | undefined>;
  /**
   * The run once it has ended, or as it is when `signal` aborts: cheaper than to watch it where
   * nobody asks for what happens before. Undefined: there is no such run.
   */
  ended(runId: string, signal: AbortSignalLike): Promise<Run | undefined>;
  pause(runId: string): Promise<Run | Refusal>;
  resume(runId: string): Promise<Run | Refusal>;
  cancel(runId: string, reason?: string): Promise<Run | Refusal>;
  /** Goes on from the failed step; `from` names a step, by id or key, to go on from instead. */
  retry(runId: string, from?: string): Promise<Run | Refusal>;
  /** Kept until a `wait` step takes it. */
  signal(runId: string, name: string, data: Json): Promise<Run | Refusal>;
  /** A person's answer to an approval. */
  answer(runId: string, answer: PersonAnswer): Promise<Run | Refusal>;
}

export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A workflow as it is served now, and what is wrong with its file. */
export interface ServedWorkflow {
  id: string;
  name: string;
  /** Null: the file was never valid, so nothing is served under this id. */
  version: string | null;
  /** The flow file, relative to the flows folder, with `/`. */
  file: string;
  /** False: the file has errors; the version is the last good one. */
  valid: boolean;
  diagnostics: Diagnostic[];
  workflow: Workflow | null;
}

export interface PutRights {
  /** False: who puts it may sit at another machine, and must not reach what only this one can. */
  private_hosts: boolean;
}

/** The workflows of one flows folder, as doors see them. */
export interface Workflows {
  list(): Promise<ServedWorkflow[]>;
  get(id: string): Promise<ServedWorkflow | undefined>;
  /** Creates or updates the flow file; with errors nothing is written. */
  put(definition: JsonObject, may?: PutRights): Promise<Put>;
  /** Reads the whole folder again; answers when every file is checked and served. */
  sync(): Promise<ServedWorkflow[]>;
}

export type Put = { created: boolean; workflow: ServedWorkflow } | { diagnostics: Diagnostic[] };

/** A trigger fired, and no run came of it: nobody was there to be told. */
export interface RefusedStart {
  workflow_id: string;
  /** As `schedule "0 9 * * 1-5"`. */
  trigger: string;
  /** ISO: what it fired for. */
  at: string;
  message: string;
}

export interface Health {
  status: "ok" | "degraded";
  version: string;
  workflows: { served: number; invalid: number };
  /** Of all flow files. */
  diagnostics: number;
  /** Triggers whose last start was refused. */
  refused_starts: RefusedStart[];
  runs: { [status in RunStatus]: number };
  store: {
    /** What a person should look at, in a sentence. */
    trouble: string | null;
    /** Of finished runs, not written yet. */
    documents_waiting: number;
  };
}

/** What came to a hook, read by a door. */
export interface Delivery {
  /** By lower-case name. */
  headers: { [name: string]: string };
  query: { [name: string]: string };
  body: Json;
}

/** One path under `/hooks/`, and the workflow that it starts. */
export interface Hook {
  workflow_id: string;
  scheme?: Signature["scheme"];
  respond: "accepted" | "result";
  /** Undefined: signed as it must be. `no_secret`: there is nothing here to check it with. */
  check(
    headers: Delivery["headers"],
    body: Uint8Array,
  ): { trouble: "unsigned" | "no_secret"; message: string } | undefined;
  /** Answers after the run is durable. */
  deliver(delivery: Delivery): Promise<Triggered | Refusal>;
}

/** Everything behind the doors. */
export interface Host {
  runner: Runner;
  workflows: Workflows;
  /** What listens at this path. Absent: this host takes no deliveries. */
  hook?(path: string): Hook | undefined;
  health(): Promise<Health>;
  /** What it has counted. Absent: this side of the door counts nothing. */
  figures?(): Figures;
  /** The text without the values of secrets. Absent: this side of the door knows none. */
  redact?(text: string): string;
  /** Lets what is being written end, then lets the store go. */
  close(): Promise<void>;
}

/** What a token grants; each has what those before it have. */
export const SCOPES = ["read", "trigger", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

// Exit codes, and the one error that a command ends with: a sentence, its code, and what to do.

import type { Refusal, RefusalKind } from "../engine/command.js";
import type { Run } from "../engine/run.js";

export const EXIT = {
  done: 0,
  /** The run failed, the files have problems, or what was asked for may not be. */
  failed: 1,
  usage: 2,
  notFound: 3,
  /** Of a command that checks files: not they have problems, but the check itself broke. */
  broken: 3,
  /** The server cannot be reached, or the store is locked by an owner without address. */
  unreachable: 4,
  timedOut: 124,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export class CliError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
    /** What to do about it. */
    readonly hint?: string,
  ) {
    super(message);
    this.name = "CliError";
  }
}

/** A refusal as the command line says it: its sentence, and each place that does not fit. */
export function refusalError(refusal: Refusal, hint?: string): CliError {
  const places = (refusal.details ?? []).map(({ path, message }) => `  ${path || "/"}: ${message}`);
  return new CliError(
    REFUSAL_EXIT[refusal.refused],
    [refusal.message, ...places].join("\n"),
    hint ?? REFUSAL_HINT[refusal.refused],
  );
}

export function isRefusalKind(kind: string): kind is RefusalKind {
  return Object.hasOwn(REFUSAL_EXIT, kind);
}

export function runExit(run: Pick<Run, "status">): ExitCode {
  return run.status === "completed" ? EXIT.done : EXIT.failed;
}

const REFUSAL_EXIT: { readonly [kind in RefusalKind]: ExitCode } = {
  unknown_run: EXIT.notFound,
  unknown_workflow: EXIT.notFound,
  invalid_workflow: EXIT.failed,
  context_mismatch: EXIT.usage,
  already_started: EXIT.failed,
  wrong_status: EXIT.failed,
  unknown_step: EXIT.notFound,
  stale: EXIT.failed,
  idempotency_mismatch: EXIT.usage,
  busy: EXIT.unreachable,
};

const REFUSAL_HINT: { readonly [kind in RefusalKind]?: string } = {
  unknown_run: "flows runs lists them",
  unknown_workflow: "flows list names them",
  invalid_workflow: "flows validate shows what is wrong",
  context_mismatch: "give it with --context JSON or --set key=value",
  idempotency_mismatch: "choose another --idempotency-key",
  busy: "nothing was started: try again later; with --idempotency-key it is tried for a while",
};

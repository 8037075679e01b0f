// The commands about a whole run: start and begin it, pause and resume it, cancel it, retry it.

import { checkContext } from "../flow/context.js";
import { evaluateValue } from "../flow/expression/index.js";
import type { Concurrency } from "../flow/workflow.js";
import { closeOpenSteps, enter, expressionFailure } from "./advance.js";
import type { Command, Refusal } from "./command.js";
import type { Draft } from "./draft.js";
import { instanceState } from "./key.js";
import { noPlace, placeOf, rebegun, reopenedFor, stoppedAt } from "./place.js";
import { type Run, TRANSITIONS } from "./run.js";
import { isoTime } from "./time.js";

type Of<T extends Command["type"]> = Extract<Command, { type: T }>;

export function start(draft: Draft, run: Run | null, command: Of<"start">): Refusal | undefined {
  if (run !== null) {
    return { refused: "already_started", message: `Run ${run.id} exists already.` };
  }
  const { workflow } = draft;
  const checked = checkContext(workflow, command.context);
  if ("details" in checked) {
    return {
      refused: "context_mismatch",
      message: `The context does not fit workflow "${workflow.id}".`,
      details: checked.details,
    };
  }
  const concurrency = groupOf(draft, command, checked.context);
  if (concurrency && "refused" in concurrency) return concurrency;
  draft.emit({
    type: "run_created",
    run_id: command.run_id,
    workflow_id: workflow.id,
    workflow_version: command.workflow_version,
    context: checked.context,
    trigger: command.trigger,
    ...(concurrency === undefined ? {} : { concurrency }),
  });
  if (!concurrency) begin(draft);
  else if (concurrency.on_conflict === "skip" && command.slot_free?.(concurrency) === false) {
    const reason = `Skipped: another run holds the concurrency group "${concurrency.group}".`;
    draft.emit({ type: "run_cancelled", reason });
  }
  return undefined;
}

/** The workflow's concurrency, with its group's name filled in. */
function groupOf(
  { workflow, at }: Draft,
  command: Of<"start">,
  context: Run["context"],
): Concurrency | Refusal | undefined {
  if (!workflow.concurrency) return undefined;
  const names = {
    context,
    trigger: { ...command.trigger } as Run["context"],
    run: { id: command.run_id, created_at: at },
    workflow: { id: workflow.id, version: command.workflow_version },
  };
  try {
    const group = evaluateValue(workflow.concurrency.group, names);
    return {
      ...workflow.concurrency,
      group: typeof group === "string" ? group : JSON.stringify(group),
    };
  } catch (error) {
    const { message } = expressionFailure(error);
    const reason = `The concurrency group of workflow "${workflow.id}" has no name: ${message}`;
    return { refused: "context_mismatch", message: reason };
  }
}

/** A run that may run does: from its entry, or from where a retry by hand goes on. */
export function begin(draft: Draft): undefined {
  const before = draft.run;
  draft.emit({ type: "run_started", ...deadline(draft) });
  if (before.retrying && Object.keys(before.steps).length > 0) goOnFrom(draft, before);
  else enter(draft, "", draft.workflow.entry_point);
}

function deadline(draft: Draft): { deadline_at?: string } {
  const ms = draft.workflow.timeout_ms;
  return ms === undefined ? {} : { deadline_at: isoTime(draft.now + ms) };
}

export function wrongStatus(run: Run, event: string, participle: string): Refusal | undefined {
  if (TRANSITIONS[run.status][event] !== undefined) return undefined;
  return {
    refused: "wrong_status",
    message: `Run ${run.id} is ${run.status}; it cannot be ${participle} now.`,
  };
}

/** Calls in flight go on and are recorded; what would follow them is held back. */
export function pause(draft: Draft): Refusal | undefined {
  if (draft.run.held) {
    const message = `Run ${draft.run.id} is paused by hand already.`;
    return { refused: "wrong_status", message };
  }
  draft.emit({ type: "run_paused", by: "hand" });
  return undefined;
}

export function resume(draft: Draft): Refusal | undefined {
  if (!draft.run.held) {
    const message = `Run ${draft.run.id} waits for a person's answer: approve or reject it.`;
    return { refused: "wrong_status", message };
  }
  draft.emit({ type: "run_resumed" });
  goOn(draft);
  return undefined;
}

/** Starts what was held back; with nothing open, the body had ended. */
function goOn(draft: Draft): void {
  const entered = draft.next.map((next) => ("begin" in next ? next.begin : ""));
  for (const key of draft.run.open) {
    const isPending = instanceState(draft.run, key)?.status === "pending";
    if (isPending && !entered.includes(key)) draft.next.push({ begin: key });
  }
  if (draft.run.open.length === 0 && draft.next.length === 0) draft.next.push({ end: "" });
}

export function cancel(draft: Draft, command: Of<"cancel">): undefined {
  closeOpenSteps(draft);
  const reason = command.reason === undefined ? {} : { reason: command.reason };
  draft.emit({ type: "run_cancelled", ...reason });
}

/** Goes on from what failed and what was cut off with it; what is before that stays as it is. */
export function retry(draft: Draft, { from }: Of<"retry">): Refusal | undefined {
  const { run } = draft;
  if (from !== undefined && !placeOf(run, from)) {
    return { refused: "unknown_step", message: noPlace(run, from) };
  }
  draft.emit({ type: "run_retried", ...(from === undefined ? {} : { from }) });
  if (!run.concurrency) begin(draft);
  return undefined;
}

/** `before`: the run as it was before it started again. */
function goOnFrom(draft: Draft, before: Run): void {
  const from = before.retrying?.from;
  const place = from === undefined ? undefined : placeOf(before, from);
  const keys = place ? reopenedFor(before, place) : stoppedAt(before);
  for (const key of keys) {
    if (instanceState(before, key)) draft.emit({ type: "step_reopened", key });
  }
  if (place) {
    for (const body of rebegun(before, place)) draft.emit({ type: "body_started", ...body });
    enter(draft, place.scope, place.stepId);
  }
  goOn(draft);
  // What is around the place begins first: a step that fails at once would close it unbegun.
  const [entered] = place ? draft.next.splice(0, 1) : [];
  if (entered) draft.next.push(entered);
}

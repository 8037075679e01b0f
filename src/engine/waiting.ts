// The control types that wait: for a time, for a person, for a signal.

import { parseDuration } from "../flow/duration.js";
import type { Json } from "../flow/json.js";
import type { Step, Workflow } from "../flow/workflow.js";
import { asText, complete, fail, fill, nextAttempt } from "./advance.js";
import { childRunId } from "./child.js";
import type { Draft } from "./draft.js";
import { instanceState, parseKey } from "./key.js";
import { misfit } from "./output.js";
import type { Control } from "./rule.js";
import type { Failure, Run } from "./run.js";
import { typesIn } from "./steps.js";
import { isoTime } from "./time.js";
import { APPROVAL_SIGNAL, SIGNAL_NAME_PATTERN } from "./waiting-for.js";

const SIGNAL_NAME = new RegExp(SIGNAL_NAME_PATTERN);

export const DELAY: Control = {
  begin(draft, key, step) {
    const { seconds, for: duration, until } = filledConfig(draft, key, step);
    const due =
      until === undefined ? addDuration(draft.now, seconds ?? duration ?? 0) : parseTime(until);
    if (typeof due !== "number") {
      fail(draft, key, due);
      return;
    }
    const [attempt, end] = [nextAttempt(draft, key), isoTime(Math.max(due, draft.now))];
    draft.emit({ type: "step_started", key, attempt, until: end });
  },
};

/** Waits for a person: the run is paused until someone answers, or the step's timeout. */
export const APPROVAL: Control = {
  begin(draft, key, step) {
    const message = asText(fill(draft, parseKey(key).scope, step.config.message ?? ""));
    const signal = `${APPROVAL_SIGNAL}${key}`;
    const attempt = nextAttempt(draft, key);
    draft.emit({ type: "step_started", key, attempt, signal, message, ...timeout(draft, step) });
  },
  due(draft, key, step) {
    const policy = String(step.config.on_timeout ?? "fail");
    if (policy === "fail") {
      fail(draft, key, { kind: "timeout", message: `Nobody answered step "${step.id}" in time.` });
    } else {
      complete(draft, key, { approved: policy === "approve", comment: null, timed_out: true });
    }
  },
};

/** Is there a step that waits for a person? Asked in every decision; most workflows never ask. */
export function asksAPerson(workflow: Workflow, run: Run): boolean {
  if (!typesIn(workflow).has("approval")) return false;
  return run.open.some((key) => instanceState(run, key)?.signal?.startsWith(APPROVAL_SIGNAL));
}

/** Waits for a signal by name; one that came before is taken at once. */
export const WAIT: Control = {
  begin(draft, key, step) {
    const { signal = null } = filledConfig(draft, key, step);
    if (typeof signal !== "string" || !SIGNAL_NAME.test(signal)) {
      const message = `${JSON.stringify(signal)} is no signal's name, such as order_paid.`;
      fail(draft, key, { kind: "value", message });
      return;
    }
    const attempt = nextAttempt(draft, key);
    draft.emit({ type: "step_started", key, attempt, signal, ...timeout(draft, step) });
    const kept = draft.run.signals?.find(({ name }) => name === signal);
    if (kept) complete(draft, key, kept.data, signal);
  },
  due(draft, key, step) {
    const message = `Step "${step.id}" got no signal in time.`;
    fail(draft, key, { kind: "timeout", message });
  },
};

/** Starts a run of another workflow; the host drives it, and reports how it ended. */
export const WORKFLOW: Control = {
  begin(draft, key, step) {
    const child_run_id = childRunId(draft.run.id, key);
    const attempt = nextAttempt(draft, key);
    draft.emit({ type: "step_started", key, attempt, child_run_id, ...timeout(draft, step) });
  },
  due(draft, key, step) {
    const message = `The run of workflow "${step.config.workflow_id}" did not end in time.`;
    fail(draft, key, { kind: "timeout", message });
  },
};

function filledConfig(draft: Draft, key: string, step: Step): { [name: string]: Json } {
  return fill(draft, parseKey(key).scope, step.config) as { [name: string]: Json };
}

function timeout(draft: Draft, step: Step): { until?: string } {
  return step.timeout_ms === undefined ? {} : { until: isoTime(draft.now + step.timeout_ms) };
}

/** A number is seconds. What an expression made can still be no duration at all. */
function addDuration(now: number, value: Json): number | Failure {
  const ms = parseDuration(value);
  if (typeof ms === "number") return now + ms;
  return { kind: "value", message: `${JSON.stringify(value)} is no duration, such as 5m or 90.` };
}

const TIME = { type: "string", format: "date-time" };

/** As the schema wants it of a literal: with its offset. `Date.parse` alone would guess one. */
function parseTime(value: Json): number | Failure {
  const isTime = misfit(TIME, value) === undefined;
  const time = isTime ? Date.parse(String(value)) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const example = "2030-01-31T09:00:00Z";
  const message = `${JSON.stringify(value)} is no time with its offset, such as ${example}.`;
  return { kind: "value", message };
}

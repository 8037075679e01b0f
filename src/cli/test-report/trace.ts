// The events of a rehearsal in lines of text, each with its virtual time.

import type { Rehearsal, Traced } from "../../engine/rehearse.js";
import type { Failure } from "../../engine/run.js";
import { durationText } from "../../flow/duration.js";
import type { TestCase } from "../../flow/test-case.js";
import { brief } from "../words.js";

/** Lines of a trace: the start and the end of what went wrong are in view. */
const MAX_LINES = 60;

export function traceLines({ trace }: Rehearsal, { at }: TestCase): string[] {
  const left = trace.length - MAX_LINES;
  const shown = left <= 1 ? trace : [...trace.slice(0, 20), ...trace.slice(left + 20)];
  const times = shown.map(({ after_ms }) => `+${durationText(after_ms)}`);
  const width = Math.max(...times.map(({ length }) => length), 0);
  const lines = shown.map((each, index) => {
    return `${(times[index] ?? "").padEnd(width)}  ${describe(each, at)}`;
  });
  if (left > 1) lines.splice(20, 0, `… ${left} more events …`);
  return lines;
}

function describe({ event, prefix }: Traced, start: number): string {
  const step = "key" in event ? `${prefix}${shortKey(event.key)}` : "";
  const run = prefix === "" ? "run" : `run of ${prefix.slice(0, -1)}`;
  const until = (iso: string) => `+${durationText(Date.parse(iso) - start)}`;
  switch (event.type) {
    case "run_created":
      return `${run} created: ${event.workflow_id} ${brief(event.context)}`;
    case "run_paused":
      return `${run} paused, for a person to answer`;
    case "run_completed":
      return `${run} completed${event.output === null ? "" : `: ${brief(event.output)}`}`;
    case "run_failed":
      return `${run} failed: ${reason(event.error)}`;
    case "signal_received":
      return `${run} got the signal ${event.name}: ${brief(event.data)}`;
    case "step_started": {
      const attempt = event.attempt > 1 ? `, attempt ${event.attempt}` : "";
      return `${step} started${attempt}${event.until ? `, until ${until(event.until)}` : ""}`;
    }
    case "step_completed":
      return `${step} completed: ${brief(event.output)}`;
    case "step_attempt_failed":
      return `${step} failed: ${reason(event.error)}; again at ${until(event.until)}`;
    case "step_failed":
      return `${step} failed: ${reason(event.error)}${handler(event.handled)}`;
    case "body_started":
    case "body_completed":
      return `${step} ${words(event.type)}: ${event.body}`;
    default:
      return `${step || run} ${words(event.type)}`;
  }
}

/** `remind_each#0/3/send#0` as `remind_each/3/send`: first passes are the rule. */
function shortKey(key: string): string {
  return key.replace(/#0(?=\/|$)/g, "");
}

function reason({ kind, message }: Failure): string {
  return `${message} (${kind})`;
}

function handler(handled: "step" | "workflow" | undefined): string {
  if (handled === undefined) return "";
  return handled === "step" ? "; its on_error takes over" : "; the workflow's on_error takes over";
}

/** `step_skipped` as `skipped`, `body_started` as `item or branch started`. */
function words(type: string): string {
  const [subject, ...rest] = type.split("_");
  return subject === "body" ? `body ${rest.join(" ")}` : rest.join(" ");
}

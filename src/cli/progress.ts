// What changed between two looks at a run: one line a change.

import type { Run, RunStatus, StepState } from "../engine/run.js";
import type { Colors } from "./output.js";
import { printable } from "./output.js";
import { moment, seconds } from "./words.js";

export interface Difference {
  /** ISO time, where the run says when. */
  at: string | null;
  /** A step's id, or null for the run itself. */
  step_id: string | null;
  text: string;
  status: RunStatus | StepState["status"];
}

/** In the order in which they happened. `before` is undefined at the first look. */
export function differences(before: Run | undefined, after: Run): Difference[] {
  const started = after.started_at !== null && before?.started_at !== after.started_at;
  const first: Difference[] = [];
  if (before === undefined) first.push(ofRun(after, "pending", after.created_at));
  if (started && after.status !== "running") first.push(ofRun(after, "running", after.started_at));
  const steps = Object.entries(after.steps).flatMap(([id, step]) =>
    stepDifferences(id, before?.steps[id], step),
  );
  const last: Difference[] = [];
  if (after.status !== (before?.status ?? "pending")) {
    const change = ofRun(after, after.status, timeOf(after));
    (after.status === "running" ? first : last).push(change);
  }
  return [...first, ...steps, ...last];
}

export function line(difference: Difference, since: string, width: number, colors: Colors): string {
  const { at, step_id, status, text } = difference;
  const offset = at === null ? "" : `+${seconds(Date.parse(at) - Date.parse(since))}`;
  const name = printable(step_id ?? "run").padEnd(width);
  return [
    colors.dim(offset.padStart(9)),
    step_id === null ? colors.bold(name) : name,
    paintStatus(status, colors)(printable(text)),
  ].join("  ");
}

export function paintStatus(
  status: Difference["status"],
  colors: Colors,
): (text: string) => string {
  if (status === "completed") return colors.green;
  if (status === "failed") return colors.red;
  if (status === "cancelled" || status === "paused") return colors.yellow;
  return status === "running" ? colors.cyan : (text) => text;
}

function ofRun(run: Run, status: RunStatus, at: string | null): Difference {
  const why = status === "failed" && run.error !== null ? `: ${run.error.message}` : "";
  return { at, step_id: null, status, text: `${status}${why}` };
}

function timeOf(run: Run): string | null {
  if (run.finished_at !== null) return run.finished_at;
  return run.status === "running" ? run.started_at : null;
}

function stepDifferences(id: string, before: StepState | undefined, now: StepState): Difference[] {
  const same =
    before?.status === now.status &&
    before.attempt === now.attempt &&
    before.iteration === now.iteration &&
    before.until === now.until;
  if (same) return [];
  const said = (at: string | null, text: string): Difference => {
    return { at, step_id: id, status: now.status, text };
  };
  const pass = now.iteration > 0 ? ` (pass ${now.iteration + 1})` : "";
  const attempt = now.attempt > 1 ? ` (attempt ${now.attempt})` : "";
  if (now.status === "waiting" && now.error !== null) {
    const next = now.until === undefined ? "" : `; next try at ${moment(now.until)} UTC`;
    return [said(null, `attempt ${now.attempt} failed${pass}: ${now.error.message}${next}`)];
  }
  if (now.status === "waiting") return [said(now.started_at, `waiting${waitOf(now)}${pass}`)];
  if (now.status === "failed" && now.error !== null) {
    return [said(now.finished_at, `failed${attempt}${pass}: ${now.error.message}`)];
  }
  const at = now.finished_at ?? (now.attempt > 1 ? null : now.started_at);
  return [said(at, `${now.status}${attempt}${pass}`)];
}

function waitOf({ started_at, until }: StepState): string {
  if (started_at === null || until === undefined) return "";
  return ` for ${seconds(Date.parse(until) - Date.parse(started_at))}`;
}

// Times and values as people read them.

import type { Run } from "../engine/run.js";

/** `0.02s`, `12.5s`, `3m20s`, `2h5m`, `3d4h`. */
export function seconds(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(2)}s`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`;
  const whole = Math.floor(ms / 1_000);
  if (whole < 3_600) return `${Math.floor(whole / 60)}m${whole % 60}s`;
  if (whole < 86_400) return `${Math.floor(whole / 3_600)}h${Math.floor((whole % 3_600) / 60)}m`;
  return `${Math.floor(whole / 86_400)}d${Math.floor((whole % 86_400) / 3_600)}h`;
}

/** How long something took; empty where it has not begun or not ended. */
export function took(span: { started_at: string | null; finished_at: string | null }): string {
  if (span.started_at === null || span.finished_at === null) return "";
  return seconds(Date.parse(span.finished_at) - Date.parse(span.started_at));
}

/** `2026-01-05 09:00:02` in UTC: the same on every machine, and it sorts. */
export function moment(iso: string | null): string {
  return iso === null ? "" : iso.slice(0, 19).replace("T", " ");
}

export function shortVersion(version: string | null): string {
  return version === null ? "" : version.slice(0, 12);
}

/** One line of JSON, cut where it would fill the screen. */
export function brief(value: unknown, limit = 100): string {
  const text = JSON.stringify(value) ?? "";
  return text.length <= limit ? text : `${text.slice(0, limit - 1)}…`;
}

export function failureText(error: Run["error"]): string {
  if (error === null) return "";
  return error.step_id === undefined ? error.message : `${error.step_id}: ${error.message}`;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

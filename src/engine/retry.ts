// When a failed attempt is tried again: the delay grows as the step says, chance spreads it.

import type { Step } from "../flow/workflow.js";
import { MAX_RETRY_AFTER_MS } from "../limits.js";
import type { Failure, StepState } from "./run.js";

/** ms to wait before the next attempt, or null when there is none. 0 ≤ chance < 1. */
export function retryDelay(
  step: Step,
  state: StepState,
  error: Failure,
  chance: number,
  retryAfterMs = 0,
): number | null {
  const retry = step.retry;
  if (!retry || error.kind === "expression") return null;
  // Performed or not, nobody knows: another try would break the promise of at_most_once.
  if (error.kind === "interrupted" && step.delivery === "at_most_once") return null;
  const tried = state.attempt - (state.attempts_before ?? 0);
  if (tried >= retry.max_attempts) return null;
  const factor = { constant: 1, linear: tried, exponential: 2 ** (tried - 1) }[retry.backoff];
  const delay = Math.min(retry.delay_ms * factor, retry.max_delay_ms);
  const jittered = delay * (1 + retry.jitter * (2 * chance - 1));
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS)));
}

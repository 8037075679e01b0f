// What a run waits for that somebody has to do: answer an approval, or send a signal.

import { instanceState, parseKey } from "./key.js";
import type { Run } from "./run.js";

/** A signal's name, as a file and those who send it say it. */
export const SIGNAL_NAME_PATTERN = "^[A-Za-z_][A-Za-z0-9_-]{0,63}$";

/** The signal names of approvals: no `wait` can name one, since a name has no colon. */
export const APPROVAL_SIGNAL = "approval:";

export interface WaitingFor {
  /** Of the step that waits. */
  step_id: string;
  key: string;
  /** What the person is asked: the step is an approval. */
  message?: string;
  /** The signal's name: the step is a wait. */
  signal?: string;
  /** When the step's timeout decides instead. */
  until?: string;
}

/** Oldest first. */
export function waitingFor(run: Run): WaitingFor[] {
  return run.open.flatMap((key) => {
    const { signal, message = "", until } = instanceState(run, key) ?? {};
    if (signal === undefined) return [];
    const isQuestion = signal.startsWith(APPROVAL_SIGNAL);
    const what = isQuestion ? { message } : { signal };
    const limit = until === undefined ? {} : { until };
    return [{ step_id: parseKey(key).stepId, key, ...what, ...limit }];
  });
}

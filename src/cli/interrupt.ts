// Signals and deadlines: the first one ends a command in good order, a second signal at once.

import { EXIT } from "./exit.js";
import { INTERRUPTED, TIMED_OUT } from "./follow.js";

export interface Interruptible {
  /** Aborted with the reason INTERRUPTED or TIMED_OUT. */
  signal: AbortSignal;
  /** Starts the clock of a `--timeout`, which counts from when the run is on disk. */
  limit(ms: number): void;
  /** From then on, signals do what they always did. */
  release(): void;
}

export function interruptible(): Interruptible {
  const controller = new AbortController();
  let signals = 0;
  const onSignal = () => {
    signals += 1;
    if (signals > 1) process.exit(EXIT.interrupted);
    controller.abort(INTERRUPTED);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: controller.signal,
    limit: (ms) => {
      timer = setTimeout(() => controller.abort(TIMED_OUT), ms);
    },
    release: () => {
      clearTimeout(timer);
      process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    },
  };
}

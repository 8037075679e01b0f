// Follows a run to its end, and says each change as it happens. Used wherever a command waits.

import { FINISHED, type Run } from "../engine/run.js";
import type { Change, Runner } from "../engine/runner.js";
import { CliError, EXIT, type ExitCode, runExit } from "./exit.js";
import type { Colors, Output } from "./output.js";
import { differences, line } from "./progress.js";
import { Ticker } from "./ticker.js";

export interface FollowOptions {
  runner: Runner;
  runId: string;
  /** Aborted by a signal or by a deadline; the reason says which: `interrupted`, `timed out`. */
  signal: AbortSignal;
  onChange(change: Change): void;
}

/** The finished run; or, when `signal` aborts before that, undefined. */
export async function follow(options: FollowOptions): Promise<Run | undefined> {
  const { runner, runId, signal, onChange } = options;
  const changes = await runner.watch(runId, undefined, signal);
  if (changes === undefined) throw noSuchRun(runId);
  let last: Run | undefined;
  for await (const change of changes) {
    last = change.run;
    onChange(change);
  }
  if (last !== undefined && FINISHED.has(last.status)) return last;
  if (signal.aborted) return undefined;
  throw new CliError(EXIT.unreachable, `The changes of ${runId} ended before the run did.`);
}

export function noSuchRun(runId: string): CliError {
  return new CliError(EXIT.notFound, `There is no run ${JSON.stringify(runId)}.`, "see flows runs");
}

/** Says what is new in each run that it is shown. */
export class Narrator {
  private before: Run | undefined;

  constructor(
    private readonly say: (text: string) => void,
    private readonly colors: Colors,
  ) {}

  show({ run, ...change }: Change): void {
    // Some changes leave no time in the run; then the event knows.
    const at = change.type === "event" ? change.event.at : null;
    const width = Math.max(NAME_WIDTH, ...Object.keys(run.steps).map((id) => id.length));
    for (const difference of differences(this.before, run)) {
      const timed = { ...difference, at: difference.at ?? at };
      this.say(line(timed, run.created_at, width, this.colors));
    }
    this.before = run;
  }
}

/** Says the changes on stderr, with a line that ticks where somebody looks; then the exit code. */
export async function followAloud(
  options: Omit<FollowOptions, "onChange"> & { output: Output },
): Promise<{ run: Run | undefined; exit: ExitCode }> {
  const { output } = options;
  const ticker = new Ticker(output);
  const narrator = new Narrator((text) => ticker.above(() => output.say(text)), output.talkColors);
  try {
    const run = await follow({
      ...options,
      onChange: (change) => {
        narrator.show(change);
        ticker.show(change.run);
      },
    });
    return { run, exit: run ? runExit(run) : abortExit(options.signal) };
  } finally {
    ticker.stop();
  }
}

export function abortExit(signal: AbortSignal): ExitCode {
  return signal.reason === TIMED_OUT ? EXIT.timedOut : EXIT.interrupted;
}

/** Wide enough for most step ids, so that the columns stay where they are. */
const NAME_WIDTH = 14;

export const TIMED_OUT = "timed out";
export const INTERRUPTED = "interrupted";

// `flows logs RUN`: what its steps wrote; with -f also what they write from now on.

import { setTimeout as sleep } from "node:timers/promises";
import { FINISHED } from "../../engine/run.js";
import type { LogLine, LogQuery, Runner } from "../../engine/runner.js";
import { LOG_POLL_MS, MAX_LOG_PAGE } from "../../limits.js";
import { EXIT, type ExitCode } from "../exit.js";
import { abortExit, noSuchRun } from "../follow.js";
import { runIdOf } from "../ids.js";
import { interruptible } from "../interrupt.js";
import type { Common, Options } from "../options.js";
import { type Colors, type Output, printable } from "../output.js";
import { withHost } from "../reach.js";
import { brief } from "../words.js";
import { sayHowToGoOn } from "./trigger.js";

export async function logs(
  common: Common,
  [id = ""]: string[],
  options: Options,
): Promise<ExitCode> {
  const { output } = common;
  const runId = runIdOf(id);
  const isFollowing = options.follow === true;
  const step = options.step as string | undefined;
  const { signal, release } = interruptible();
  try {
    return await withHost(
      common,
      { for: isFollowing ? "run" : "look" },
      async ({ host, owned }) => {
        const log = { runner: host.runner, runId, ...(step !== undefined && { step }) };
        const written = await print(log, output, isFollowing ? signal : undefined);
        if (written === 0) output.say("Its steps wrote nothing.");
        if (!isFollowing || !signal.aborted) return EXIT.done;
        if (owned) sayHowToGoOn(runId, output);
        return abortExit(signal);
      },
    );
  } finally {
    release();
  }
}

interface Log {
  runner: Runner;
  runId: string;
  step?: string;
}

/** With a signal it goes on until the run has ended, or the signal comes. How many lines it saw. */
async function print(
  { runner, runId, step }: Log,
  output: Output,
  signal: AbortSignal | undefined,
): Promise<number> {
  const query: LogQuery = { limit: MAX_LOG_PAGE, ...(step !== undefined && { step }) };
  let written = 0;
  for (;;) {
    // Before the page: what was written until the end is on it then.
    const run = signal && (await runner.get(runId));
    const page = await runner.logs(runId, query);
    if (page === undefined) throw noSuchRun(runId);
    for (const line of page.lines) {
      if (output.json) output.value(line);
      else output.result(lineText(line, output.colors));
    }
    written += page.lines.length;
    query.after = page.cursor;
    if (page.more) continue;
    if (run === undefined || FINISHED.has(run.status) || signal?.aborted) return written;
    await sleep(LOG_POLL_MS, undefined, { signal }).catch(() => {});
  }
}

function lineText({ at, step_id, stream, level, text, data }: LogLine, colors: Colors): string {
  const tag = level ?? stream;
  const said = printable(data === undefined ? text : `${text} ${brief(data)}`);
  const paint = PAINT[tag] ?? "reset";
  return [
    colors.dim(at.slice(11, 23)),
    step_id.padEnd(14),
    colors[paint](tag.padEnd(6)),
    said,
  ].join("  ");
}

const PAINT: { readonly [tag: string]: "red" | "yellow" | "dim" } = {
  error: "red",
  warn: "yellow",
  debug: "dim",
  stderr: "yellow",
};

// `flows cancel`, `pause`, `resume` and `retry`: one wish about one run, and how the run is then.

import { isRefusal } from "../../engine/command.js";
import { FINISHED, type Run } from "../../engine/run.js";
import { EXIT, type ExitCode, refusalError } from "../exit.js";
import { followAloud } from "../follow.js";
import { runIdOf } from "../ids.js";
import { interruptible } from "../interrupt.js";
import type { Common, Options } from "../options.js";
import { type Reached, withHost } from "../reach.js";
import { printRun } from "./show.js";
import { sayHowToGoOn } from "./trigger.js";

export type Wish = "cancel" | "pause" | "resume" | "retry";

export async function control(
  wish: Wish,
  common: Common,
  [id = ""]: string[],
  options: Options,
): Promise<ExitCode> {
  const runId = runIdOf(id);
  const goesOn = wish === "resume" || wish === "retry";
  return withHost(common, { for: goesOn ? "run" : "look" }, async (reached) => {
    const { runner } = reached.host;
    const answer = await (wish === "cancel"
      ? runner.cancel(runId, options.reason as string | undefined)
      : runner[wish](runId));
    if (isRefusal(answer)) throw refusalError(answer);
    if (goesOn && reached.owned) return here(answer, reached, common);
    say(answer, common);
    return EXIT.done;
  });
}

/** Nobody else runs it, so this command does, to the run's end. */
async function here(run: Run, { host }: Reached, common: Common): Promise<ExitCode> {
  const { output } = common;
  const { signal, release } = interruptible();
  try {
    const ended = await followAloud({ runner: host.runner, runId: run.id, signal, output });
    if (ended.run === undefined) sayHowToGoOn(run.id, output);
    else printRun(ended.run, output);
    return ended.exit;
  } finally {
    release();
  }
}

function say(run: Run, { output }: Common): void {
  if (output.json) output.value(run);
  else output.result(`${run.id} ${run.status}`);
  if (!FINISHED.has(run.status)) output.say(`Follow it with: flows watch ${run.id}`);
}

// `flows watch RUN`: follows a run to its end. Where no server runs, the run goes on right here.

import type { ExitCode } from "../exit.js";
import { runExit } from "../exit.js";
import { abortExit, follow, Narrator, noSuchRun } from "../follow.js";
import { runIdOf } from "../ids.js";
import { interruptible } from "../interrupt.js";
import type { Common } from "../options.js";
import { withHost } from "../reach.js";
import { Ticker } from "../ticker.js";
import { sayHowToGoOn } from "./trigger.js";

export async function watch(common: Common, [id = ""]: string[]): Promise<ExitCode> {
  const { output } = common;
  const runId = runIdOf(id);
  const { signal, release } = interruptible();
  const ticker = new Ticker(output);
  try {
    return await withHost(common, { for: "run" }, async ({ host, owned }) => {
      if ((await host.runner.get(runId)) === undefined) throw noSuchRun(id);
      const narrator = new Narrator(
        (text) => ticker.above(() => output.result(text)),
        output.colors,
      );
      const run = await follow({
        runner: host.runner,
        runId,
        signal,
        onChange: (change) => {
          if (output.json) output.value(change);
          else narrator.show(change);
          ticker.show(change.run);
        },
      });
      ticker.stop();
      if (run === undefined && owned) sayHowToGoOn(runId, output);
      return run ? runExit(run) : abortExit(signal);
    });
  } finally {
    ticker.stop();
    release();
  }
}

// `flows cancel`, `pause`, `resume`, `retry`, `approve`, `reject` and `signal`: one wish about one
// run, and how the run is then.

import { isRefusal, type Refusal } from "../../engine/command.js";
import { FINISHED, type Run } from "../../engine/run.js";
import type { Runner } from "../../engine/runner.js";
import { SIGNAL_NAME_PATTERN } from "../../engine/waiting-for.js";
import type { Json } from "../../flow/json.js";
import { EXIT, type ExitCode, refusalError } from "../exit.js";
import { followAloud } from "../follow.js";
import { runIdOf } from "../ids.js";
import { interruptible } from "../interrupt.js";
import { type Common, type Options, usage } from "../options.js";
import { type Reached, withHost } from "../reach.js";
import { textArgument } from "../text-argument.js";
import { printRun } from "./show.js";
import { sayHowToGoOn } from "./trigger.js";

interface Control {
  /** After it something is to be done; where nobody else runs it, this command does. */
  goesOn: boolean;
  ask(runner: Runner, runId: string, args: Given): Promise<Run | Refusal>;
}

interface Given {
  /** What stands after the run: a step, or a signal's name. */
  word: string | undefined;
  options: Options;
  data: Json;
}

const CONTROLS = {
  cancel: {
    goesOn: false,
    ask: (runner, runId, { options }) => runner.cancel(runId, textOf(options.reason)),
  },
  pause: { goesOn: false, ask: (runner, runId) => runner.pause(runId) },
  resume: { goesOn: true, ask: (runner, runId) => runner.resume(runId) },
  retry: {
    goesOn: true,
    ask: (runner, runId, { options }) => runner.retry(runId, textOf(options.from)),
  },
  approve: { goesOn: true, ask: (runner, runId, args) => answer(runner, runId, true, args) },
  reject: { goesOn: true, ask: (runner, runId, args) => answer(runner, runId, false, args) },
  signal: {
    goesOn: true,
    ask: (runner, runId, { word = "", data }) => runner.signal(runId, word, data),
  },
} satisfies { [name: string]: Control };

export type Wish = keyof typeof CONTROLS;

export async function control(
  wish: Wish,
  common: Common,
  [id = "", word]: (string | undefined)[],
  options: Options,
): Promise<ExitCode> {
  const runId = runIdOf(id);
  const data = wish === "signal" ? await signalData(word, options) : null;
  const { goesOn, ask }: Control = CONTROLS[wish];
  return withHost(common, { for: goesOn ? "run" : "look" }, async (reached) => {
    const answer = await ask(reached.host.runner, runId, { word, options, data });
    if (isRefusal(answer)) throw refusalError(answer);
    if (goesOn && reached.owned) return here(answer, reached, common);
    say(answer, common);
    return EXIT.done;
  });
}

function answer(
  runner: Runner,
  runId: string,
  approved: boolean,
  { word, options }: Given,
): Promise<Run | Refusal> {
  const comment = textOf(options.comment) ?? null;
  return runner.answer(runId, {
    approved,
    comment,
    ...(word === undefined ? {} : { step_id: word }),
  });
}

function textOf(option: unknown): string | undefined {
  return typeof option === "string" ? option : undefined;
}

async function signalData(name: string | undefined, options: Options): Promise<Json> {
  if (!new RegExp(SIGNAL_NAME_PATTERN).test(name ?? "")) {
    throw usage(`"${name}" is no signal's name: a letter or _, then letters, digits, _ or -`);
  }
  const given = textOf(options.data);
  if (given === undefined) return null;
  try {
    return JSON.parse(await textArgument(given, "--data")) as Json;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw usage(`--data is not JSON: ${error.message}. Example: --data '{"paid": true}'`);
  }
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

// `flows trigger ID`: starts a run: at the running server, or, where none runs, right here.

import { setTimeout as sleep } from "node:timers/promises";
import { isRefusal, type Refusal } from "../../engine/command.js";
import { parseWorkflowId } from "../../engine/ids.js";
import type { Host, Triggered, TriggerRequest } from "../../engine/runner.js";
import type { JsonObject } from "../../flow/json.js";
import { BUSY_REST_MS, BUSY_RETRY_MS, MAX_IDEMPOTENCY_KEY } from "../../limits.js";
import { ArgumentMistake, parseContext } from "../context-args.js";
import { EXIT, type ExitCode, refusalError } from "../exit.js";
import { abortExit, followAloud } from "../follow.js";
import { noSuchWorkflow } from "../ids.js";
import { interruptible } from "../interrupt.js";
import { type Common, duration, type Options, usage } from "../options.js";
import type { Output } from "../output.js";
import { type Reached, withHost } from "../reach.js";
import { textArgument } from "../text-argument.js";
import { printRun } from "./show.js";

export async function trigger(
  common: Common,
  [id = ""]: string[],
  options: Options,
): Promise<ExitCode> {
  const timeoutMs = timeoutOf(options);
  const key = keyOf(options);
  const context = await contextOf(options);
  const { signal, limit, release } = interruptible();
  try {
    return await withHost(common, { for: "run" }, async (reached) => {
      if (signal.aborted) return abortExit(signal);
      const request = {
        workflow_id: id,
        context,
        ...(key !== undefined && { idempotency_key: key }),
      };
      const answer = await triggerOne(request, reached, common.output, signal);
      if (timeoutMs !== undefined) limit(timeoutMs);
      return options.wait === true || reached.owned
        ? toTheEnd(answer, reached, common.output, signal)
        : started(answer, common.output);
    });
  } finally {
    release();
  }
}

/** The run is on disk: it goes on with whoever opens the store next. */
export function sayHowToGoOn(runId: string, output: Output): void {
  output.say(`Run ${runId} is kept, and has not ended. It goes on with flows serve,`);
  output.say(`or here with: flows watch ${runId}`);
}

async function triggerOne(
  request: TriggerRequest,
  { host }: Reached,
  output: Output,
  signal: AbortSignal,
): Promise<Triggered> {
  const known = parseWorkflowId(request.workflow_id) !== undefined;
  const answer = known ? await untilTaken(request, host, output, signal) : UNKNOWN;
  if (!isRefusal(answer)) return answer;
  throw answer.refused === "unknown_workflow"
    ? await noSuchWorkflow(request.workflow_id, host.workflows)
    : refusalError(answer);
}

/** With a key it cannot start twice, so a server that has no room is asked again for a while. */
async function untilTaken(
  request: TriggerRequest,
  host: Host,
  output: Output,
  signal: AbortSignal,
): Promise<Triggered | Refusal> {
  const deadline = Date.now() + BUSY_RETRY_MS;
  for (let tries = 1; ; tries += 1) {
    const answer = await host.runner.trigger(request);
    const isBusy = isRefusal(answer) && answer.refused === "busy";
    const isLast = request.idempotency_key === undefined || Date.now() >= deadline;
    if (!isBusy || isLast || signal.aborted) return answer;
    if (tries === 1) output.say(`${answer.message} It is tried again until there is room.`);
    await sleep(BUSY_REST_MS, undefined, { signal }).catch(() => {});
  }
}

const UNKNOWN: Refusal = { refused: "unknown_workflow", message: "There is no such workflow." };

function started({ run_id, status, created }: Triggered, output: Output): ExitCode {
  if (output.json) output.value({ run_id, status });
  else output.result(run_id);
  const how = created ? "is started" : "had been started before with this key";
  output.say(`The run ${how}. Follow it with: flows watch ${run_id}`);
  return EXIT.done;
}

async function toTheEnd(
  { run_id: runId }: Triggered,
  { host, owned }: Reached,
  output: Output,
  signal: AbortSignal,
): Promise<ExitCode> {
  const where = owned ? "no server has this store, so it runs here" : "at the running server";
  output.say(output.talkColors.dim(`${runId}: ${where}`));
  const { run, exit } = await followAloud({ runner: host.runner, runId, signal, output });
  if (run !== undefined) {
    printRun(run, output);
    return exit;
  }
  if (output.json) output.value(await host.runner.get(runId));
  else output.result(runId);
  if (owned) sayHowToGoOn(runId, output);
  else output.say(`The run goes on at the server. Follow it with: flows watch ${runId}`);
  return exit;
}

function timeoutOf({ wait, timeout }: Options): number | undefined {
  if (timeout === undefined) return undefined;
  if (wait !== true) throw usage("--timeout needs --wait: it says how long to wait.");
  return duration("--timeout", timeout as string);
}

function keyOf({ idempotencyKey }: Options): string | undefined {
  const key = idempotencyKey as string | undefined;
  // What may stand in an HTTP header, which is where it goes.
  if (key === undefined || (/^[\x21-\x7e]+$/.test(key) && key.length <= MAX_IDEMPOTENCY_KEY)) {
    return key;
  }
  throw usage(
    `--idempotency-key wants 1 to ${MAX_IDEMPOTENCY_KEY} visible ASCII characters without blanks.`,
  );
}

async function contextOf({ context, set }: Options): Promise<JsonObject> {
  const text =
    context === undefined ? undefined : await textArgument(context as string, "--context");
  try {
    return parseContext(text, (set ?? []) as string[]);
  } catch (error) {
    throw error instanceof ArgumentMistake ? usage(error.message) : error;
  }
}

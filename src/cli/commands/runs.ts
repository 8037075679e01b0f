// `flows runs`: runs, newest first.

import type { RunStatus } from "../../engine/run.js";
import type { RunSummary } from "../../engine/runner.js";
import { MAX_PAGE } from "../../limits.js";
import { EXIT, type ExitCode } from "../exit.js";
import { type Common, type Options, wholeNumber } from "../options.js";
import { paintStatus } from "../progress.js";
import { withHost } from "../reach.js";
import { table } from "../table.js";
import { brief, failureText, moment, took } from "../words.js";

export async function runs(common: Common, _: string[], options: Options): Promise<ExitCode> {
  const { output } = common;
  const workflow = options.workflow as string | undefined;
  const status = options.status as RunStatus | undefined;
  const page = await withHost(common, { for: "look" }, ({ host }) =>
    host.runner.list({
      limit: wholeNumber("--limit", options.limit as string, 1, MAX_PAGE),
      ...(workflow !== undefined && { workflow_id: workflow }),
      ...(status !== undefined && { status }),
    }),
  );
  if (output.json) {
    output.value(page);
    return EXIT.done;
  }
  if (page.runs.length === 0) {
    output.say("There is no such run. flows trigger ID starts one.");
    return EXIT.done;
  }
  const head = ["RUN", "WORKFLOW", "STATUS", "CREATED (UTC)", "TOOK", "ERROR, OR WAITS FOR"];
  output.result(
    table(
      head,
      page.runs.map((run) => row(run, common)),
      output.colors,
    ),
  );
  if (page.next_cursor !== null) output.say("There are older ones: --limit shows more.");
  return EXIT.done;
}

function row(run: RunSummary, { output }: Common) {
  return [
    run.id,
    run.workflow_id,
    { text: run.status, paint: paintStatus(run.status, output.colors) },
    moment(run.created_at),
    took(run),
    run.error === null ? waitsText(run) : brief(failureText(run.error)).slice(1, -1),
  ];
}

function waitsText({ status, waiting_for: waits = [] }: RunSummary): string {
  const [first] = waits;
  if (first === undefined) return status === "paused" ? "flows resume" : "";
  const { step_id, message, signal } = first;
  const what = message === undefined ? `the signal ${signal}` : brief(message, 60).slice(1, -1);
  return `${step_id}: ${what}${waits.length > 1 ? `, and ${waits.length - 1} more` : ""}`;
}

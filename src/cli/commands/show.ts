// `flows show RUN`: one run with its steps: status, attempts, times, error.

import type { Run } from "../../engine/run.js";
import { EXIT, type ExitCode } from "../exit.js";
import { noSuchRun } from "../follow.js";
import { runIdOf } from "../ids.js";
import type { Common } from "../options.js";
import type { Output } from "../output.js";
import { paintStatus } from "../progress.js";
import { withHost } from "../reach.js";
import { fields, table } from "../table.js";
import { brief, failureText, moment, shortVersion, took } from "../words.js";

export async function show(common: Common, [id = ""]: string[]): Promise<ExitCode> {
  const runId = runIdOf(id);
  const run = await withHost(common, { for: "look" }, ({ host }) => host.runner.get(runId));
  if (run === undefined) throw noSuchRun(id);
  printRun(run, common.output);
  return EXIT.done;
}

export function printRun(run: Run, output: Output): void {
  if (output.json) {
    output.value(run);
    return;
  }
  const { colors } = output;
  const { red } = colors;
  const head = fields(
    [
      ["run", run.id],
      ["workflow", `${run.workflow_id} @ ${shortVersion(run.workflow_version)}`],
      ["status", { text: run.status, paint: paintStatus(run.status, colors) }],
      ["error", run.error === null ? undefined : { text: failureText(run.error), paint: red }],
      ["trigger", run.trigger.type],
      ["context", brief(run.context)],
      ["output", run.output === null ? undefined : brief(run.output)],
      ["created", `${moment(run.created_at)} UTC`],
      ["took", took(run) || undefined],
    ],
    colors,
  );
  output.result(head);
  const steps = Object.entries(run.steps);
  if (steps.length > 0) output.result(`\n${stepTable(steps, output)}`);
}

function stepTable(steps: [string, Run["steps"][string]][], { colors }: Output): string {
  const rows = steps.map(([id, step]) => [
    id,
    { text: step.status, paint: paintStatus(step.status, colors) },
    String(step.attempt),
    String(step.iteration + 1),
    step.started_at?.slice(11, 23) ?? "",
    took(step) || (step.until === undefined ? "" : `until ${moment(step.until)}`),
    step.error === null
      ? { text: step.output === null ? "" : brief(step.output, 60) }
      : { text: step.error.message, paint: colors.red },
  ]);
  const head = ["STEP", "STATUS", "ATTEMPT", "PASS", "STARTED", "TOOK", "OUTPUT OR ERROR"];
  return table(head, rows, colors);
}

// `flows show RUN`: one run with its steps: status, attempts, times, error.

import { instancesIn } from "../../engine/key.js";
import type { Run, StepState } from "../../engine/run.js";
import { waitingFor } from "../../engine/waiting-for.js";
import { EXIT, type ExitCode } from "../exit.js";
import { noSuchRun } from "../follow.js";
import { runIdOf } from "../ids.js";
import type { Common } from "../options.js";
import { type Output, printable } from "../output.js";
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
      ["status", { text: statusText(run), paint: paintStatus(run.status, colors) }],
      ["error", run.error === null ? undefined : { text: failureText(run.error), paint: red }],
      ["trigger", triggerText(run)],
      ["context", brief(run.context)],
      ["output", run.output === null ? undefined : brief(run.output)],
      ["created", `${moment(run.created_at)} UTC`],
      ["took", took(run) || undefined],
    ],
    colors,
  );
  output.result(head);
  const rows = [...stepRows(run)];
  if (rows.length > 0) output.result(`\n${stepTable(rows, output)}`);
  sayWhatIsMissing(run, output);
}

function statusText({ status, held }: Run): string {
  return held ? `${status}, by hand` : status;
}

/** What started it, in one line. */
function triggerText({ trigger }: Run): string {
  const { type, run_id, key, scheduled_at, cron, timezone } = trigger;
  switch (type) {
    case "schedule":
      return `${type}: ${moment(String(scheduled_at))} UTC, by ${cron} in ${timezone}`;
    case "webhook":
      return [`${type}: /hooks/${trigger.path}`, trigger.delivery_id ?? []].flat().join(", ");
    case "workflow":
      // `flows show` leads to it.
      if (key !== undefined) return `${type}: step ${key} of ${run_id}`;
      return run_id === undefined ? type : `${type}: ${trigger.status} run ${run_id}`;
    default:
      return type;
  }
}

interface Row {
  name: string;
  state: StepState;
}

/** Steps of bodies beyond these are counted: a foreach may have ten thousand items. */
const MAX_INNER_ROWS = 20;

/** The run's own steps by their ids; those of bodies, while they are of interest, by their keys. */
function* stepRows(run: Run): Generator<Row | number> {
  for (const [id, state] of Object.entries(run.steps)) {
    yield { name: id, state };
    const inner = innerRows(state, `${id}#${state.iteration}`);
    yield* inner.slice(0, MAX_INNER_ROWS);
    if (inner.length > MAX_INNER_ROWS) yield inner.length - MAX_INNER_ROWS;
  }
}

function innerRows(container: StepState, key: string): Row[] {
  const rows: Row[] = [];
  for (const [name, body] of Object.entries(container.items ?? container.branches ?? {})) {
    for (const inner of instancesIn(body, `${key}/${name}/`)) {
      const isDone = inner.state.status === "completed" || inner.state.status === "skipped";
      if (container.branches || !isDone) rows.push({ name: inner.key, state: inner.state });
    }
  }
  return rows;
}

function stepTable(rows: (Row | number)[], { colors }: Output): string {
  const lines = rows.map((row) => {
    if (typeof row === "number") return [`… ${row} more`];
    const { name, state } = row;
    const outcome = outcomeText(state);
    // What it does now, rather than what an attempt before it met.
    const isAtWork = state.status === "running" && outcome !== "";
    return [
      name,
      { text: state.status, paint: paintStatus(state.status, colors) },
      String(state.attempt),
      String(state.iteration + 1),
      state.started_at?.slice(11, 23) ?? "",
      took(state) || (state.until === undefined ? "" : `until ${moment(state.until)}`),
      state.error === null || isAtWork
        ? { text: outcome }
        : { text: state.error.message, paint: colors.red },
    ];
  });
  const head = ["STEP", "STATUS", "ATTEMPT", "PASS", "STARTED", "TOOK", "OUTPUT OR ERROR"];
  return table(head, lines, colors);
}

function outcomeText({ output, child_run_id, items, branches, bodies_ended }: StepState): string {
  if (output !== null) return brief(output, 60);
  if (child_run_id !== undefined) return `runs ${child_run_id}`;
  const bodies = items ?? (branches && Object.keys(branches));
  return bodies ? `${bodies_ended ?? 0} of ${bodies.length} done` : "";
}

/** What somebody has to do for the run to go on, and how. */
function sayWhatIsMissing(run: Run, output: Output): void {
  if (run.held) output.say(`\nIt is held by hand: flows resume ${run.id}`);
  const waits = waitingFor(run);
  const several = waits.filter(({ message }) => message !== undefined).length > 1;
  for (const { key, step_id, message, signal, until } of waits) {
    const name = key.includes("/") ? key : step_id;
    const by = until === undefined ? "" : ` until ${moment(until)} UTC`;
    if (message === undefined) {
      output.result(`\n${printable(name)} waits for the signal ${signal}${by}`);
      output.say(`flows signal ${run.id} ${signal} [--data JSON]`);
    } else {
      const what = several ? `${run.id} '${key}'` : `${run.id} ${step_id}`;
      output.result(`\n${printable(name)} asks${by}: ${printable(message)}`);
      output.say(`flows approve ${what} [--comment TEXT]\nflows reject ${what} [--comment TEXT]`);
    }
  }
}

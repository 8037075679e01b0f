// `flows list`: the workflows as they are served, and what is wrong with their files.

import type { RefusedStart, ServedWorkflow } from "../../engine/runner.js";
import { EXIT, type ExitCode } from "../exit.js";
import type { Common } from "../options.js";
import type { Output } from "../output.js";
import { withHost } from "../reach.js";
import { type Cell, table } from "../table.js";
import { count, shortVersion } from "../words.js";

export async function list(common: Common): Promise<ExitCode> {
  const { workflows, refused } = await withHost(common, { for: "look" }, async ({ host }) => ({
    workflows: await host.workflows.list(),
    refused: (await host.health()).refused_starts,
  }));
  printWorkflows(workflows, common, refused);
  return EXIT.done;
}

/** The table on stdout, the diagnostics on stderr; with `--json` all of it on stdout. */
export function printWorkflows(
  workflows: ServedWorkflow[],
  common: Common,
  refused: RefusedStart[] = [],
): void {
  const { output } = common;
  if (output.json) {
    const listed = workflows.map(({ workflow: _, ...rest }) => rest);
    output.value({ workflows: listed, refused_starts: refused });
    return;
  }
  if (workflows.length === 0) {
    output.say(`There is no flow file in ${common.flows}. Write one, or name another folder`);
    output.say("with --flows DIR.");
    return;
  }
  const rows = workflows.map((workflow) => [
    workflow.id,
    workflow.name,
    shortVersion(workflow.version),
    workflow.file,
    stateOf(workflow, output),
  ]);
  output.result(table(["ID", "NAME", "VERSION", "FILE", "CHECK"], rows, output.colors));
  const lines = workflows.flatMap(({ diagnostics }) => diagnostics.map(diagnosticLine));
  for (const text of lines) output.say(text);
  for (const { workflow_id, trigger, at, message } of refused) {
    output.say(`${workflow_id}: its ${trigger} started no run for ${at}: ${message}`);
  }
}

export function diagnosticLine(diagnostic: ServedWorkflow["diagnostics"][number]): string {
  const { file, line, column, severity, message, kind, suggestion } = diagnostic;
  const warning = severity === "warning" ? "warning: " : "";
  const hint = suggestion === undefined ? "" : ` (${suggestion})`;
  return `${file}:${line}:${column}: ${warning}${message} [${kind}]${hint}`;
}

function stateOf(workflow: ServedWorkflow, output: Output): Cell {
  const { green, red, yellow } = output.colors;
  const errors = workflow.diagnostics.filter(({ severity }) => severity === "error").length;
  const warnings = workflow.diagnostics.length - errors;
  if (!workflow.valid) {
    const serving = workflow.version === null ? "" : ", the last good version is served";
    return { text: `${count(errors, "error")}${serving}`, paint: red };
  }
  if (warnings > 0) return { text: count(warnings, "warning"), paint: yellow };
  return { text: "ok", paint: green };
}

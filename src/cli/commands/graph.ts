// `flows graph ID`: a workflow as a picture, from its file alone.

import { checkTogether, examine } from "../../flow/check.js";
import { dot, mermaid } from "../../flow/graph.js";
import { get } from "../../flow/model.js";
import { reporters } from "../../flow/report/report.js";
import { svg } from "../../flow/svg.js";
import type { Workflow } from "../../flow/workflow.js";
import { CliError, EXIT, type ExitCode } from "../exit.js";
import { findFlowFiles } from "../flow-files.js";
import { unknownWorkflow } from "../ids.js";
import type { Common, Options } from "../options.js";
import { stepTypes } from "../step-types.js";

const DRAW = { mermaid, dot, svg } satisfies { [format: string]: (workflow: Workflow) => string };

export async function graph(
  common: Common,
  [id = ""]: string[],
  options: Options,
): Promise<ExitCode> {
  const draw = DRAW[options.format as keyof typeof DRAW];
  const workflow = await workflowOf(id, common);
  process.stdout.write(draw(workflow));
  return EXIT.done;
}

async function workflowOf(id: string, common: Common): Promise<Workflow> {
  const { files } = await findFlowFiles([common.flows], common);
  const { catalog } = await stepTypes(common.flows, []);
  const examined = files.map(({ file, text }) => examine(text, file, catalog));
  const ids = examined.map(({ subject }) => String(get(subject?.root, "id")?.json ?? ""));
  const at = ids.indexOf(id);
  const found = checkTogether(examined)[at];
  if (found === undefined)
    throw unknownWorkflow(
      id,
      ids.filter((each) => each !== ""),
    );
  if (found.workflow !== null) return found.workflow;
  const texts = new Map(files.map(({ file, text }) => [file, text]));
  const color = common.output.talkColors.isColorSupported;
  common.output.say(reporters.human(found.diagnostics, { texts, color }).trimEnd());
  throw new CliError(EXIT.failed, `${found.file} has mistakes, so there is nothing to draw.`);
}

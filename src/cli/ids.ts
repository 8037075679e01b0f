// Ids as the command line gets them: checked before they go anywhere, with the nearest right one.

import { distance } from "fastest-levenshtein";
import { parseRunId, type RunId } from "../engine/ids.js";
import type { Workflows } from "../engine/runner.js";
import { CliError, EXIT } from "./exit.js";
import { noSuchRun } from "./follow.js";
import { quoted } from "./options.js";

export function runIdOf(text: string): RunId {
  const id = parseRunId(text);
  if (id === undefined) throw noSuchRun(text);
  return id;
}

export async function noSuchWorkflow(id: string, workflows: Workflows): Promise<CliError> {
  return unknownWorkflow(
    id,
    (await workflows.list()).map((workflow) => workflow.id),
  );
}

export function unknownWorkflow(id: string, ids: readonly string[]): CliError {
  const near = nearest(id, ids);
  const hint =
    ids.length === 0
      ? "the flows folder has none yet; --flows DIR names another"
      : near === undefined
        ? `there are: ${ids.slice(0, 10).join(", ")}${ids.length > 10 ? ", …" : ""}`
        : `did you mean ${quoted(near)}?`;
  return new CliError(EXIT.notFound, `There is no workflow ${quoted(id)}.`, hint);
}

/** At most a third of its letters may be wrong. */
export function nearest(text: string, candidates: readonly string[]): string | undefined {
  const sorted = candidates
    .map((candidate) => ({ candidate, far: distance(text, candidate) }))
    .sort((a, b) => a.far - b.far);
  const best = sorted[0];
  return best && best.far <= Math.max(1, text.length / 3) ? best.candidate : undefined;
}

// A thread that checks flow files: a text that stalls or exhausts it takes only this thread along.

import { parentPort, workerData } from "node:worker_threads";
import type { Catalog } from "../../flow/catalog.js";
import { type Checked, checkTogether, type Examined, examine } from "../../flow/check.js";
import type { FlowText } from "./flow-folder.js";

/** The texts that changed; a `trial` is answered and forgotten. */
export interface CheckRequest {
  changed: FlowText[];
  removed: string[];
  trial: boolean;
}

/** `at`: what is checked next, so that it is known what stalls. `""`: all of them together. */
export type CheckReply = { at: string } | { results: FileResult[] };

export interface FileResult extends Checked {
  file: string;
}

interface Known {
  text: string;
  examined: Examined;
  /** What was last answered about this file, with all others around it. */
  told?: { workflow: object | null; diagnostics: string };
}

const { lists_hosts, ...given } = workerData as { catalog: Catalog; lists_hosts: boolean };
const catalog: Catalog = Object.assign(Object.create(null), given.catalog);
const known = new Map<string, Known>();

parentPort?.on("message", (request: CheckRequest) => {
  parentPort?.postMessage({ results: answer(request) });
});

/** Only what is new: a folder of a thousand files is not sent back for a change of one. */
function answer({ changed, removed, trial }: CheckRequest): FileResult[] {
  const files = trial ? new Map(known) : known;
  for (const file of removed) files.delete(file);
  for (const { file, text } of changed) {
    if (files.get(file)?.text === text) continue;
    announce(file);
    files.set(file, { text, examined: examine(text, file, catalog, { lists_hosts }) });
  }
  announce("");
  const inOrder = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  const together = checkTogether(inOrder.map(([, { examined }]) => examined));
  const asked = new Set(changed.map(({ file }) => file));
  return together.filter((result) => isNews(result, files.get(result.file), asked, trial));
}

function announce(file: string): void {
  parentPort?.postMessage({ at: file });
}

function isNews(
  { file, workflow, diagnostics }: FileResult,
  entry: Known | undefined,
  asked: Set<string>,
  trial: boolean,
): boolean {
  if (trial || entry === undefined) return asked.has(file);
  const told = { workflow, diagnostics: JSON.stringify(diagnostics) };
  const before = entry.told;
  entry.told = told;
  return (
    asked.has(file) || before?.workflow !== told.workflow || before.diagnostics !== told.diagnostics
  );
}

// From the text of a flow file to a workflow, or to what is wrong with it.

import type { Catalog } from "./catalog.js";
import type { Diagnostic } from "./diagnostic.js";
import { Findings } from "./findings.js";
import { readFlowFile } from "./flow-file.js";
import type { JsonObject } from "./json.js";
import { buildModel } from "./model.js";
import { normalize } from "./normalize.js";
import { RULES } from "./rules/rules.js";
import type { Workflow } from "./workflow.js";

export interface Checked {
  /** Null iff a diagnostic is an error. */
  workflow: Workflow | null;
  /** Sorted by position. */
  diagnostics: Diagnostic[];
}

/** One file by itself. `file` is its name in diagnostics. */
export function check(text: string, file: string, catalog: Catalog): Checked {
  const { findings, root } = examine(text, file, catalog);
  const workflow =
    root === undefined || findings.hasErrors ? null : normalize(root.json as JsonObject, catalog);
  return { workflow, diagnostics: findings.sorted() };
}

/** The files of one folder, with what is seen only across them. */
export function checkFolder(
  files: readonly { file: string; text: string }[],
  catalog: Catalog,
): ({ file: string } & Checked)[] {
  return files.map(({ file, text }) => ({ file, ...check(text, file, catalog) }));
}

function examine(text: string, file: string, catalog: Catalog) {
  const findings = new Findings(file, text);
  const root = readFlowFile(text, findings);
  if (root !== undefined) {
    const subject = { text, root, body: buildModel(root), catalog, findings };
    for (const rule of RULES) {
      if (!findings.has(...rule.after)) {
        rule.check(subject);
      }
    }
  }
  return { findings, root };
}

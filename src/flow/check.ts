// From the text of a flow file to a workflow, or to what is wrong with it.

import type { Catalog } from "./catalog.js";
import type { Diagnostic } from "./diagnostic.js";
import { Findings } from "./findings.js";
import { readFlowFile } from "./flow-file.js";
import type { JsonObject } from "./json.js";
import { buildModel } from "./model.js";
import { normalize } from "./normalize.js";
import { checkAcross } from "./rules/across.js";
import type { Subject } from "./rules/rule.js";
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
  return conclude(examine(text, file, catalog), catalog);
}

/** The files of one folder, with what is seen only across them. */
export function checkFolder(
  files: readonly { file: string; text: string }[],
  catalog: Catalog,
): ({ file: string } & Checked)[] {
  const examined = files.map(({ file, text }) => examine(text, file, catalog));
  checkAcross(examined.flatMap(({ file, subject }) => (subject ? [{ file, ...subject }] : [])));
  return examined.map((each) => ({ file: each.file, ...conclude(each, catalog) }));
}

interface Examined {
  file: string;
  findings: Findings;
  /** Undefined: the text could not be read as YAML. */
  subject: Subject | undefined;
}

function examine(text: string, file: string, catalog: Catalog): Examined {
  const findings = new Findings(file, text);
  const root = readFlowFile(text, findings);
  if (root === undefined) {
    return { file, findings, subject: undefined };
  }
  const subject: Subject = { text, root, body: buildModel(root), catalog, findings };
  for (const rule of RULES) {
    if (!findings.has(...rule.after)) {
      rule.check(subject);
    }
  }
  return { file, findings, subject };
}

function conclude({ findings, subject }: Examined, catalog: Catalog): Checked {
  const workflow =
    subject === undefined || findings.hasErrors
      ? null
      : normalize(subject.root.json as JsonObject, catalog);
  return { workflow, diagnostics: findings.sorted() };
}

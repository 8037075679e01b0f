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
import { collectUses } from "./uses.js";
import type { Workflow } from "./workflow.js";

export interface Checked {
  /** Null iff a diagnostic is an error. */
  workflow: Workflow | null;
  /** Sorted by position. */
  diagnostics: Diagnostic[];
}

/** One file by itself. `file` is its name in diagnostics. */
export function check(text: string, file: string, catalog: Catalog): Checked {
  return conclude(examine(text, file, catalog));
}

/** The files of one folder, with what is seen only across them. */
export function checkFolder(
  files: readonly { file: string; text: string }[],
  catalog: Catalog,
): ({ file: string } & Checked)[] {
  return checkTogether(files.map(({ file, text }) => examine(text, file, catalog)));
}

/** What was found in one file by itself. Kept by those who check a folder again and again. */
export interface Examined {
  file: string;
  findings: Findings;
  /** Undefined: the text could not be read as YAML. */
  subject: Subject | undefined;
  workflow: Workflow | null;
}

export function examine(
  text: string,
  file: string,
  catalog: Catalog,
  { lists_hosts = false }: { lists_hosts?: boolean } = {},
): Examined {
  const findings = new Findings(file, text);
  const root = readFlowFile(text, findings);
  if (root === undefined) {
    return { file, findings, subject: undefined, workflow: null };
  }
  const body = buildModel(root);
  const uses = collectUses(root, body, catalog);
  const subject: Subject = { text, root, body, uses, catalog, lists_hosts, findings };
  for (const rule of RULES) {
    if (!findings.has(...rule.after)) {
      rule.check(subject);
    }
  }
  const workflow = findings.hasErrors ? null : normalize(root.json as JsonObject, catalog);
  return { file, findings, subject, workflow };
}

/**
 * The same results as `checkFolder`, from files examined before; these do not change. Where not
 * every file of the folder could be read, what is not here may be there.
 */
export function checkTogether(
  examined: readonly Examined[],
  isWhole = true,
): ({ file: string } & Checked)[] {
  const copies = examined.map((each) => ({ ...each, findings: each.findings.copy() }));
  const members = copies.flatMap(({ file, subject, findings }) =>
    subject ? [{ file, ...subject, findings }] : [],
  );
  checkAcross(members, isWhole && members.length === copies.length);
  return copies.map((each) => ({ file: each.file, ...conclude(each) }));
}

function conclude({ findings, workflow }: Examined): Checked {
  return { workflow: findings.hasErrors ? null : workflow, diagnostics: findings.sorted() };
}

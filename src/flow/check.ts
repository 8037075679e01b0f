// From the text of a flow file to a workflow, or to what is wrong with it.

import type { Catalog } from "./catalog.js";
import type { Diagnostic } from "./diagnostic.js";
import type { Workflow } from "./workflow.js";

export interface Checked {
  /** Null iff a diagnostic is an error. */
  workflow: Workflow | null;
  /** Sorted by position. */
  diagnostics: Diagnostic[];
}

/** One file by itself. */
export function check(text: string, file: string, catalog: Catalog): Checked {
  throw new Error(`${file}: ${text.length} ${Object.keys(catalog).length}`);
}

/** The files of one folder, with what is seen only across them. */
export function checkFolder(
  files: readonly { file: string; text: string }[],
  catalog: Catalog,
): ({ file: string } & Checked)[] {
  return files.map(({ file, text }) => ({ file, ...check(text, file, catalog) }));
}

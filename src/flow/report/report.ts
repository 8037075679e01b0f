// The reporters by name: each turns diagnostics into the text of one format.

import type { Diagnostic } from "../diagnostic.js";
import { human } from "./human.js";
import { json } from "./json.js";

export interface ReportOptions {
  /** The texts of the files, for code frames. A file without one gets none. */
  texts: ReadonlyMap<string, string>;
  color: boolean;
}

export type Reporter = (diagnostics: readonly Diagnostic[], options: ReportOptions) => string;

export const reporters: { readonly human: Reporter; readonly json: Reporter } = { human, json };

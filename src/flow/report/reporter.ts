// What a reporter is: it turns diagnostics into the text of one format.

import type { Diagnostic } from "../diagnostic.js";

export interface ReportOptions {
  /** The texts of the files, for code frames. A file without one gets none. */
  texts: ReadonlyMap<string, string>;
  color: boolean;
}

export type Reporter = (diagnostics: readonly Diagnostic[], options: ReportOptions) => string;

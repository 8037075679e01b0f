// The report for programs: one JSON document.

import type { Diagnostic } from "../diagnostic.js";

export function json(diagnostics: readonly Diagnostic[]): string {
  return `${JSON.stringify({ diagnostics }, null, 2)}\n`;
}

// The report for code scanning: SARIF 2.1.0, one run, one rule a kind.

import type { Diagnostic, Kind } from "../diagnostic.js";
import { KINDS } from "../diagnostic.js";
import { KIND_SENTENCES } from "../kinds.js";

export function sarif(diagnostics: readonly Diagnostic[]): string {
  const used = KINDS.filter((kind) => diagnostics.some((diagnostic) => diagnostic.kind === kind));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "flows",
            rules: used.map((kind) => ({
              id: kind,
              shortDescription: { text: KIND_SENTENCES[kind] },
            })),
          },
        },
        columnKind: "utf16CodeUnits",
        results: diagnostics.map((diagnostic) => result(diagnostic, used)),
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function result(diagnostic: Diagnostic, used: readonly Kind[]) {
  const { file, line, column, end_line, end_column, kind, severity } = diagnostic;
  const { message, suggestion } = diagnostic;
  return {
    ruleId: kind,
    ruleIndex: used.indexOf(kind),
    level: severity,
    message: { text: suggestion === undefined ? message : `${message} (${suggestion})` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: toUri(file) },
          region: {
            startLine: line,
            startColumn: column,
            endLine: end_line,
            endColumn: end_column,
          },
        },
      },
    ],
  };
}

/** A relative path with `/`, percent-encoded; an absolute one becomes a file's address. */
function toUri(file: string): string {
  const path = file.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  return path.startsWith("/") ? `file://${path}` : path;
}

// The report for GitHub Actions: workflow commands, which annotate the lines of a pull request.

import type { Diagnostic } from "../diagnostic.js";

export function github(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => `${command(diagnostic)}\n`).join("");
}

function command(diagnostic: Diagnostic): string {
  const { file, line, column, end_line, end_column, kind, severity } = diagnostic;
  const properties = {
    file,
    line,
    col: column,
    endLine: end_line,
    // GitHub's is the last column of the place, ours the first behind it.
    endColumn: Math.max(1, end_column - 1),
    title: kind,
  };
  const written = Object.entries(properties).map(
    ([name, value]) => `${name}=${escapeProperty(String(value))}`,
  );
  const { message, suggestion } = diagnostic;
  const text = suggestion === undefined ? message : `${message}\n${suggestion}`;
  return `::${severity} ${written.join(",")}::${escapeData(text)}`;
}

/** As the runner reads it back: a line break would begin another command. */
function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

// The report for people: `file:line:column: message [kind]`, the line itself, and what to do.

import type { Diagnostic } from "../diagnostic.js";
import type { ReportOptions } from "./reporter.js";

/** Longer lines are cut around the place: a frame is for looking, not for reading the file. */
const FRAME_WIDTH = 100;

export function human(diagnostics: readonly Diagnostic[], options: ReportOptions): string {
  const paint = options.color ? colors : plain;
  const lines = new Map<string, string[]>();
  for (const [file, text] of options.texts) {
    lines.set(file, text.split(/\r?\n/));
  }
  return diagnostics
    .map((diagnostic) => {
      const { file, line, column, message, kind, severity } = diagnostic;
      const what = severity === "warning" ? `warning: ${message}` : message;
      const place = paint.place(`${file}:${line}:${column}:`);
      const head = `${place} ${what} ${paint.kind(`[${kind}]`)}`;
      const source = lines.get(file)?.[line - 1];
      return [head, ...frame(source, diagnostic, paint)].join("\n");
    })
    .map((text) => `${text}\n`)
    .join("");
}

type Paint = { [role in "place" | "kind" | "gutter" | "mark"]: (text: string) => string };

const plain: Paint = { place: same, kind: same, gutter: same, mark: same };

const colors: Paint = {
  place: (text) => `\u001b[1m${text}\u001b[22m`,
  kind: (text) => `\u001b[90m${text}\u001b[39m`,
  gutter: (text) => `\u001b[90m${text}\u001b[39m`,
  mark: (text) => `\u001b[32m${text}\u001b[39m`,
};

function same(text: string): string {
  return text;
}

function frame(source: string | undefined, diagnostic: Diagnostic, paint: Paint): string[] {
  const number = String(diagnostic.line);
  const gutter = " ".repeat(number.length);
  const hint =
    diagnostic.suggestion === undefined
      ? []
      : [`${paint.gutter(`${gutter} =`)} ${diagnostic.suggestion}`];
  if (source === undefined || source.trim() === "") {
    return hint;
  }
  const start = diagnostic.column - 1;
  const end = diagnostic.end_line === diagnostic.line ? diagnostic.end_column - 1 : source.length;
  const from = start > FRAME_WIDTH - 20 ? start - 20 : 0;
  const shown = visible(source.slice(from, from + FRAME_WIDTH));
  const before = visible(source.slice(from, start));
  const marked = Math.min(end, source.length, from + FRAME_WIDTH) - start;
  const mark = `^${"~".repeat(Math.max(0, marked - 1))}`;
  return [
    `${paint.gutter(`${number} |`)} ${shown}`,
    `${paint.gutter(`${gutter} |`)} ${" ".repeat(before.length)}${paint.mark(mark)}`,
    ...hint,
  ];
}

/** A tab is one column; what a terminal would act on is shown as a box. */
function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not get through
  return text.replaceAll("\t", " ").replace(/[\u0000-\u001f\u007f-\u009f]/g, "\u25a1");
}

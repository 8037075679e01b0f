// The report of `flows test` for people: each case in a line, and below what is not as expected.

import type { Coverage, Reached } from "../../engine/coverage.js";
import type { Difference } from "../../engine/expectations.js";
import { durationText } from "../../flow/duration.js";
import { human as humanDiagnostics } from "../../flow/report/human.js";
import type { Colors } from "../output.js";
import { printable } from "../output.js";
import { table } from "../table.js";
import { brief } from "../words.js";
import { type PlayedCase, percent, type Report } from "./report.js";
import { traceLines } from "./trace.js";

export function human(report: Report, colors: Colors): string {
  const { played, diagnostics, texts } = report;
  const parts = [humanDiagnostics(diagnostics, { texts, color: colors.isColorSupported })];
  for (const file of new Set(played.map(({ test }) => test.file))) {
    const cases = played.filter(({ test }) => test.file === file);
    parts.push(`${colors.bold(file)}\n${cases.map((one) => caseText(one, colors)).join("")}`);
  }
  if (report.coverage) parts.push(coverageText(report.coverage, colors));
  return parts.filter((part) => part !== "").join("\n");
}

function caseText(played: PlayedCase, colors: Colors): string {
  const { differences, rehearsal, test } = played;
  const name = printable(played.case.name);
  const last = rehearsal.trace.filter(({ prefix }) => prefix === "").at(-1)?.after_ms ?? 0;
  const took = colors.dim(`(${durationText(last)})`);
  if (differences.length === 0) return `  ${colors.green("✓")} ${name} ${took}\n`;
  const place = colors.dim(`${test.file}:${played.case.line}:${played.case.column}`);
  const lines = [
    ...differences.flatMap((difference) => differenceLines(difference, colors)),
    colors.dim("what happened:"),
    ...traceLines(rehearsal, played.case).map((line) => `  ${printable(line)}`),
  ];
  const body = lines.map((line) => `      ${line}\n`).join("");
  return `  ${colors.red("✗")} ${name} ${took}  ${place}\n${body}`;
}

export function differenceLines(difference: Difference, colors: Colors): string[] {
  const { at, expected, actual, message } = difference;
  const lines: string[] = [];
  if (at === "") return [printable(message ?? "")];
  const why = message === undefined ? "" : ` (${printable(message)})`;
  lines.push(`${printable(at)}:${why}`);
  if (expected !== undefined) lines.push(`  expected ${colors.green(printable(long(expected)))}`);
  const came = actual === undefined ? "nothing" : long(actual);
  lines.push(`  actual   ${colors.red(printable(came))}`);
  return lines;
}

/** A list of steps is compared by eye: it must not be cut early. */
function long(value: unknown): string {
  return brief(value, 2_000);
}

export function coverageText(coverage: readonly Coverage[], colors: Colors): string {
  const share = (part: Reached) =>
    part.total === 0 ? "none" : `${part.reached} of ${part.total}  ${percent(part)}%`;
  const rows = coverage.map(({ workflow_id, steps, arms }) => [
    workflow_id,
    { text: share(steps), paint: paint(steps, colors) },
    { text: share(arms), paint: paint(arms, colors) },
  ]);
  const missing = coverage.flatMap(({ workflow_id, steps, arms }) => {
    const all = [...steps.missing, ...arms.missing];
    return all.length === 0 ? [] : [`${workflow_id} does not reach: ${all.join(", ")}`];
  });
  const head = table(["COVERAGE OF", "STEPS", "ARMS"], rows, colors);
  return `${[head, ...missing.map(printable)].join("\n")}\n`;
}

function paint(part: Reached, colors: Colors): (text: string) => string {
  return part.reached === part.total ? colors.green : colors.yellow;
}

// The report of `flows test` for programs: one JSON document.

import type { Reached } from "../../engine/coverage.js";
import { hasFailed, type PlayedCase, percent, type Report } from "./report.js";
import { traceLines } from "./trace.js";

export function json(report: Report): string {
  const { played, diagnostics, coverage } = report;
  const failed = played.filter(({ differences }) => differences.length > 0).length;
  const value = {
    passed: !hasFailed(report),
    counts: { cases: played.length, passed: played.length - failed, failed },
    cases: played.map(toCase),
    diagnostics,
    ...(coverage && {
      coverage: coverage.map(({ workflow_id, steps, arms }) => ({
        workflow_id,
        steps: withPercent(steps),
        arms: withPercent(arms),
      })),
    }),
  };
  return `${JSON.stringify(value, null, 2)}\n`;
}

function toCase({ test, case: played, rehearsal, differences, took_ms }: PlayedCase): object {
  const passed = differences.length === 0;
  return {
    file: test.file,
    line: played.line,
    column: played.column,
    workflow_id: test.workflow_id,
    name: played.name,
    passed,
    status: rehearsal.run?.status ?? null,
    took_ms: Math.round(took_ms),
    ...(passed ? {} : { differences, trace: traceLines(rehearsal, played) }),
  };
}

function withPercent(part: Reached): object {
  const { total, reached, missing } = part;
  return { total, reached, percent: percent(part), missing };
}

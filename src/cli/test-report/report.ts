// What `flows test` has to report, and in which formats it can.

import type { Coverage, Reached } from "../../engine/coverage.js";
import type { Difference } from "../../engine/expectations.js";
import type { Rehearsal } from "../../engine/rehearse.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import type { FlowTest, TestCase } from "../../flow/test-case.js";
import type { Colors } from "../output.js";

export interface PlayedCase {
  test: FlowTest;
  case: TestCase;
  rehearsal: Rehearsal;
  /** None: it passed. */
  differences: Difference[];
  /** Real, not virtual. */
  took_ms: number;
}

export interface Report {
  played: PlayedCase[];
  /** Of the test files; one with a mistake is not played. */
  diagnostics: Diagnostic[];
  /** Of the test files, for code frames. */
  texts: ReadonlyMap<string, string>;
  /** Where it was asked for. */
  coverage?: Coverage[];
}

/** The text that goes to stdout. */
export type TestReporter = (report: Report, colors: Colors) => string;

export function hasFailed({ played, diagnostics }: Report): boolean {
  const isWrong = diagnostics.some(({ severity }) => severity === "error");
  return isWrong || played.some(({ differences }) => differences.length > 0);
}

/** `12 cases: 11 passed, 1 failed.` */
export function summary({ played, diagnostics }: Report): string {
  const failed = played.filter(({ differences }) => differences.length > 0).length;
  const cases = `${played.length} case${played.length === 1 ? "" : "s"}`;
  const mistakes = diagnostics.filter(({ severity }) => severity === "error").length;
  const wrong = `; ${mistakes} mistake${mistakes === 1 ? "" : "s"} in test files`;
  const counts = `${played.length - failed} passed, ${failed} failed`;
  return `${cases}: ${counts}${mistakes > 0 ? wrong : ""}.`;
}

/** In whole percent, and 100 only where nothing is missing. */
export function percent({ total, reached }: Reached): number {
  return total === 0 ? 100 : Math.floor((100 * reached) / total);
}

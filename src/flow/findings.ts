// Collects the diagnostics of one file, and turns offsets into lines and columns.

import { MAX_DIAGNOSTICS } from "../limits.js";
import type { Diagnostic, Kind } from "./diagnostic.js";
import { Lines } from "./lines.js";

/** A stretch of a text: offsets in UTF-16 code units, the end exclusive. */
export interface Place {
  start: number;
  end: number;
}

/** Kinds that do not stop a workflow from being served. */
const WARNINGS: ReadonlySet<Kind> = new Set<Kind>([
  "unreachable",
  "busy-loop",
  "constant-condition",
  "hardcoded-secret",
  "secret-in-url",
  "unused-secret",
  "tainted-input",
]);

export class Findings {
  readonly #file: string;
  readonly #lines: Lines;
  readonly #found: Diagnostic[] = [];
  readonly #seen = new Set<string>();

  constructor(file: string, text: string | Lines) {
    this.#file = file;
    this.#lines = typeof text === "string" ? new Lines(text) : text;
  }

  /** Another one that begins with what is found so far. */
  copy(): Findings {
    const copy = new Findings(this.#file, this.#lines);
    copy.#found.push(...this.#found);
    for (const key of this.#seen) copy.#seen.add(key);
    return copy;
  }

  add(kind: Kind, place: Place, message: string, suggestion?: string): void {
    const start = this.#lines.position(place.start);
    const end = this.#lines.position(Math.max(place.end, place.start + 1));
    if (end.line === start.line) {
      // A byte order mark takes no column, and a place takes one at least.
      end.column = Math.max(end.column, start.column + 1);
    }
    // What an alias repeats is wrong at one place only.
    const key = `${place.start} ${place.end} ${kind} ${message}`;
    if (this.#seen.has(key)) {
      return;
    }
    this.#seen.add(key);
    this.#found.push({
      file: this.#file,
      ...start,
      end_line: end.line,
      end_column: end.column,
      kind,
      severity: WARNINGS.has(kind) ? "warning" : "error",
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  get hasErrors(): boolean {
    return this.#found.some(({ severity }) => severity === "error");
  }

  /** Has an error of one of these kinds been found? */
  has(...kinds: Kind[]): boolean {
    return this.#found.some(({ kind }) => kinds.includes(kind));
  }

  /** By position; errors are never cut off in favour of warnings. */
  sorted(): Diagnostic[] {
    const bySeverity = [...this.#found].sort(
      (a, b) => Number(a.severity === "warning") - Number(b.severity === "warning"),
    );
    return bySeverity.slice(0, MAX_DIAGNOSTICS).sort(byPosition);
  }
}

function byPosition(a: Diagnostic, b: Diagnostic): number {
  return a.line - b.line || a.column - b.column || (a.kind < b.kind ? -1 : 1);
}

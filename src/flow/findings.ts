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

/** Of errors, and of warnings: rules run in turn, so those found first need not be shown first. */
const MOST = 10 * MAX_DIAGNOSTICS;

export class Findings {
  readonly #file: string;
  readonly #lines: Lines;
  readonly #found: Diagnostic[] = [];
  readonly #seen = new Set<string>();
  readonly #count = { error: 0, warning: 0 };

  constructor(file: string, text: string | Lines) {
    this.#file = file;
    this.#lines = typeof text === "string" ? new Lines(text) : text;
  }

  /** Another one that begins with what is found so far. */
  copy(): Findings {
    const copy = new Findings(this.#file, this.#lines);
    copy.#found.push(...this.#found);
    for (const key of this.#seen) {
      copy.#seen.add(key);
    }
    Object.assign(copy.#count, this.#count);
    return copy;
  }

  add(
    kind: Kind,
    place: Place,
    message: string,
    suggestion?: string,
    severity: Diagnostic["severity"] = WARNINGS.has(kind) ? "warning" : "error",
  ): void {
    if (this.#count[severity] >= MOST) {
      return;
    }
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
    this.#count[severity] += 1;
    this.#found.push({
      file: this.#file,
      ...start,
      end_line: end.line,
      end_column: end.column,
      kind,
      severity,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }

  /** No more errors are kept: looking for what was meant is not worth the time. */
  get isFull(): boolean {
    return this.#count.error >= MOST;
  }

  get hasErrors(): boolean {
    return this.#count.error > 0;
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

// One mistake in a flow file: its place, a sentence, a kind, and a suggestion.

/** Every kind there is, in the order of docs/checks.md. */
export const KINDS = [
  "syntax",
  "duplicate-key",
  "alias",
  "yaml-directive",
  "size",
  "unreadable",
  "connector",
  "unknown-key",
  "missing-key",
  "type",
  "value",
  "unsafe-integer",
  "duplicate-id",
  "step-ref",
  "step-type",
  "unreachable",
  "fall-through",
  "endless-loop",
  "busy-loop",
  "expression",
  "expression-type",
  "maybe-missing",
  "constant-condition",
  "quote-expression",
  "regex",
  "cost",
  "cron",
  "timezone",
  "workflow-ref",
  "context-type",
  "workflow-id",
  "hook-path",
  "hardcoded-secret",
  "secret-in-url",
  "unused-secret",
  "tainted-input",
] as const;

export type Kind = (typeof KINDS)[number];

export interface Diagnostic {
  /** As the caller named it. */
  file: string;
  /** Both count from 1; a column counts UTF-16 code units. */
  line: number;
  column: number;
  /** The end is exclusive. */
  end_line: number;
  end_column: number;
  kind: Kind;
  severity: "error" | "warning";
  /** One sentence: what is wrong, what was wanted. No final full stop is added by reporters. */
  message: string;
  /** What to do, when one likely fix is near: `did you mean "send_reminder"?` */
  suggestion?: string;
}

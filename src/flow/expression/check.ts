// Checks expressions before anything runs: is it CEL, does it fit the types, what does it read.

import { ParseError } from "@marcbachmann/cel-js";
import { parseCel } from "./cel.js";
import type { TypeEnv } from "./env.js";
import type { Checked, Finding } from "./finding.js";
import { type ExpressionPart, findExpressions, wholeExpression } from "./parts.js";
import { BOOL, DYN, STRING } from "./types.js";

export interface Place {
  /** Is this part of a step's config? Only there `${{ secrets.X }}` may stand. */
  secrets?: boolean;
}

/** A string that may hold `${{ … }}`. */
export function checkText(text: string, _env: TypeEnv, _place: Place = {}): Checked {
  const { parts, findings } = findExpressions(text);
  const expressions = parts.filter((part): part is ExpressionPart => part.kind === "expression");
  for (const part of expressions) {
    findings.push(...syntaxOf(part.text, part.offset));
  }
  const whole = wholeExpression(parts) !== undefined;
  return { type: whole ? DYN : STRING, findings, reads: [] };
}

/** A string that is an expression without braces: `when`, `if`. */
export function checkBare(text: string, _env: TypeEnv, wanted?: "bool"): Checked {
  return { type: wanted ? BOOL : DYN, findings: syntaxOf(text, 0), reads: [] };
}

function syntaxOf(text: string, offset: number): Finding[] {
  try {
    parseCel(text);
    return [];
  } catch (error) {
    if (!(error instanceof ParseError)) {
      throw error;
    }
    const { start = 0, end = text.length } = error.range ?? {};
    return [
      {
        start: offset + start,
        end: offset + Math.max(end, start + 1),
        kind: "expression",
        severity: "error",
        message: error.summary,
      },
    ];
  }
}

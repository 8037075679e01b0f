// Splits a text into literal parts and `${{ … }}` parts, by the lexical rules of CEL.

import { MAX_EXPRESSION_LENGTH } from "../../limits.js";
import type { Finding } from "./finding.js";

export interface LiteralPart {
  kind: "literal";
  /** As it is meant: `$${{` has become `${{`. */
  text: string;
  /** Offsets in the decoded text. */
  start: number;
  end: number;
}

export interface ExpressionPart {
  kind: "expression";
  /** Between the braces, with its blanks. */
  text: string;
  /** Offsets of `${{ … }}`, braces included. */
  start: number;
  end: number;
  /** Where `text` starts. */
  offset: number;
}

export type Part = LiteralPart | ExpressionPart;

export interface Found {
  parts: Part[];
  /** An expression that is never closed. */
  findings: Finding[];
}

const OPEN = "${{";
const ESCAPED = "$${{";

export function findExpressions(text: string): Found {
  const found: Found = { parts: [], findings: [] };
  let literal = "";
  let start = 0;
  let at = 0;
  const endLiteral = (end: number) => {
    if (literal !== "") {
      found.parts.push({ kind: "literal", text: literal, start, end });
    }
    literal = "";
  };
  while (at < text.length) {
    const open = text.indexOf(OPEN, at);
    if (open === -1) {
      literal += text.slice(at);
      break;
    }
    if (open > at && text.startsWith(ESCAPED, open - 1)) {
      literal += text.slice(at, open - 1) + OPEN;
      at = open + OPEN.length;
      continue;
    }
    literal += text.slice(at, open);
    endLiteral(open);
    const offset = open + OPEN.length;
    const close = closingBraces(text, offset);
    if (close === -1) {
      found.findings.push(unterminated(open, text.length));
      return found;
    }
    at = close + 2;
    start = at;
    found.parts.push({
      kind: "expression",
      text: text.slice(offset, close),
      start: open,
      end: at,
      offset,
    });
  }
  endLiteral(text.length);
  return found;
}

/** The only expression of a text that is nothing else. Its value keeps its type. */
export function wholeExpression(parts: readonly Part[]): ExpressionPart | undefined {
  const [first, rest] = parts;
  if (first?.kind !== "expression" || parts.length > 2) {
    return undefined;
  }
  // A block scalar ends with a line break that no one sees.
  const alone = rest === undefined || (rest.kind === "literal" && /^\n+$/.test(rest.text));
  return alone ? first : undefined;
}

/**
 * Where the `}}` is that closes an expression: not one inside a string or a map. When strings or
 * braces are themselves broken, the next `}}` is taken, so that the error is found in the
 * expression and not at the end of the text. -1: there is none.
 */
function closingBraces(text: string, from: number): number {
  // Beyond it, the expression is too long in any case.
  const last = Math.min(text.length, from + MAX_EXPRESSION_LENGTH);
  let depth = 0;
  let at = from;
  while (at < last) {
    const char = text[at];
    if (char === '"' || char === "'") {
      at = endOfString(text, at);
      if (at === -1) {
        break;
      }
    } else if (char === "/" && text[at + 1] === "/") {
      at = endOfComment(text, at);
    } else if (char === "$") {
      // Not a character of CEL: another `${{` starts before this one has ended.
      break;
    } else if (char === "}" && depth === 0 && text[at + 1] === "}") {
      return at;
    } else {
      depth = Math.max(0, depth + (char === "{" ? 1 : char === "}" ? -1 : 0));
      at += 1;
    }
  }
  return text.indexOf("}}", from);
}

/** Behind the closing quote; -1 without one. A string in single quotes ends on its line. */
function endOfString(text: string, from: number): number {
  const quote = text.charAt(from);
  const triple = text.startsWith(quote.repeat(3), from);
  const close = triple ? quote.repeat(3) : quote;
  let at = from + close.length;
  while (at < text.length) {
    if (text.startsWith(close, at)) {
      return at + close.length;
    }
    const char = text[at];
    if (!triple && (char === "\n" || char === "\r")) {
      return -1;
    }
    at += char === "\\" ? 2 : 1;
  }
  return -1;
}

/** Comments end with their line, or with the expression: quotes in them mean nothing. */
function endOfComment(text: string, from: number): number {
  const ends = [text.indexOf("\n", from), text.indexOf("}}", from)].filter((end) => end !== -1);
  return Math.min(text.length, ...ends);
}

function unterminated(start: number, end: number): Finding {
  return {
    start,
    end,
    kind: "expression",
    severity: "error",
    message: '"${{" is never closed by "}}"',
    suggestion:
      'write "$${{" for the characters themselves; ' +
      'put the value in quotes if the expression contains " #" or ": "',
  };
}

// What is wrong with a text that is no expression, and what was probably meant.

import type { ParseError } from "@marcbachmann/cel-js";
import type { Finding } from "./finding.js";

/** Offsets are in `text`, the text that was parsed. */
export function syntaxMistake(error: ParseError, text: string): Finding {
  const { start = 0, end = text.length } = error.range ?? {};
  const { message, suggestion, kind = "expression" } = describe(error, text, start, end);
  // At the end there is nothing to point at but the last character.
  const last = Math.max(0, text.trimEnd().length - 1);
  const from = Math.min(start, last);
  return {
    start: from,
    end: Math.min(Math.max(end, from + 1), Math.max(1, last + 1)),
    kind,
    severity: "error",
    message,
    ...(suggestion === undefined ? {} : { suggestion }),
  };
}

interface Words {
  message: string;
  suggestion?: string;
  kind?: "cost";
}

function describe(error: ParseError, text: string, start: number, end: number): Words {
  switch (error.code) {
    case "unexpected_character":
      return unexpected(text, start, end);
    case "unexpected_token":
      return text.trim() === ""
        ? { message: "the expression is empty" }
        : unexpected(text, start, end);
    case "expected_token":
      return expected(error.summary, text, start, end);
    case "reserved_identifier":
      return { message: `"${text.slice(start, end)}" is a word of the language, not a name` };
    case "newline_in_string":
    case "unterminated_string":
    case "unterminated_triple_quoted_string":
      return { message: "a string is not closed" };
    case "invalid_escape_sequence":
      return {
        message: `"${text.slice(start, end)}" is no escape in a string`,
        suggestion: `write "\\${text.slice(start, end)}", or put r before the string`,
      };
    case "limit_exceeded":
      return { message: tooLarge(error.summary), kind: "cost" };
    case "invalid_macro_argument":
      return {
        message: "the first argument must be a name for the elements",
        suggestion: 'write it like "list.map(item, item.id)"',
      };
    default:
      return { message: lowerFirst(error.summary) };
  }
}

/** Spellings of other languages, by what stands at the place. */
const SPELLINGS: readonly { at: RegExp; message: string; suggestion: string }[] = [
  { at: /^=$|^=[^=]/, message: '"=" is no operator', suggestion: 'write "==" to compare' },
  { at: /^&/, message: '"&" is no operator', suggestion: 'write "&&"' },
  { at: /^\|/, message: '"|" is no operator', suggestion: 'write "||"' },
  { at: /^and\b/i, message: '"and" is no operator', suggestion: 'write "&&"' },
  { at: /^or\b/i, message: '"or" is no operator', suggestion: 'write "||"' },
  { at: /^is\b/i, message: '"is" is no operator', suggestion: 'write "=="' },
  { at: /^[“”„‘’]/, message: "quotes must be straight", suggestion: "write \"…\" or '…'" },
  { at: /^`/, message: "strings stand in quotes", suggestion: "write \"…\" or '…'" },
  {
    at: /^\$\{\{/,
    message: "an expression cannot stand in another one",
    suggestion: "leave out the inner braces",
  },
];

function unexpected(text: string, start: number, end: number): Words {
  const rest = text.slice(start);
  if (text[start - 1] === "=" && rest.startsWith("=")) {
    return { message: '"===" is no operator', suggestion: 'write "=="' };
  }
  if (text[start - 1] === "?" && /^[.?]/.test(rest)) {
    return rest.startsWith(".")
      ? { message: '"?." is no operator', suggestion: 'write ".?", which gives an optional' }
      : { message: '"??" is no operator', suggestion: "write has(a.b) ? a.b : other" };
  }
  if (/(?:^|[^\w.])not\s+$/i.test(text.slice(0, start))) {
    return { message: '"not" is no operator', suggestion: 'write "!"' };
  }
  for (const { at, message, suggestion } of SPELLINGS) {
    if (at.test(rest)) {
      return { message, suggestion };
    }
  }
  if (rest.trim() === "") {
    return { message: "the expression ends too early" };
  }
  const found = text.slice(start, Math.max(end, start + 1));
  if (/^[)\]}]/.test(found)) {
    return { message: `"${found}" closes nothing` };
  }
  return /^[\w"']/.test(found)
    ? { message: `an operator is missing before ${shown(found)}` }
    : { message: `${shown(found)} cannot stand here` };
}

const TOKENS: { readonly [token: string]: string } = {
  IDENTIFIER: "a name",
  RPAREN: '")"',
  RBRACKET: '"]"',
  RBRACE: '"}"',
  COLON: '":"',
  LPAREN: '"("',
};

function expected(summary: string, text: string, start: number, end: number): Words {
  const token = /^Expected (\w+)/.exec(summary)?.[1] ?? "";
  const wanted = TOKENS[token] ?? token.toLowerCase();
  const found = text.slice(start, end);
  if (found.trim() === "") {
    return { message: `${wanted} is missing` };
  }
  const message = `${wanted} must stand before ${shown(found)}`;
  if (token !== "IDENTIFIER") {
    return { message: `${wanted} is missing before ${shown(found)}` };
  }
  return /^\w+$/.test(found)
    ? {
        message: `${shown(found)} cannot stand behind a dot`,
        suggestion: /^\d+$/.test(found) ? `write [${found}]` : `write ["${found}"]`,
      }
    : { message };
}

function tooLarge(summary: string): string {
  const [, limit = "", bound = ""] = /^Exceeded (\w+) \((\d+)\)/.exec(summary) ?? [];
  const what: { [limit: string]: string } = {
    maxListElements: "elements of a list",
    maxMapEntries: "entries of a map",
    maxCallArguments: "arguments of a call",
    maxDepth: "levels of nesting",
    maxAstNodes: "parts",
  };
  return `an expression has at most ${bound} ${what[limit] ?? limit}`;
}

function shown(text: string): string {
  return text.startsWith('"') ? `'${text}'` : `"${text}"`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

// From a place in a scalar's decoded text to the place in the file where it was written.

import type { Place } from "./findings.js";
import type { TextNode } from "./tree.js";

/**
 * The place of a stretch of a scalar's value: in quotes, escapes and folded lines take more room
 * in the file than in the value. A scalar that cannot be followed is pointed at as a whole.
 */
export function placeInScalar(text: string, node: TextNode, start: number, end: number): Place {
  const raw = text.slice(node.start, node.end);
  const decoded = typeof node.json === "string" ? node.json : raw;
  let trail = followed.get(node);
  if (trail === undefined) {
    trail = trailOf(raw, node, decoded) ?? null;
    followed.set(node, trail);
  }
  if (trail === null) {
    return { start: node.start, end: node.end };
  }
  const from = trail.starts[start] ?? trail.ends.at(-1) ?? 0;
  const to = end > start ? (trail.ends[end - 1] ?? raw.length) : from + 1;
  return { start: node.start + from, end: node.start + Math.max(to, from + 1) };
}

/** A scalar may hold thousands of expressions, each with a mistake. Null: it cannot be followed. */
const followed = new WeakMap<TextNode, Trail | null>();

/** Undefined: following the raw text led to another value than the parser's. */
function trailOf(raw: string, node: TextNode, decoded: string): Trail | undefined {
  const trail = new Trail();
  switch (node.style) {
    case "double":
      doubleQuoted(raw, trail);
      break;
    case "single":
      flowLines(raw, 1, raw.length - 1, trail, true);
      break;
    case "literal":
    case "folded":
      return blockScalar(raw, node.style === "folded", decoded);
    default:
      flowLines(raw, 0, raw.length, trail, false);
  }
  return trail.text === decoded ? trail : undefined;
}

/** A text along with where each unit of it was written. */
class Trail {
  text = "";
  readonly starts: number[] = [];
  readonly ends: number[] = [];

  /** Units that stand in the file as they are. */
  copy(text: string, offset: number): void {
    for (let index = 0; index < text.length; index += 1) {
      this.starts.push(offset + index);
      this.ends.push(offset + index + 1);
    }
    this.text += text;
  }

  /** Units that something else stands for. */
  make(text: string, start: number, end: number): void {
    for (let index = 0; index < text.length; index += 1) {
      this.starts.push(start);
      this.ends.push(end);
    }
    this.text += text;
  }

  /** Drops blanks at the end, down to a length. */
  trimEnd(length: number): void {
    while (this.text.length > length && /[ \t]$/.test(this.text)) {
      this.text = this.text.slice(0, -1);
      this.starts.pop();
      this.ends.pop();
    }
  }
}

/** Plain and single-quoted: lines are trimmed and folded, `''` is a quote. */
function flowLines(raw: string, from: number, to: number, trail: Trail, quoted: boolean): void {
  let kept = 0;
  let at = from;
  while (at < to) {
    const unit = raw[at] ?? "";
    if (isBreak(raw, at)) {
      trail.trimEnd(kept);
      at = fold(raw, at, to, trail);
      kept = trail.text.length;
    } else {
      const end = at + (quoted && unit === "'" ? 2 : 1);
      trail.make(unit, at, end);
      at = end;
    }
  }
}

function doubleQuoted(raw: string, trail: Trail): void {
  const to = raw.length - 1;
  // Blanks before a line break go, but not those that were escaped.
  let kept = 0;
  let at = 1;
  while (at < to) {
    const unit = raw[at] ?? "";
    if (isBreak(raw, at)) {
      trail.trimEnd(kept);
      at = fold(raw, at, to, trail);
      kept = trail.text.length;
    } else if (unit === "\\" && isBreak(raw, at + 1)) {
      at = skipBlanks(raw, raw.indexOf("\n", at) + 1, to);
      kept = trail.text.length;
    } else if (unit === "\\") {
      const length = ESCAPE_LENGTHS[raw[at + 1] ?? ""] ?? 2;
      trail.make(decodeEscape(raw.slice(at, at + length)), at, at + length);
      at += length;
      kept = trail.text.length;
    } else {
      trail.copy(unit, at);
      at += 1;
    }
  }
}

const ESCAPE_LENGTHS: { readonly [letter: string]: number } = { x: 4, u: 6, U: 10 };

const ESCAPES: { readonly [letter: string]: string } = {
  "0": "\0",
  a: "\u0007",
  b: "\b",
  e: "\u001b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  N: "\u0085",
  _: "\u00a0",
  L: "\u2028",
  P: "\u2029",
};

function decodeEscape(escaped: string): string {
  if (escaped.length > 2) {
    const code = Number.parseInt(escaped.slice(2), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : "";
  }
  const letter = escaped.slice(1);
  return ESCAPES[letter] ?? letter;
}

function isBreak(raw: string, at: number): boolean {
  return raw[at] === "\n" || (raw[at] === "\r" && raw[at + 1] === "\n");
}

function skipBlanks(raw: string, from: number, to: number): number {
  let at = from;
  while (at < to && (raw[at] === " " || raw[at] === "\t")) {
    at += 1;
  }
  return at;
}

/** One line break is a space; each empty line after it is one break. */
function fold(raw: string, from: number, to: number, trail: Trail): number {
  let at = from;
  let breaks = 0;
  while (at < to && isBreak(raw, at)) {
    breaks += 1;
    at = skipBlanks(raw, raw.indexOf("\n", at) + 1, to);
  }
  trail.make(breaks === 1 ? " " : "\n".repeat(breaks - 1), from, from + 1);
  return at;
}

/** The indentation is not known here: it is the one under which the parser's text comes out. */
function blockScalar(raw: string, folded: boolean, decoded: string): Trail | undefined {
  const header = raw.indexOf("\n") + 1;
  if (header === 0) {
    return undefined;
  }
  const lines = linesOf(raw, header);
  const first = lines.find(({ text }) => text.trim() !== "")?.text.search(/[^ ]/) ?? 0;
  const below = Array.from({ length: Math.min(first, MOST_INDENT) + 1 }, (_, indent) => indent);
  for (const indent of new Set([first, ...below.reverse()])) {
    const trail = new Trail();
    blockLines(lines, indent, folded, trail, decoded.length);
    if (trail.text === decoded) {
      return trail;
    }
  }
  return undefined;
}

/** An indentation that is written out in the header is tried up to this many columns. */
const MOST_INDENT = 100;

interface Line {
  text: string;
  start: number;
}

function linesOf(raw: string, from: number): Line[] {
  const lines: Line[] = [];
  let start = from;
  for (const text of raw.slice(from).split("\n")) {
    lines.push({ text: text.endsWith("\r") ? text.slice(0, -1) : text, start });
    start += text.length + 1;
  }
  return lines;
}

/** Adds lines up to the length that chomping left. */
function blockLines(
  lines: readonly Line[],
  indent: number,
  folded: boolean,
  trail: Trail,
  length: number,
): void {
  const isMore = (line: Line | undefined) => /^[ \t]/.test(line?.text.slice(indent) ?? "");
  let index = 0;
  while (index < lines.length && trail.text.length < length) {
    const line = lines[index] as Line;
    trail.copy(line.text.slice(indent), line.start + Math.min(indent, line.text.length));
    let next = index + 1;
    while (next < lines.length && lines[next]?.text.slice(indent) === "") {
      next += 1;
    }
    const breaks = next - index;
    const end = line.start + line.text.length;
    const joins = folded && line.text.slice(indent) !== "" && next < lines.length;
    if (joins && !isMore(line) && !isMore(lines[next])) {
      trail.make(breaks === 1 ? " " : "\n".repeat(breaks - 1), end, end + 1);
    } else {
      trail.make("\n".repeat(Math.min(breaks, length - trail.text.length)), end, end + 1);
    }
    index = next;
  }
}

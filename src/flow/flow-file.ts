// A flow file: the text a person edits, as values that know their place in it.

import { Composer, type Document, Lexer, Parser, type YAMLError } from "yaml";
import { MAX_FLOW_DEPTH } from "../limits.js";
import type { Findings, Place } from "./findings.js";
import { guardText } from "./text-guard.js";
import { type TextNode, toTree } from "./tree.js";

/** The root value; undefined where it has none, which `findings` says. */
export function readFlowFile(text: string, findings: Findings): TextNode | undefined {
  const document = readDocument(text, findings);
  if (document === undefined) {
    return undefined;
  }
  return toTree(document, text, findings);
}

/** For those who keep the comments. Undefined: not readable YAML. */
export function readDocument(text: string, findings: Findings): Document | undefined {
  if (!guardText(text, findings)) {
    return undefined;
  }
  const documents: Document[] = [];
  const guard = new NestingGuard(text);
  try {
    const composer = new Composer({
      version: "1.2",
      schema: "core",
      merge: false,
      // Done by toTree, where it takes linear time.
      uniqueKeys: false,
      strict: true,
      prettyErrors: false,
    });
    for (const document of composer.compose(tokens(text, guard), true, text.length)) {
      documents.push(document);
    }
  } catch (error) {
    if (error instanceof Refused) {
      findings.add(error.kind, error.place, error.message, error.suggestion);
      return undefined;
    }
    throw error;
  }
  return accept(documents, text, guard.unclosed, findings);
}

class Refused extends Error {
  constructor(
    readonly kind: "syntax" | "size" | "yaml-directive" | "quote-expression",
    readonly place: Place,
    message: string,
    readonly suggestion?: string,
  ) {
    super(message);
  }
}

/**
 * The parser's tokens, of a text whose nesting is bounded while it is read: the parser and the
 * composer behind it recurse, and can abort the process on a text that is nested too deep.
 */
function* tokens(text: string, guard: NestingGuard): ReturnType<Parser["parse"]> {
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    guard.see(lexeme);
    yield* parser.next(lexeme);
  }
  guard.end();
  yield* parser.end();
}

/** What begins a lexeme that is no node: blanks, a comment, a comma, a byte order mark. */
const BETWEEN: ReadonlySet<string> = new Set([" ", "\t", "\r", "\n", "#", ",", "\ufeff"]);

/** Judges lexemes by the lexer itself, so quotes, comments and block scalars cannot fool it. */
class NestingGuard {
  /** The first bracket or quote that is never closed: there the mistake is, not where it shows. */
  unclosed: number | undefined;
  readonly #text: string;
  #offset = 0;
  #lineStart = 0;
  /** Offsets of the brackets that are open, outermost first. */
  #brackets: number[] = [];
  /** Columns at which a block collection may be open, outermost first. */
  #columns: number[] = [];
  #scalarNext = false;
  #inDocument = false;

  constructor(text: string) {
    this.#text = text;
  }

  see(lexeme: string): void {
    if (this.#scalarNext) {
      this.#scalarNext = false;
      this.#scalar(lexeme);
      this.#advance(lexeme);
      return;
    }
    switch (lexeme) {
      case "\u0002":
        this.#inDocument = true;
        this.#columns = [];
        return;
      case "\u0018":
        this.end();
        this.#brackets = [];
        return;
      case "\u001f":
        this.#scalarNext = true;
        return;
      case "---":
      case "...":
        this.#columns = [];
        this.#inDocument = lexeme === "---";
        break;
      case "[":
      case "{":
        this.#indent();
        this.#brackets.push(this.#offset);
        break;
      case "]":
      case "}":
        this.#brackets.pop();
        break;
      default:
        this.#other(lexeme);
    }
    this.#bound();
    this.#advance(lexeme);
  }

  end(): void {
    this.unclosed ??= this.#brackets.at(-1);
  }

  #other(lexeme: string): void {
    const first = lexeme.charAt(0);
    if (first === "%" && !this.#inDocument) {
      const place = { start: this.#offset, end: this.#offset + lexeme.length };
      const name = lexeme.split(/\s/)[0];
      const message = `the directive ${name} is not supported: a flow file is YAML 1.2`;
      throw new Refused("yaml-directive", place, message, "remove the line");
    }
    if (!BETWEEN.has(first)) {
      this.#indent();
    }
    if ((first === '"' || first === "'") && (lexeme.length === 1 || !lexeme.endsWith(first))) {
      this.unclosed ??= this.#offset;
    }
  }

  #scalar(source: string): void {
    this.#indent();
    this.#bound();
    const dollar = this.#offset + source.length - 1;
    if (this.#brackets.length > 0 && source.endsWith("$") && this.#text.startsWith("${{", dollar)) {
      this.#unquoted(dollar, "inside [ ] or { }");
    }
    const open = source.lastIndexOf("${{");
    if (open === -1 || source.indexOf("}}", open) !== -1 || /^[|>"']/.test(source)) {
      return;
    }
    const end = this.#offset + source.length;
    const rest = this.#text.slice(end, end + 100);
    if (/^[ \t]*:/.test(rest)) {
      this.#unquoted(this.#offset + open, 'that contains ": "');
    } else if (/^[ \t]+#/.test(rest)) {
      this.#unquoted(this.#offset + open, 'that contains " #"');
    }
  }

  #unquoted(start: number, where: string): never {
    const line = this.#text.indexOf("\n", start);
    const end = this.#text.indexOf("}}", start);
    const stop = line === -1 ? this.#text.length : line;
    const place = { start, end: end === -1 || end > stop ? start + 3 : end + 2 };
    const message = `an expression ${where} must be in quotes, or YAML reads it as something else`;
    throw new Refused("quote-expression", place, message, 'write "${{ … }}"');
  }

  /** In a flow collection, only brackets nest. */
  #indent(): void {
    if (this.#brackets.length > 0) {
      return;
    }
    const column = this.#offset - this.#lineStart;
    while ((this.#columns.at(-1) ?? -1) > column) {
      this.#columns.pop();
    }
    if (this.#columns.at(-1) !== column) {
      this.#columns.push(column);
    }
  }

  #bound(): void {
    // The innermost column is that of a value, not of a collection.
    if (this.#columns.length - 1 + this.#brackets.length > MAX_FLOW_DEPTH) {
      const place = { start: this.#offset, end: this.#offset + 1 };
      throw new Refused("size", place, `nested deeper than ${MAX_FLOW_DEPTH} levels`);
    }
  }

  #advance(lexeme: string): void {
    const newline = lexeme.lastIndexOf("\n");
    if (newline !== -1) {
      this.#lineStart = this.#offset + newline + 1;
    }
    this.#offset += lexeme.length;
  }
}

function accept(
  documents: Document[],
  text: string,
  unclosed: number | undefined,
  findings: Findings,
): Document | undefined {
  const [document, second] = documents;
  const errors = documents.flatMap((each) => each.errors);
  // The parser's errors cascade: the first one is the mistake.
  const first = [...errors].sort((a, b) => a.pos[0] - b.pos[0])[0];
  if (first !== undefined) {
    if (unclosed !== undefined && first.pos[0] >= unclosed) {
      const message = `this ${text[unclosed]} is never closed`;
      findings.add("syntax", { start: unclosed, end: unclosed + 1 }, message);
    } else {
      findings.add("syntax", placeOf(first, text), sentence(first));
    }
    return undefined;
  }
  if (second !== undefined) {
    const start = second.range?.[0] ?? 0;
    const message = "a flow file holds one document, not several";
    findings.add("syntax", { start, end: start + 3 }, message);
    return undefined;
  }
  const warnings = documents.flatMap((each) => each.warnings);
  for (const warning of warnings) {
    findings.add("syntax", placeOf(warning, text), sentence(warning));
  }
  return warnings.length > 0 ? undefined : document;
}

/** The parser may point at the blanks before what it means. */
function placeOf(error: YAMLError, text: string): Place {
  const blanks = /^ +/.exec(text.slice(error.pos[0], error.pos[0] + 200))?.[0].length ?? 0;
  return { start: error.pos[0] + blanks, end: error.pos[1] };
}

function sentence(error: YAMLError): string {
  switch (error.code) {
    case "TAB_AS_INDENT":
      return "a tab may not indent; use spaces";
    case "TAG_RESOLVE_FAILED":
      return error.message.replace(/^Unresolved tag: /, "unknown tag ");
    case "BAD_INDENT":
      return `the indentation does not fit the lines above (${lower(error.message)})`;
    default:
      return /Sequence item without/.test(error.message)
        ? "the indentation does not fit the lines above"
        : lower(error.message);
  }
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}

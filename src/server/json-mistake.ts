// Says where a text stops being JSON, and what was wanted there; `JSON.parse` often does not.

export interface Mistake {
  /** In UTF-16 code units, from 0. */
  position: number;
  message: string;
}

const WANTED = {
  value: "a value",
  first_item: "a value or `]`",
  key: "a key in double quotes",
  first_key: "a key in double quotes or `}`",
  colon: "`:` after the key",
  next_item: "`,` or `]`",
  next_key: "`,` or `}`",
  end: "the end",
} as const;

type Wanted = keyof typeof WANTED;

/** For a text that `JSON.parse` has refused. Does not recurse: the text may be anything. */
export function findMistake(text: string): Mistake {
  const open: ("{" | "[")[] = [];
  let wanted: Wanted = "value";
  let position = 0;
  for (;;) {
    position = endOf(/[ \t\n\r]*/y, text, position);
    const char = text[position];
    const step = follow(wanted, char, open);
    if (step === undefined) {
      const end: number = position < text.length ? endOf(TOKEN, text, position) : -1;
      if (end < 0 || !isScalarWanted(wanted, char)) return mistake(text, position, wanted);
      position = end;
      wanted = isKeyWanted(wanted) ? "colon" : afterValue(open);
    } else {
      wanted = step;
      position++;
    }
  }
}

/** What is wanted after a bracket, a comma or a colon; undefined where `char` is none of these. */
function follow(wanted: Wanted, char: string | undefined, open: ("{" | "[")[]): Wanted | undefined {
  const isValue = wanted === "value" || wanted === "first_item";
  if (isValue && (char === "{" || char === "[")) {
    open.push(char);
    return char === "{" ? "first_key" : "first_item";
  }
  if (char === "]" && (wanted === "first_item" || wanted === "next_item")) return close(open);
  if (char === "}" && (wanted === "first_key" || wanted === "next_key")) return close(open);
  if (char === "," && wanted === "next_item") return "value";
  if (char === "," && wanted === "next_key") return "key";
  return char === ":" && wanted === "colon" ? "value" : undefined;
}

function close(open: ("{" | "[")[]): Wanted {
  open.pop();
  return afterValue(open);
}

function afterValue(open: ("{" | "[")[]): Wanted {
  const innermost = open.at(-1);
  return innermost === undefined ? "end" : innermost === "{" ? "next_key" : "next_item";
}

function isKeyWanted(wanted: Wanted): boolean {
  return wanted === "key" || wanted === "first_key";
}

function isScalarWanted(wanted: Wanted, char: string | undefined): boolean {
  if (isKeyWanted(wanted)) return char === '"';
  return wanted === "value" || wanted === "first_item";
}

/** A string, a number or a word. Strings are read piece by piece, so that no piece backtracks. */
const TOKEN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const PLAIN = /[ !#-[\]-\uffff]*/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** Where the token that begins at `position` ends; −1: there is none. */
function endOf(pattern: RegExp, text: string, position: number): number {
  if (pattern === TOKEN && text[position] === '"') return endOfString(text, position);
  pattern.lastIndex = position;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

function endOfString(text: string, start: number): number {
  let position = start + 1;
  for (;;) {
    position = endOf(PLAIN, text, position);
    if (text[position] === '"') return position + 1;
    position = endOf(ESCAPE, text, position);
    if (position < 0) return -1;
  }
}

function mistake(text: string, position: number, wanted: Wanted): Mistake {
  if (position >= text.length) {
    return { position, message: `the text ends where ${WANTED[wanted]} was wanted` };
  }
  if (text[position] === '"' && isScalarWanted(wanted, '"')) {
    return { position, message: "this string does not end, or has a character that needs a `\\`" };
  }
  const came = JSON.stringify(String.fromCodePoint(text.codePointAt(position) ?? 0));
  return { position, message: `${WANTED[wanted]} was wanted, ${came} came` };
}

// Values that have broken other programs: the vocabulary of the hostile suite.

/** Hand-picked; no one of them is the id of anything. */
export const NASTY: readonly string[] = [
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__defineGetter__",
  ],
  ...[
    "..",
    ".",
    "../",
    "..\\",
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "/etc/passwd",
    "//etc/passwd",
  ],
  ...[
    "%2e%2e%2f",
    "%252e%252e%252f",
    "..%c0%af",
    "..%ef%bc%8f",
    "....//",
    "..;/",
    "file:///etc/passwd",
    "C:\\x",
  ],
  ...[
    "CON",
    "NUL",
    "AUX",
    "COM1",
    "LPT1.yaml",
    "con.json",
    ".git/config",
    ".env",
    "~root",
    "a/../../b",
  ],
  ...[
    "\0",
    "a\0b",
    "\u0001",
    "\t",
    "\n",
    "\r\n",
    "\r\nset-cookie: a=b",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\u200b",
  ],
  ...["\u202eevil", "é", "e\u0301", "İ", "ß", "ﬀ", "🧨", "👩‍👩‍👧‍👦", "\u{e0001}", "日本", "ā̶̢"],
  ...[
    "",
    " ",
    "  ",
    "null",
    "undefined",
    "NaN",
    "Infinity",
    "-0",
    "0x10",
    "1e309",
    "9007199254740993",
    "true",
  ],
  ...[
    "-1",
    "999999999999999999999999",
    "1;DROP TABLE runs",
    "' OR '1'='1",
    '"',
    "`id`",
    "$(id)",
    "|id",
    "&& id",
  ],
  ...[
    "${7*7}",
    "${{ secrets.TOKEN }}",
    "{{7*7}}",
    "<%= 7*7 %>",
    "#{7*7}",
    "%s%n%x",
    "<script>alert(1)</script>",
  ],
  ...[
    "<!--",
    "]]>",
    "<?xml?>",
    "a".repeat(65),
    "a".repeat(1_000),
    "a".repeat(8_000),
    "[".repeat(200),
    "{".repeat(200),
  ],
  ...[
    "run_",
    `run_${"0".repeat(25)}`,
    `run_${"0".repeat(27)}`,
    `RUN_${"0".repeat(26)}`,
    `run_${"z".repeat(26)}`,
  ],
  ...[
    "Strict",
    "STRICT",
    "strict.yaml",
    "strict ",
    " strict",
    "strict/",
    "./strict",
    "strict%00",
    "strict\0.json",
  ],
];

/** Texts of JSON, well-formed or not, that a context is no place for. */
export const NASTY_JSON: readonly string[] = [
  ...[
    "",
    "{",
    "[",
    '"',
    "nul",
    "NaN",
    "Infinity",
    "01",
    "1.",
    ".5",
    "+1",
    "'a'",
    "{a:1}",
    '{"a":1,}',
    "[1,]",
    "//x",
  ],
  ...[
    '{"__proto__":{}}',
    '{"a":{"__proto__":{"b":1}}}',
    '{"\\u005f_proto__":1}',
    '{"constructor":{"prototype":1}}',
  ],
  ...[
    '{"amount":1e999}',
    '{"amount":-1e999}',
    '{"amount":"1"}',
    '{"amount":null}',
    '{"amount":1.5}',
    '{"amount":[]}',
  ],
  ...[
    '{"name":"\\ud800"}',
    '{"name":"\\u0000"}',
    `{"name":"${"x".repeat(5_000)}"}`,
    '{"name":1}',
    '{"name":{}}',
  ],
  ...[
    '{"amount":1,"amount":"x"}',
    '{"AMOUNT":1}',
    '{"":1}',
    '{"length":-1}',
    '{"toString":1}',
    "[]",
    "null",
    "1",
    '"x"',
  ],
  ...[
    "[".repeat(5_000),
    '{"a":'.repeat(3_000),
    `${"[".repeat(150)}${"]".repeat(150)}`,
    "\ufeff{}",
    "{}{}",
    "{}\0",
  ],
];

/** The same numbers for the same seed, 0 ≤ x < 1. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a generated input is made of: by chance, but the same for the same seed. */
export class Maker {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = chance(seed);
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  below(limit: number): number {
    return Math.floor(this.#next() * limit);
  }

  /** One of the texts, or one of them inside of another. */
  text(): string {
    const text = this.pick(NASTY);
    if (this.below(2) === 0) return text;
    const cut = this.below(text.length + 1);
    return `${text.slice(0, cut)}${this.pick(NASTY).slice(0, 200)}${text.slice(cut)}`.slice(
      0,
      2_000,
    );
  }
}

export function inPath(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"))
    .slice(0, 4_000)
    .replace(/%.?$/, "");
}

/** What a header can carry; anything else no client would send. */
export function inHeader(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, "").slice(0, 500);
}

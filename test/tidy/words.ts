// The words that name one thing each, and the synonyms that would blur them in names we choose.

/** Synonym → word. A name is split at capitals, `_` and `-`; a plural counts as its singular. */
const SYNONYMS: { readonly [synonym: string]: string } = {
  spec: "flow file",
  template: "workflow",
  dag: "workflow",
  pipeline: "workflow",
  task: "step, or effect",
  job: "step, or run",
  plugin: "connector",
  integration: "connector",
  payload: "context",
  execution: "run",
  phase: "status",
  transaction: "decision",
  wal: "journal",
  snapshot: "checkpoint",
  database: "store",
  db: "store",
  backend: "host",
  runtime: "host",
  service: "runner",
  manager: "runner",
  problem: "diagnostic",
  deploy: "sync",
  deployment: "sync",
};

/** Two words in a row that are a synonym only together. */
const PAIRS: { readonly [pair: string]: string } = {
  "event source": "trigger",
  "run state": "run status",
  "run instance": "run",
  "run input": "context",
  "retry count": "attempt",
  "log entry": "event",
  "side effect": "effect",
  "command request": "command",
  "command message": "command",
  "write ahead": "journal",
  "flow source": "flow file",
};

/**
 * Where a synonym is the word of an outside standard for another thing, and must stand as it is.
 * `source` and `state`, `node` and `action`, `worker`, `batch` and `instance` are words that the
 * code needs for other things everywhere (a syntax node, a worker thread, a commit's batch, a
 * step's instance), so they are not in the table above at all.
 */
const ALLOWED: readonly { word: string; under: RegExp; because: string }[] = [
  {
    word: "problem",
    under: /^src\/(server|cli)\//,
    because: "RFC 9457 calls an error's body `problem details`",
  },
];

/** What the thing is called, when `name` holds a word that it is never called. */
export function forbiddenWord(path: string, name: string): string | null {
  const words = name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1 $2")
    .split(/[^A-Za-z0-9]+/)
    .map((word) => singular(word.toLowerCase()));
  for (const [index, word] of words.entries()) {
    const found = lookUp(SYNONYMS, word) ?? lookUp(PAIRS, `${word} ${words[index + 1] ?? ""}`);
    if (found !== null && !isAllowed(path, word)) return found;
  }
  return null;
}

function lookUp(table: { readonly [key: string]: string }, key: string): string | null {
  return Object.hasOwn(table, key) ? (table[key] ?? null) : null;
}

function singular(word: string): string {
  return word.endsWith("s") && !word.endsWith("ss") ? word.slice(0, -1) : word;
}

function isAllowed(path: string, word: string): boolean {
  return ALLOWED.some((row) => row.word === word && row.under.test(path));
}

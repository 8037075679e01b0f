// One run, one line of a checkpoint: an array of JSON, whose beginning is the same for all runs
// and is read byte by byte, since there may be a million.
//
// ["run_…",order,workflow,version,status,created,started,finished]      finished without more
// [… ,error,key]                                                        finished with more
// [… ,until,{rest of its JSON}] and [… ,until,{…},key]                  unfinished

import type { Failure } from "../../engine/run.js";
import { ID_LENGTH } from "./id-table.js";
import type { Sleeper } from "./live-runs.js";
import type { Row } from "./run-index.js";

/** In place of a time, of a run that does not sleep, and of one that only a command wakes. */
const AWAKE = -1;
const NO_TIME = 0;

const [QUOTE, COMMA, OPEN, CLOSE] = [...Buffer.from('",[]')];
const [BRACE, CLOSE_BRACE, N, MINUS, ZERO] = [...Buffer.from("{}n-0")];
const ID_FROM = 2;
const ROW_FROM = ID_FROM + ID_LENGTH + 1;
const NULL_LENGTH = 4;

export interface Line {
  row: Row;
  /** Where the id stands in the bytes. */
  id_from: number;
  /** Of a run that is kept whole: what follows its id and version in its JSON, and its sleep. */
  rest: string | undefined;
  until: number | null;
  is_awake: boolean;
}

export function encodeRunLine(
  id: string,
  row: Row,
  live: { rest: string; sleeper: Sleeper | undefined } | undefined,
): string {
  const { order, workflow, version, status, created, started, finished, error, key } = row;
  const times = `${created},${orNull(started)},${orNull(finished)}`;
  const begin = `["${id}",${order},${workflow},${version},${status},${times}`;
  if (live) {
    const until = live.sleeper ? (live.sleeper.until ?? NO_TIME) : AWAKE;
    return `${begin},${until},{${live.rest}${key === null ? "" : `,${JSON.stringify(key)}`}]`;
  }
  if (error === null && key === null) return `${begin}]`;
  return `${begin},${JSON.stringify(error)},${JSON.stringify(key)}]`;
}

/** Throws, or answers nonsense, for a line that is damaged: the file's CRC tells in the end. */
export function parseRunLine(bytes: Buffer, from: number, end: number): Line {
  if (bytes[from] !== OPEN || bytes[from + 1] !== QUOTE) throw new RangeError("no run's line");
  const numbers = new Numbers(bytes, from + ROW_FROM);
  const row: Row = {
    order: numbers.next(),
    workflow: numbers.next(),
    version: numbers.next(),
    status: numbers.next(),
    created: numbers.next(),
    started: numbers.next(),
    finished: numbers.next(),
    error: null,
    key: null,
  };
  const line: Line = {
    row,
    id_from: from + ID_FROM,
    rest: undefined,
    until: null,
    is_awake: false,
  };
  if (bytes[numbers.at] === CLOSE && numbers.at + 1 === end) return line;
  const first = bytes[numbers.at + 1];
  if (first === BRACE || first === N) takeMore(line, bytes.toString("utf8", numbers.at + 1, end));
  else takeLive(line, numbers, end);
  return line;
}

function takeMore({ row }: Line, text: string): void {
  const [error, key] = JSON.parse(`[${text}`) as [Failure | null, string | null];
  row.error = error;
  row.key = key;
}

function takeLive(line: Line, numbers: Numbers, end: number): void {
  const until = numbers.next();
  line.is_awake = until === AWAKE;
  line.until = until === NO_TIME ? null : until;
  const { bytes, at } = numbers;
  if (bytes[at] !== COMMA || bytes[at + 1] !== BRACE) throw new RangeError("no run's JSON");
  if (bytes[end - 2] === CLOSE_BRACE) {
    line.rest = bytes.toString("utf8", at + 2, end - 1);
    return;
  }
  const [run, key] = JSON.parse(`[${bytes.toString("utf8", at + 1, end)}`) as [object, string];
  line.rest = JSON.stringify(run).slice(1);
  line.row.key = key;
}

/** Numbers with a comma before each, one after the other; null is NaN. */
class Numbers {
  constructor(
    readonly bytes: Buffer,
    public at: number,
  ) {}

  next(): number {
    const { bytes } = this;
    if (bytes[this.at] !== COMMA) throw new RangeError("no number");
    this.at += 1;
    if (bytes[this.at] === N) {
      this.at += NULL_LENGTH;
      return Number.NaN;
    }
    const isNegative = bytes[this.at] === MINUS;
    if (isNegative) this.at += 1;
    let number = 0;
    for (;;) {
      const digit = (bytes[this.at] ?? 0) - (ZERO ?? 0);
      if (digit < 0 || digit > 9) return isNegative ? -number : number;
      number = number * 10 + digit;
      this.at += 1;
    }
  }
}

function orNull(ms: number): number | string {
  return Number.isNaN(ms) ? "null" : ms;
}

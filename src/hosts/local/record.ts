// One record of the journal, one line: CRC32, batch, first sequence number of its batch, sequence
// number, JSON. The first number is what proves that a whole record of an earlier batch is gone.

import { crc32 } from "node:zlib";
import type { Decision } from "../../engine/event.js";
import type { Run } from "../../engine/run.js";

/** The layout of journal, checkpoint and documents. Another number: another program's store. */
export const FORMAT = 3;

export interface JournalRecord {
  batch: number;
  first: number;
  seq: number;
  json: string;
}

/** What a record says. A decision that revives a finished run brings the run it goes on from. */
export type Entry =
  | (Decision & { base?: Run })
  /** Finished runs, by id, that are no longer kept. */
  | { deleted: string[] }
  /** The batch before was acknowledged: what is wrong in it is no tear. */
  | { sealed: true }
  /** Likewise, and the journal goes on in the next segment. */
  | { continued: true };

export const SEALED = JSON.stringify({ sealed: true });
export const CONTINUED = JSON.stringify({ continued: true });

/**
 * Begins a batch: an empty line. Without it one flipped newline would make one bad line of the
 * last record and its seal, or of two batches, and nothing would be left to prove the first.
 */
const BATCH_MARK = "\n";

const NEWLINE = 10;
const SPACE = 32;
const ZERO = 48;
const HEX_DIGITS = Buffer.from("0123456789abcdef");
const CRC_DIGITS = 8;
const NUMBERS = ["batch", "first", "seq"] as const;
const SMALL_BATCH_BYTES = 64 * 1024;
const MAX_KEPT_BYTES = 4 * 1024 * 1024;
/** CRC, three numbers, spaces, newlines. */
const MAX_RECORD_HEAD = 96;
/** Of one UTF-16 code unit. */
const MAX_UTF8_BYTES = 3;

/**
 * Makes the bytes of batches, always in the same memory: those of one are good until the next. As
 * texts, each record would be copied four times on its way.
 */
export class BatchBuffer {
  #bytes = Buffer.allocUnsafe(SMALL_BATCH_BYTES);

  /** Its mark, and a record for each JSON; the first has the number `first`. */
  encode(batch: number, first: number, jsons: readonly string[]): Buffer {
    // One large batch must not keep its memory for good.
    if (this.#bytes.length > MAX_KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(SMALL_BATCH_BYTES);
    let end = this.#roomFor(0, BATCH_MARK).write(BATCH_MARK, 0);
    let seq = first;
    for (const json of jsons) {
      end = writeRecord(this.#roomFor(end, json), end, [batch, first, seq], json);
      seq += 1;
    }
    return this.#bytes.subarray(0, end);
  }

  #roomFor(end: number, json: string): Buffer {
    const isShort = json.length < SMALL_BATCH_BYTES;
    const bytes = isShort ? json.length * MAX_UTF8_BYTES : Buffer.byteLength(json);
    const needed = end + MAX_RECORD_HEAD + bytes;
    if (needed <= this.#bytes.length) return this.#bytes;
    const larger = Buffer.allocUnsafe(2 * needed);
    this.#bytes.copy(larger, 0, 0, end);
    this.#bytes = larger;
    return larger;
  }
}

/** Answers where it ends. */
function writeRecord(into: Buffer, from: number, numbers: readonly number[], json: string): number {
  const body = from + CRC_DIGITS + 1;
  let end = body;
  for (const number of numbers) {
    end = writeDecimal(into, end, number);
    into[end] = SPACE;
    end += 1;
  }
  end += into.write(json, end);
  let crc = crc32(into.subarray(body, end));
  for (let at = from + CRC_DIGITS - 1; at >= from; at -= 1) {
    into[at] = HEX_DIGITS[crc & 15] ?? 0;
    crc >>>= 4;
  }
  into[body - 1] = SPACE;
  into[end] = NEWLINE;
  return end + 1;
}

function writeDecimal(into: Buffer, from: number, number: number): number {
  let end = from + 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end += 1;
  let rest = number;
  for (let at = end - 1; at >= from; at -= 1) {
    into[at] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return end;
}

/** Undefined: not a whole record. A million of them may be read at a start: so, byte by byte. */
export function parseRecord(
  bytes: Buffer,
  from = 0,
  end = bytes.length,
): JournalRecord | undefined {
  if (!hasItsCrc(bytes, from, end)) return undefined;
  const record = { batch: 0, first: 0, seq: 0, json: "" };
  let at = from + CRC_DIGITS;
  for (const name of NUMBERS) {
    let number = 0;
    for (at += 1; bytes[at] !== SPACE; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (at >= end || digit < 0 || digit > 9) return undefined;
      number = number * 10 + digit;
    }
    record[name] = number;
  }
  record.json = bytes.toString("utf8", at + 1, end);
  return record;
}

export function encodeLine(body: string): string {
  return `${crcDigits(crc32(body))} ${body}\n`;
}

/** What stands behind the CRC, if that is right. */
export function parseLine(line: Buffer): string | undefined {
  return hasItsCrc(line, 0, line.length) ? line.toString("utf8", CRC_DIGITS + 1) : undefined;
}

/** Every byte counts, also the CRC's own: its digits are compared as they are written. */
function hasItsCrc(bytes: Buffer, from: number, end: number): boolean {
  const begin = from + CRC_DIGITS;
  if (end <= begin || bytes[begin] !== SPACE) return false;
  let crc = crc32(bytes.subarray(begin + 1, end));
  for (let at = begin - 1; at >= from; at -= 1) {
    if (bytes[at] !== HEX_DIGITS[crc & 15]) return false;
    crc >>>= 4;
  }
  return true;
}

export function crcDigits(crc: number): string {
  return crc.toString(16).padStart(CRC_DIGITS, "0");
}

/** Where the next byte is that is no newline; the end, if none is. */
export function skipFiller(bytes: Buffer, from: number): number {
  let at = from;
  let size = FILLER.length;
  while (bytes[at] === NEWLINE) {
    if (bytes[at + 1] !== NEWLINE) return at + 1;
    // Segments are mostly filler when they are young: compare it by the block, then by less.
    while (!isFiller(bytes, at, size)) size /= 2;
    at += size;
  }
  return at;
}

function isFiller(bytes: Buffer, at: number, size: number): boolean {
  return bytes.length - at >= size && bytes.compare(FILLER, 0, size, at, at + size) === 0;
}

/** Where the line that begins at `from` ends: its newline, or the end. */
export function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 ? bytes.length : end;
}

export const FILLER = Buffer.alloc(64 * 1024, NEWLINE);

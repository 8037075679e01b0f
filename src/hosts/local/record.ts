// One record of the journal, one line: CRC32, batch, first sequence number of its batch, sequence
// number, JSON. The first number is what proves that a whole record of an earlier batch is gone.

import { crc32 } from "node:zlib";
import type { Decision } from "../../engine/event.js";
import type { Run } from "../../engine/run.js";

/** The layout of journal, checkpoint and documents. Another number: another program's store. */
export const FORMAT = 1;

export interface JournalRecord {
  batch: number;
  first: number;
  seq: number;
  json: string;
}

/** What a record says. A decision that revives a finished run brings the run it goes on from. */
export type Entry =
  | (Decision & { base?: Run })
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
export const BATCH_MARK = "\n";

const NEWLINE = 10;
const CRC_DIGITS = 8;

export function encodeRecord(batch: number, first: number, seq: number, json: string): string {
  return encodeLine(`${batch} ${first} ${seq} ${json}`);
}

/** Undefined: not a whole record. */
export function parseRecord(line: Buffer): JournalRecord | undefined {
  const body = parseLine(line);
  if (body === undefined) return undefined;
  const json = body.indexOf("{");
  if (json < 0) return undefined;
  const [batch, first, seq] = body.slice(0, json).split(" ").map(Number);
  if (!batch || !first || !seq) return undefined;
  return { batch, first, seq, json: body.slice(json) };
}

export function encodeLine(body: string): string {
  return `${crcDigits(crc32(body))} ${body}\n`;
}

/** What stands behind the CRC, if that is right. Every byte counts, also the CRC's own. */
export function parseLine(line: Buffer): string | undefined {
  if (line.length <= CRC_DIGITS) return undefined;
  const body = line.subarray(CRC_DIGITS + 1);
  const head = `${crcDigits(crc32(body))} `;
  if (line.toString("latin1", 0, CRC_DIGITS + 1) !== head) return undefined;
  return body.toString();
}

export function crcDigits(crc: number): string {
  return crc.toString(16).padStart(CRC_DIGITS, "0");
}

/** Where the next byte is that is no newline; the end, if none is. */
export function skipFiller(bytes: Buffer, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] === NEWLINE) {
    const size = FILLER.length;
    // Segments are mostly filler when they are young: compare it by the block.
    if (bytes.length - at >= size && bytes.compare(FILLER, 0, size, at, at + size) === 0)
      at += size;
    else at += 1;
  }
  return at;
}

/** Where the line that begins at `from` ends: its newline, or the end. */
export function lineEnd(bytes: Buffer, from: number): number {
  const end = bytes.indexOf(NEWLINE, from);
  return end < 0 ? bytes.length : end;
}

export const FILLER = Buffer.alloc(64 * 1024, NEWLINE);

// Segments: the journal's files, written full of newlines before they are used, since an append
// that grows a file makes the file system commit its metadata too.

import { join } from "node:path";
import type { Disk } from "./disk.js";
import { replaceDurably, writeAll, writeLater } from "./files.js";
import { encodeLine, FILLER, FORMAT, lineEnd, parseLine } from "./record.js";
import { StoreError } from "./store-error.js";

const DIGITS = 8;
const NAME = /^(\d{8,})\.jsonl$/;

export function segmentPath(folder: string, segment: number): string {
  return join(folder, segmentName(segment));
}

export function segmentName(segment: number): string {
  return `${String(segment).padStart(DIGITS, "0")}.jsonl`;
}

/** The numbers of the segments in a folder, ascending. */
export function listSegments(disk: Disk, folder: string): number[] {
  const numbers = disk.readdir(folder).flatMap((name) => {
    const digits = NAME.exec(name)?.[1];
    return digits === undefined ? [] : [Number(digits)];
  });
  return numbers.sort((a, b) => a - b);
}

/** Makes a segment at once. Under its own name it is always whole. */
export function createSegment(disk: Disk, folder: string, segment: number, size: number): void {
  const path = segmentPath(folder, segment);
  const fd = disk.open(`${path}.tmp`, "create");
  try {
    for (const { bytes, position } of blank(segment, size)) writeAll(disk, fd, bytes, position);
    disk.sync(fd);
  } finally {
    disk.close(fd);
  }
  disk.rename(`${path}.tmp`, path);
  disk.syncFolder(folder);
}

/** The same in the background. */
export async function createSegmentLater(
  disk: Disk,
  folder: string,
  segment: number,
  size: number,
): Promise<void> {
  await replaceDurably(disk, segmentPath(folder, segment), async (fd) => {
    for (const { bytes, position } of blank(segment, size)) {
      await writeLater(disk, fd, bytes, position);
    }
  });
}

/** Where a segment's first record stands. */
export function headerLength(segment: number): number {
  return Buffer.byteLength(header(segment));
}

/** Throws for a segment that is not ours to read. */
export function checkHeader(bytes: Buffer, segment: number, path: string): void {
  const body = parseLine(bytes.subarray(0, lineEnd(bytes, 0)));
  const place = { file: path, offset: 0 };
  if (body === undefined) {
    const message = `The first line of ${path} is damaged. Restore the file from a backup.`;
    throw new StoreError("rot", message, place);
  }
  const { format, segment: named } = JSON.parse(body) as { format: number; segment: number };
  if (format !== FORMAT) throw formatError(path, format);
  if (named !== segment) {
    const message =
      `${path} says that it is segment ${named}: it was renamed or copied. ` +
      "Put the journal's files back as they were.";
    throw new StoreError("rot", message, place);
  }
}

export function formatError(file: string, format: unknown): StoreError {
  const message =
    `${file} has format ${String(format)}, and this program reads format ${FORMAT}. ` +
    "Start it with the program that wrote it, or choose another folder with --store.";
  return new StoreError("format", message, { file });
}

function header(segment: number): string {
  return encodeLine(JSON.stringify({ format: FORMAT, segment }));
}

function* blank(segment: number, size: number): Generator<{ bytes: Buffer; position: number }> {
  const first = Buffer.from(header(segment));
  yield { bytes: first, position: 0 };
  for (let position = first.length; position < size; position += FILLER.length) {
    yield { bytes: FILLER.subarray(0, Math.min(FILLER.length, size - position)), position };
  }
}

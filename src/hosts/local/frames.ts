// The frames of a checkpoint: a line of JSON, and as many bytes behind it as it says.
//
// <crc> {…,"bytes":[16,9]}
// <16 bytes><9 bytes><crc> {…
//
// The CRC is that of all lines and bytes so far, so that no frame can be missing or elsewhere.

import { crc32 } from "node:zlib";
import type { Disk } from "./disk.js";
import { crcDigits, lineEnd } from "./record.js";

/** Bytes of a CRC and the blank behind it. */
const BEGIN = 9;
/** Bytes read in search of a line's end: nearly always enough. */
const LINE_BYTES = 4096;
/** Bytes of a part that are read at once: they are still near the processor for their CRC. */
const PART_BYTES = 256 * 1024;

export interface Frame {
  head: object;
  parts: readonly Uint8Array[];
}

/** Answers the bytes of one frame after the other. */
export function frameEncoder(): (frame: Frame) => Buffer {
  let crc = 0;
  return ({ head, parts }) => {
    const bytes = parts.map(({ length }) => length);
    const json = JSON.stringify({ ...head, bytes });
    crc = parts.reduce((sum, part) => crc32(part, sum), crc32(json, crc));
    return Buffer.concat([Buffer.from(`${crcDigits(crc)} ${json}\n`), ...parts]);
  };
}

/** A frame that is not whole, or not what was written. */
export class DamagedFrame extends Error {}

export class FrameReader {
  /** Where the frame at hand begins. */
  offset = 0;
  #at = 0;
  #crc = 0;
  /** The line at hand is read into it. */
  #buffer: Buffer = Buffer.allocUnsafe(LINE_BYTES);
  readonly size: number;

  constructor(
    readonly disk: Disk,
    readonly fd: number,
  ) {
    this.size = disk.size(fd);
  }

  get isAtEnd(): boolean {
    return this.#at === this.size;
  }

  /** The next frame, each part in the memory that `room` gives for it. */
  next(room: (bytes: number, head: object) => Buffer): { head: object; parts: Buffer[] } {
    this.offset = this.#at;
    const line = this.#line();
    const json = line.toString("utf8", BEGIN);
    const head = parse(json);
    this.#at += line.length + 1;
    this.#crc = crc32(line.subarray(BEGIN), this.#crc);
    const parts = this.#lengths(head).map((bytes) => {
      const part = room(bytes, head);
      this.#fill(part);
      return part;
    });
    if (line.toString("latin1", 0, BEGIN) !== `${crcDigits(this.#crc)} `) throw new DamagedFrame();
    return { head, parts };
  }

  #line(): Buffer {
    for (;;) {
      const bytes = this.#buffer;
      const read = this.disk.read(this.fd, bytes, this.#at);
      const end = lineEnd(bytes.subarray(0, read), 0);
      if (end < read) return bytes.subarray(0, end);
      if (read < bytes.length) throw new DamagedFrame();
      this.#buffer = Buffer.allocUnsafe(2 * bytes.length);
    }
  }

  /** Checked before there is a CRC: they must not ask for more memory than the file takes. */
  #lengths(head: object): number[] {
    const lengths: unknown = "bytes" in head ? head.bytes : undefined;
    if (!Array.isArray(lengths)) throw new DamagedFrame();
    let end = this.#at;
    for (const length of lengths) {
      if (!Number.isSafeInteger(length) || length < 0) throw new DamagedFrame();
      end += length;
    }
    if (end > this.size) throw new DamagedFrame();
    return lengths;
  }

  #fill(part: Buffer): void {
    for (let filled = 0; filled < part.length; ) {
      const rest = part.subarray(filled, filled + PART_BYTES);
      const read = this.disk.read(this.fd, rest, this.#at);
      if (read === 0) throw new DamagedFrame();
      this.#crc = crc32(rest.subarray(0, read), this.#crc);
      filled += read;
      this.#at += read;
    }
  }
}

function parse(json: string): object {
  try {
    const head: unknown = JSON.parse(json);
    if (typeof head === "object" && head !== null) return head;
  } catch {
    // Told below, like a line that is no object.
  }
  throw new DamagedFrame();
}

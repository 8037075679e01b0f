// Whole files, written so that a reader never sees half of one.

import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Json } from "../../flow/json.js";
import { type Disk, nodeDisk, type OpenMode } from "./disk.js";
import { diskError, errorCode } from "./store-error.js";

/** Resolves when file and name are on disk; a power cut leaves the old file or the new one. */
export async function writeDurable(path: string, text: string, disk = nodeDisk): Promise<void> {
  temporaries += 1;
  // Two may write one file at once: each has a temporary one of its own.
  const write = (fd: number) => writeLater(disk, fd, Buffer.from(text), 0);
  await replaceDurably(disk, path, write, `${path}.${temporaries}.tmp`);
}

/** The same for a file that `write` fills bit by bit; what it leaves unfinished is removed. */
export async function replaceDurably(
  disk: Disk,
  path: string,
  write: (fd: number) => Promise<void>,
  temporary = `${path}.tmp`,
): Promise<void> {
  const fd = disk.open(temporary, "create");
  try {
    await write(fd);
    await later((done) => disk.syncLater(fd, done));
  } catch (error) {
    unlinkIfThere(disk, temporary);
    throw error;
  } finally {
    disk.close(fd);
  }
  disk.rename(temporary, path);
  await later((done) => disk.syncFolderLater(dirname(path), done));
}

/** The same at once. */
export function writeDurableNow(path: string, text: string, disk = nodeDisk): void {
  const fd = disk.open(`${path}.tmp`, "create");
  try {
    writeAll(disk, fd, Buffer.from(text), 0);
    disk.sync(fd);
  } finally {
    disk.close(fd);
  }
  disk.rename(`${path}.tmp`, path);
  disk.syncFolder(dirname(path));
}

/** No reader sees half a file, but after a power cut it may be torn, or the old one. */
export function writeAtomic(path: string, text: string, disk = nodeDisk): void {
  const temporary = `${path}.tmp`;
  const fd = disk.open(temporary, "create");
  try {
    writeAll(disk, fd, Buffer.from(text), 0);
  } finally {
    disk.close(fd);
  }
  disk.rename(temporary, path);
}

/** Undefined: there is no such file, or it is not whole. */
export async function readJson(path: string): Promise<Json | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Json;
  } catch (error) {
    if (error instanceof SyntaxError || errorCode(error) === "ENOENT") return undefined;
    throw diskError("reading", path, error);
  }
}

let temporaries = 0;

export function writeAll(disk: Disk, fd: number, bytes: Uint8Array, position: number): void {
  const written = disk.write(fd, bytes, position);
  if (written !== bytes.length) throw shortWrite(written, bytes.length);
}

export async function writeLater(
  disk: Disk,
  fd: number,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  await later((done) =>
    disk.writeLater(fd, bytes, position, (error, written) =>
      done(error ?? (written === bytes.length ? null : shortWrite(written, bytes.length))),
    ),
  );
}

export function shortWrite(written: number, length: number): Error {
  return new Error(`only ${written} of ${length} bytes were written`);
}

function later(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()));
  });
}

/** Undefined: there is no such file. */
export function readWhole(disk: Disk, path: string): Buffer | undefined {
  const fd = openIfThere(disk, path, "read");
  if (fd === undefined) return undefined;
  try {
    const bytes = Buffer.allocUnsafe(disk.size(fd));
    let length = 0;
    while (length < bytes.length) {
      const read = disk.read(fd, bytes.subarray(length), length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    disk.close(fd);
  }
}

export function openIfThere(disk: Disk, path: string, mode: OpenMode): number | undefined {
  try {
    return disk.open(path, mode);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

export function unlinkIfThere(disk: Disk, path: string): void {
  try {
    disk.unlink(path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
}

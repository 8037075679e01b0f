// The store: journal, checkpoint, documents, index and lock of one folder, behind one face.

import { endianness } from "node:os";
import { dirname, join, resolve } from "node:path";
import { FIRST_SEGMENT_BYTES } from "../../limits.js";
import { checkpointPath } from "./checkpoint.js";
import { type Disk, nodeDisk } from "./disk.js";
import { openIfThere, readWhole, writeDurableNow } from "./files.js";
import { LocalStore } from "./local-store.js";
import { takeLock } from "./lock.js";
import { FORMAT } from "./record.js";
import { journalFolder, recover } from "./recovery.js";
import { createSegment, formatError, listSegments } from "./segment.js";
import { diskError, errorCode, StoreError } from "./store-error.js";
import type { Store, StoreOptions } from "./store-types.js";

export type { Store, StoreOptions } from "./store-types.js";

/** The file that says which format the store has. Written last, when a store is made. */
export const ABOUT = "store.json";
/** Why a folder above the store cannot be synced, where it need not be. */
const NOT_OURS = new Set(["EACCES", "EPERM", "EROFS", "EINVAL"]);

/** Takes the store, makes it where there is none, and recovers it. Rejects with a StoreError. */
export async function openStore(folder: string, options: StoreOptions): Promise<Store> {
  const store = resolve(folder);
  const disk = options.disk ?? nodeDisk;
  let { lock } = options;
  try {
    disk.mkdir(store);
    lock ??= takeLock(store);
    checkByteOrder(store);
    prepare(disk, store, options.first_segment_bytes ?? FIRST_SEGMENT_BYTES);
    return new LocalStore(store, lock, recover(disk, store), options);
  } catch (error) {
    lock?.release();
    throw errorCode(error) === undefined ? error : diskError("opening the store", store, error);
  }
}

/** A checkpoint has numbers as they stand in memory, and the hashes of ids go by their bytes. */
function checkByteOrder(store: string): void {
  if (endianness() === "LE") return;
  const message =
    `The store ${store} cannot be used on this machine, whose processor has the byte order of ` +
    "big-endian: use one of another kind, such as x86-64 or ARM.";
  throw new StoreError("unsupported", message, { file: store });
}

/** Makes what is missing of a new store, in an order in which every prefix is one, too. */
function prepare(disk: Disk, store: string, segmentBytes: number): void {
  for (const name of ["journal", "runs", "versions"]) disk.mkdir(join(store, name));
  const about = readWhole(disk, join(store, ABOUT));
  if (about) {
    checkFormat(join(store, ABOUT), about.toString());
    return;
  }
  syncAbove(disk, store);
  writeDurableNow(join(store, ".gitignore"), "*\n", disk);
  const journal = journalFolder(store);
  if (listSegments(disk, journal).length === 0 && !hasCheckpoint(disk, store)) {
    createSegment(disk, journal, 1, segmentBytes);
  }
  writeDurableNow(join(store, ABOUT), `${JSON.stringify({ format: FORMAT })}\n`, disk);
}

/** Folders above it may be as new as the store, and are lost with their names. */
function syncAbove(disk: Disk, store: string): void {
  for (let above = dirname(store); ; above = dirname(above)) {
    try {
      disk.syncFolder(above);
    } catch (error) {
      // What we may not open we have not made; nor can a name be new on what is only read.
      if (!NOT_OURS.has(errorCode(error) ?? "")) throw error;
    }
    if (above === dirname(above)) return;
  }
}

function hasCheckpoint(disk: Disk, store: string): boolean {
  const fd = openIfThere(disk, checkpointPath(store), "read");
  if (fd !== undefined) disk.close(fd);
  return fd !== undefined;
}

export function checkFormat(file: string, text: string): void {
  let format: unknown;
  try {
    format = (JSON.parse(text) as { format?: unknown }).format;
  } catch {
    format = "unreadable";
  }
  if (format !== FORMAT) throw formatError(file, format);
}

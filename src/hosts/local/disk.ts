// The few things that the store asks of a disk. All its files go through this port, so that a
// test can record writes and syncs, refuse them, and build every state a power cut could leave.

import { spawnSync } from "node:child_process";
import fs from "node:fs";

/** `commit`: each write is on disk when it answers. `create`: empties a file that is there. */
export type OpenMode = "read" | "write" | "create" | "commit";

export type Written = (error: Error | null, written: number) => void;
export type Done = (error: Error | null) => void;

export interface Disk {
  open(path: string, mode: OpenMode): number;
  close(fd: number): void;
  size(fd: number): number;
  /** Bytes read; 0 at the end of the file. */
  read(fd: number, into: Uint8Array, position: number): number;
  /** Bytes written, which may be fewer than asked for. */
  write(fd: number, bytes: Uint8Array, position: number): number;
  sync(fd: number): void;
  syncFolder(path: string): void;
  /**
   * Makes all that a folder has durable, for the price of a few syncs. False: this system cannot,
   * or will not say that it did; then each file must be synced.
   */
  syncTree(path: string): boolean;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** With the folders above it; nothing happens when it is there. */
  mkdir(path: string): void;
  readdir(path: string): string[];

  // The same in the background, by callback: the cheapest form that Node has.

  /**
   * A write through a descriptor opened as `commit`: on disk when it calls back. `mayBlock`: it may
   * do so before it returns, which saves the way to another thread and back.
   */
  commit(fd: number, bytes: Uint8Array, position: number, done: Written, mayBlock?: boolean): void;
  writeLater(fd: number, bytes: Uint8Array, position: number, done: Written): void;
  syncLater(fd: number, done: Done): void;
  syncFolderLater(path: string, done: Done): void;
}

const { O_CREAT, O_RDONLY, O_RDWR, O_TRUNC } = fs.constants;
/** macOS promises less by O_DSYNC than by F_FULLFSYNC, which is what fdatasync does there. */
const SYNC_AFTER_WRITE = process.platform !== "linux";
const O_COMMIT = SYNC_AFTER_WRITE ? O_RDWR : O_RDWR | fs.constants.O_DSYNC;

const FLAGS: { readonly [mode in OpenMode]: number } = {
  read: O_RDONLY,
  write: O_RDWR,
  create: O_RDWR | O_CREAT | O_TRUNC,
  commit: O_COMMIT,
};

/** Contexts and outputs may be confidential: files are their owner's alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

export const nodeDisk: Disk = {
  open: (path, mode) => fs.openSync(path, FLAGS[mode], FILE_MODE),
  close: (fd) => fs.closeSync(fd),
  size: (fd) => fs.fstatSync(fd).size,
  read: (fd, into, position) => fs.readSync(fd, into, 0, into.length, position),
  write: (fd, bytes, position) => fs.writeSync(fd, bytes, 0, bytes.length, position),
  sync: (fd) => fs.fsyncSync(fd),
  syncFolder(path) {
    const fd = fs.openSync(path, O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  // Node has no syncfs, and a sync of each of ten thousand files takes half a minute.
  syncTree: (path) => process.platform === "linux" && spawnSync("sync", ["-f", path]).status === 0,
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  mkdir: (path) => void fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE }),
  readdir: (path) => fs.readdirSync(path),

  commit(fd, bytes, position, done, mayBlock = false) {
    if (mayBlock) {
      commitNow(fd, bytes, position, done);
      return;
    }
    fs.write(fd, bytes, 0, bytes.length, position, (error, written) => {
      if (error || !SYNC_AFTER_WRITE) done(error, written);
      else fs.fdatasync(fd, (failed) => done(failed, written));
    });
  },
  writeLater: (fd, bytes, position, done) => fs.write(fd, bytes, 0, bytes.length, position, done),
  syncLater: (fd, done) => fs.fsync(fd, done),
  syncFolderLater(path, done) {
    fs.open(path, O_RDONLY, (error, fd) => {
      if (error) done(error);
      else fs.fsync(fd, (failed) => fs.close(fd, (unclosed) => done(failed ?? unclosed ?? null)));
    });
  },
};

function commitNow(fd: number, bytes: Uint8Array, position: number, done: Written): void {
  let written: number;
  try {
    written = fs.writeSync(fd, bytes, 0, bytes.length, position);
    if (SYNC_AFTER_WRITE) fs.fdatasyncSync(fd);
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), 0);
    return;
  }
  done(null, written);
}

// The store's lock: one owner at a time. The kernel holds it on an open descriptor and frees it
// on any death; what the file says is only for others to find the owner, and never trusted.

import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { nodeDisk } from "./disk.js";
import { diskError, errorCode, type Owner, StoreError } from "./store-error.js";

export interface Lock {
  /** Says in the lock file where the owner listens. */
  setAddress(url: string): void;
  release(): void;
}

const { O_CREAT, O_NONBLOCK, O_RDWR } = fs.constants;
/** macOS: the lock is taken as the file is opened. Node has no name for it. */
const O_EXLOCK = 0x20;
/** The file has one length, so that a reader never sees the end of a longer text. */
const TEXT_LENGTH = 512;

/**
 * Makes the store's folder where there is none. Throws a StoreError; of the kind `locked`, with the
 * owner, when another process has the store.
 */
export function takeLock(store: string): Lock {
  try {
    nodeDisk.mkdir(store);
    return take(lockPath(store), store);
  } catch (error) {
    throw errorCode(error) === undefined ? error : diskError("opening the store", store, error);
  }
}

function take(path: string, store: string): Lock {
  const fd = open(path, store);
  try {
    writeOwner(fd, { pid: process.pid });
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  return {
    setAddress: (url) => writeOwner(fd, { pid: process.pid, url }),
    release: () => fs.closeSync(fd),
  };
}

/** What the lock file says; the owner may be gone. */
export async function readOwner(store: string): Promise<Owner | undefined> {
  try {
    return parseOwner(await readFile(lockPath(store), "utf8"));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

function lockPath(store: string): string {
  return join(store, "lock");
}

function open(path: string, store: string): number {
  if (process.platform === "linux") return openLinux(path, store);
  if (process.platform === "darwin") return openDarwin(path, store);
  const message =
    `On ${process.platform} there is no lock that the system frees when its owner dies, and ` +
    "without one two processes could write the same store. Use Linux (WSL will do) or macOS.";
  throw new StoreError("unsupported", message, { file: path });
}

function openLinux(path: string, store: string): number {
  const fd = fs.openSync(path, O_RDWR | O_CREAT, 0o600);
  try {
    flock(fd, path, store);
    // The file that was locked may have been deleted, and another made, between open and lock.
    if (fs.fstatSync(fd).ino === fs.statSync(path, { throwIfNoEntry: false })?.ino) return fd;
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return openLinux(path, store);
}

/** The helper locks the open file that we share with it; the lock stays with our descriptor. */
function flock(fd: number, path: string, store: string): void {
  const { status, error, stderr } = spawnSync("flock", ["-n", "3"], {
    stdio: ["ignore", "ignore", "pipe", fd],
  });
  if (status === 0) return;
  if (status === 1) throw lockedError(path, store);
  const reason = error?.message ?? (String(stderr).trim() || `it ended with ${status}`);
  const message =
    `The store ${store} cannot be locked, since the command "flock" does not work: ${reason}. ` +
    "Install util-linux (or busybox), which brings it.";
  throw new StoreError("unsupported", message, { file: path });
}

function openDarwin(path: string, store: string): number {
  try {
    return fs.openSync(path, O_RDWR | O_CREAT | O_NONBLOCK | O_EXLOCK, 0o600);
  } catch (error) {
    if (errorCode(error) === "EAGAIN") throw lockedError(path, store);
    throw error;
  }
}

function lockedError(path: string, store: string): StoreError {
  const owner = parseOwner(fs.readFileSync(path, "utf8"));
  const who = owner ? `process ${owner.pid}${owner.url ? ` at ${owner.url}` : ""}` : "a process";
  const message =
    `The store ${store} is in use by ${who}. Stop it first, talk to it, or choose another ` +
    "folder with --store.";
  return new StoreError("locked", message, { file: path, ...(owner ? { owner } : {}) });
}

function writeOwner(fd: number, owner: Owner): void {
  fs.writeSync(fd, `${JSON.stringify(owner).padEnd(TEXT_LENGTH - 1)}\n`, 0);
}

function parseOwner(text: string): Owner | undefined {
  try {
    const { pid, url } = JSON.parse(text) as { pid: unknown; url?: unknown };
    if (typeof pid !== "number") return undefined;
    return typeof url === "string" ? { pid, url } : { pid };
  } catch {
    return undefined;
  }
}

// Which states a disk can have after a power cut: each change that no sync covers is there, or not,
// or half, whatever became of the others.

import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { type Change, ROOT, type SimDisk } from "./sim-disk.js";

/** 0 ≤ x < 1, the same for the same seed. */
export type Chance = () => number;

export interface State {
  tree: [path: string, bytes: Buffer | null][];
  /** The same for the same state. */
  hash: string;
}

/** What becomes of the changes of one file or folder that are not durable. */
type Fate = "none" | "all" | "some" | "torn";

interface Kept<T> {
  change: T;
  at: number;
  isDurable: boolean;
}

type FileChange = Extract<Change, { kind: "write" | "truncate" }>;
type FolderChange = Extract<Change, { kind: "link" | "rename" | "unlink" }>;

interface FileImage {
  base: Buffer;
  changes: Kept<FileChange>[];
}

interface FolderImage {
  base: Map<string, number>;
  changes: Kept<FolderChange>[];
}

const FATES: readonly Fate[] = ["none", "all", "some", "torn", "torn"];
/** Bytes that reach the disk together or not at all; or, 1: some bytes from one end. */
const GRAINS = [512, 64, 1];

export function chance(seed: number): Chance {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Follows a log, and tells at each place of it what a cut could leave. */
export class PowerCut {
  readonly #files = new Map<number, FileImage>();
  readonly #folders = new Map<number, FolderImage>();
  /** Of each place of the log. */
  readonly #changed: number[] = [];
  /** Those with changes that are not folded into their base. */
  readonly #open = new Set<number>();
  readonly #hashes = new WeakMap<Buffer, string>();
  #at = 0;

  /** `disk`: as it was before the log began; all of that is durable. */
  constructor(disk?: SimDisk) {
    this.#folders.set(ROOT, { base: new Map(), changes: [] });
    if (disk && disk.log.length > 0) throw new Error("give the disk before its log begins");
    disk?.each((inode, node) => {
      if (Buffer.isBuffer(node)) this.#files.set(inode, { base: node, changes: [] });
      else this.#folders.set(inode, { base: new Map(node), changes: [] });
    });
  }

  /** Whether states differ: something is not durable. */
  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  take(change: Change): void {
    const at = this.#at;
    this.#at += 1;
    this.#changed.push("inode" in change && change.kind !== "sync" ? change.inode : 0);
    switch (change.kind) {
      case "write":
      case "truncate":
        this.#file(change.inode).changes.push({ change, at, isDurable: false });
        this.#open.add(change.inode);
        break;
      case "link":
        if (change.isFolder) this.#folders.set(change.to, { base: new Map(), changes: [] });
        this.#folder(change.inode).changes.push({ change, at, isDurable: false });
        this.#open.add(change.inode);
        break;
      case "rename":
      case "unlink":
        this.#folder(change.inode).changes.push({ change, at, isDurable: false });
        this.#open.add(change.inode);
        break;
      case "sync":
        this.#settle(change.inode, (kept) => kept.at < change.before);
        break;
      case "synced":
        this.#settle(this.#changed[change.change] ?? 0, (kept) => kept.at === change.change);
        break;
      case "sync_all":
        for (const inode of [...this.#open]) this.#settle(inode, (k) => k.at < change.before);
    }
  }

  /** One of the states. The first two are those where nothing more, and where all, came through. */
  state(number: number, next: Chance): State {
    const fate = (): Fate => {
      if (number < 2) return number === 0 ? "none" : "all";
      return FATES[Math.floor(next() * FATES.length)] ?? "some";
    };
    const folders = new Map<number, Map<string, number>>();
    const files = new Map<number, Buffer>();
    for (const inode of this.#open) {
      const folder = this.#folders.get(inode);
      if (folder) folders.set(inode, namesAfter(folder, fate(), next));
      else files.set(inode, bytesAfter(this.#file(inode), fate(), next));
    }
    const tree: State["tree"] = [];
    const visit = (inode: number, prefix: string): void => {
      for (const [name, to] of folders.get(inode) ?? this.#folder(inode).base) {
        const path = `${prefix}${name}`;
        if (this.#folders.has(to)) {
          tree.push([path, null]);
          visit(to, `${path}/`);
        } else tree.push([path, files.get(to) ?? this.#file(to).base]);
      }
    };
    visit(ROOT, "");
    return { tree, hash: this.#hash(tree) };
  }

  #hash(tree: State["tree"]): string {
    const sum = createHash("sha1");
    for (const [path, bytes] of tree) sum.update(`${path} ${bytes && this.#hashOf(bytes)}\n`);
    return sum.digest("base64");
  }

  #hashOf(bytes: Buffer): string {
    const known = this.#hashes.get(bytes);
    if (known !== undefined) return known;
    const hash = `${bytes.length} ${crc32(bytes)}`;
    this.#hashes.set(bytes, hash);
    return hash;
  }

  /** Folds what is durable, and nothing that is not precedes it, into the base. */
  #settle(inode: number, isCovered: (kept: { at: number }) => boolean): void {
    const image = this.#folders.get(inode) ?? this.#files.get(inode);
    if (!image) return;
    for (const kept of image.changes) if (isCovered(kept)) kept.isDurable = true;
    const first = image.changes.findIndex(({ isDurable }) => !isDurable);
    const folded = image.changes.splice(0, first < 0 ? image.changes.length : first);
    if (image.changes.length === 0) this.#open.delete(inode);
    if (folded.length === 0) return;
    const done = { base: image.base, changes: folded };
    if (Buffer.isBuffer(done.base)) image.base = bytesAfter(done as FileImage, "all", () => 0);
    else image.base = namesAfter(done as FolderImage, "all", () => 0);
  }

  #file(inode: number): FileImage {
    const known = this.#files.get(inode) ?? { base: Buffer.alloc(0), changes: [] };
    this.#files.set(inode, known);
    return known;
  }

  #folder(inode: number): FolderImage {
    const folder = this.#folders.get(inode);
    if (!folder) throw new Error(`the log has no folder ${inode}`);
    return folder;
  }
}

function bytesAfter({ base, changes }: FileImage, fate: Fate, next: Chance): Buffer {
  let bytes: Buffer = base;
  let isOwn = false;
  for (const { change, isDurable } of changes) {
    const became = isDurable ? "all" : one(fate, next);
    if (became === "none") continue;
    if (change.kind === "truncate") {
      bytes = Buffer.alloc(0);
      isOwn = true;
      continue;
    }
    const end = change.position + change.bytes.length;
    if (!isOwn || end > bytes.length) {
      const larger = Buffer.alloc(Math.max(bytes.length, end));
      bytes.copy(larger);
      const old = bytes.length;
      bytes = became === "torn" ? tear(larger, change, next, old) : larger;
      isOwn = true;
      if (became === "torn") continue;
    } else if (became === "torn") {
      bytes = tear(bytes, change, next, bytes.length);
      continue;
    }
    change.bytes.copy(bytes, change.position);
  }
  return bytes;
}

type Write = Extract<Change, { kind: "write" }>;

/** Parts of a write, into bytes that are long enough for all of it; `size`: before the write. */
function tear(into: Buffer, { position, bytes }: Write, next: Chance, size: number): Buffer {
  const grain = GRAINS[Math.floor(next() * GRAINS.length)] ?? 512;
  const end = position + bytes.length;
  let last = Math.max(size, position);
  const put = (from: number, to: number): void => {
    bytes.copy(into, from, from - position, to - position);
    last = Math.max(last, to);
  };
  if (grain === 1) {
    const middle = position + Math.floor(next() * (bytes.length + 1));
    if (next() < 0.5) put(position, middle);
    else put(middle, end);
  } else {
    for (let from = position; from < end; ) {
      const to = Math.min(end, from - (from % grain) + grain);
      if (next() < 0.5) put(from, to);
      from = to;
    }
  }
  // A file may have its new length before it has its new bytes: then there are zeros.
  const length = next() < 0.5 ? Math.max(size, end) : Math.max(size, Math.min(last, end));
  return into.length === length ? into : into.subarray(0, length);
}

function namesAfter({ base, changes }: FolderImage, fate: Fate, next: Chance): Map<string, number> {
  const names = new Map(base);
  // What a name stands for is known from all changes, also from those that are lost.
  const meant = new Map(base);
  for (const { change, isDurable } of changes) {
    const became = isDurable ? "all" : one(fate, next);
    switch (change.kind) {
      case "link":
        meant.set(change.name, change.to);
        if (became !== "none") names.set(change.name, change.to);
        break;
      case "unlink":
        meant.delete(change.name);
        if (became !== "none") names.delete(change.name);
        break;
      case "rename": {
        const inode = meant.get(change.from) ?? 0;
        meant.delete(change.from);
        meant.set(change.to, inode);
        if (became === "none") break;
        names.set(change.to, inode);
        // Torn: the new name is there, and the old one still, too.
        if (became === "all") names.delete(change.from);
      }
    }
  }
  return names;
}

function one(fate: Fate, next: Chance): Fate {
  if (fate === "none" || fate === "all") return fate;
  const x = next();
  if (x < 0.33) return "none";
  if (x < 0.66 || fate === "some") return "all";
  return "torn";
}

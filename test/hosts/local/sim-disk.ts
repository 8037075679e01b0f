// A disk in memory that writes down each change and each sync, so that a test can tell which states
// a real one could have after a power cut, and that can die in the middle of any call.

import { relative } from "node:path";
import type { Disk, Done, OpenMode, Written } from "../../../src/hosts/local/disk.js";
import { systemError } from "./store-kit.js";

export type Change =
  | { kind: "write"; inode: number; position: number; bytes: Buffer }
  | { kind: "truncate"; inode: number }
  | { kind: "link"; inode: number; name: string; to: number; isFolder: boolean }
  | { kind: "rename"; inode: number; from: string; to: string }
  | { kind: "unlink"; inode: number; name: string }
  /** All changes of this file or folder that stand before that place of the log are on disk. */
  | { kind: "sync"; inode: number; before: number }
  /** The one change at that place is on disk. */
  | { kind: "synced"; change: number }
  | { kind: "sync_all"; before: number };

/** A tree of files, by their paths below the root; null: a folder. */
export type Tree = Iterable<readonly [path: string, bytes: Buffer | null]>;

interface File {
  bytes: Buffer;
  size: number;
  /** False: the bytes belong to another disk, too. */
  isOwn: boolean;
}

type Folder = Map<string, number>;

export const ROOT = 1;

/** How much of its last call a disk still does: nothing, a part of a write, or all. */
export type Death = "before" | "half" | "after";

export interface SimOptions {
  /** ms that a call in the background takes. */
  delay?: () => number;
  /** Dies in this call, counted from 1 over all that write or sync. */
  dies?: { at: number; how: Death };
}

export class SimDisk implements Disk {
  readonly log: Change[] = [];
  isDead = false;
  calls = 0;
  readonly #folders = new Map<number, Folder>([[ROOT, new Map()]]);
  readonly #files = new Map<number, File>();
  readonly #fds = new Map<number, number>();
  #inodes = ROOT;
  #lastFd = 0;

  constructor(
    readonly root: string,
    tree: Tree = [],
    readonly options: SimOptions = {},
  ) {
    for (const [path, bytes] of tree) this.#plant(path, bytes);
  }

  /** What is there, whether it is on disk or not. */
  tree(): [string, Buffer | null][] {
    const found: [string, Buffer | null][] = [];
    const visit = (inode: number, prefix: string): void => {
      for (const [name, to] of this.#folders.get(inode) ?? []) {
        const path = `${prefix}${name}`;
        if (this.#folders.has(to)) {
          found.push([path, null]);
          visit(to, `${path}/`);
        } else found.push([path, Buffer.from(this.#content(to))]);
      }
    };
    visit(ROOT, "");
    return found;
  }

  /** Every file and folder, also those that no name leads to. */
  each(visit: (inode: number, node: Buffer | ReadonlyMap<string, number>) => void): void {
    for (const [inode, names] of this.#folders) visit(inode, names);
    for (const inode of this.#files.keys()) visit(inode, this.#content(inode));
  }

  /** A file's bytes, by its path. */
  bytes(path: string): Buffer | undefined {
    const inode = this.#find(path);
    if (inode === undefined || this.#folders.has(inode)) return undefined;
    const { bytes, size, isOwn } = this.#file(inode);
    return isOwn ? Buffer.from(bytes.subarray(0, size)) : bytes;
  }

  open(path: string, mode: OpenMode): number {
    if (this.isDead) throw systemError("EIO");
    let inode = this.#find(path);
    if (mode === "create") inode = this.#create(path, inode);
    if (inode === undefined || !this.#files.has(inode)) throw systemError("ENOENT");
    this.#lastFd += 1;
    this.#fds.set(this.#lastFd, inode);
    return this.#lastFd;
  }

  close(fd: number): void {
    this.#fds.delete(fd);
  }

  size(fd: number): number {
    return this.#file(this.#inode(fd)).size;
  }

  read(fd: number, into: Uint8Array, position: number): number {
    const { bytes, size } = this.#file(this.#inode(fd));
    const length = Math.max(0, Math.min(into.length, size - position));
    into.set(bytes.subarray(position, position + length));
    return length;
  }

  write(fd: number, bytes: Uint8Array, position: number): number {
    this.#act(() => this.#write(fd, bytes, position), this.#half(fd, bytes, position));
    return bytes.length;
  }

  sync(fd: number): void {
    const inode = this.#inode(fd);
    this.#act(() => this.#log({ kind: "sync", inode, before: this.log.length }));
  }

  syncFolder(path: string): void {
    const inode = this.#folder(path);
    this.#act(() => this.#log({ kind: "sync", inode, before: this.log.length }));
  }

  syncTree(_path: string): boolean {
    this.#act(() => this.#log({ kind: "sync_all", before: this.log.length }));
    return true;
  }

  rename(from: string, to: string): void {
    const [folder, name] = this.#place(from);
    const [target, newName] = this.#place(to);
    if (folder !== target) throw new Error("renames between folders are not simulated");
    this.#act(() => {
      const names = this.#names(folder);
      const inode = names.get(name);
      if (inode === undefined) throw systemError("ENOENT");
      names.delete(name);
      names.set(newName, inode);
      this.#log({ kind: "rename", inode: folder, from: name, to: newName });
    });
  }

  unlink(path: string): void {
    const [folder, name] = this.#place(path);
    this.#act(() => {
      if (!this.#names(folder).delete(name)) throw systemError("ENOENT");
      this.#log({ kind: "unlink", inode: folder, name });
    });
  }

  mkdir(path: string): void {
    if (this.isDead) throw systemError("EIO");
    let folder = ROOT;
    for (const name of this.#parts(path)) {
      const names = this.#names(folder);
      let inode = names.get(name);
      if (inode === undefined) {
        inode = this.#newInode();
        this.#folders.set(inode, new Map());
        names.set(name, inode);
        this.#log({ kind: "link", inode: folder, name, to: inode, isFolder: true });
      }
      folder = inode;
    }
  }

  readdir(path: string): string[] {
    return [...this.#names(this.#folder(path)).keys()];
  }

  commit(fd: number, bytes: Uint8Array, position: number, done: Written): void {
    let change = -1;
    const act = (): void => {
      change = this.log.length;
      this.#write(fd, bytes, position);
    };
    this.#background(act, this.#half(fd, bytes, position), () => {
      this.#log({ kind: "synced", change });
      done(null, bytes.length);
    });
  }

  writeLater(fd: number, bytes: Uint8Array, position: number, done: Written): void {
    const act = (): void => this.#write(fd, bytes, position);
    this.#background(act, this.#half(fd, bytes, position), () => done(null, bytes.length));
  }

  syncLater(fd: number, done: Done): void {
    this.#syncLater(this.#inode(fd), done);
  }

  syncFolderLater(path: string, done: Done): void {
    this.#syncLater(this.#folder(path), done);
  }

  #syncLater(inode: number, done: Done): void {
    const before = this.log.length;
    const nothing = (): void => {};
    this.#background(nothing, nothing, () => {
      this.#log({ kind: "sync", inode, before });
      done(null);
    });
  }

  #act(whole: () => void, half = (): void => {}): void {
    if (this.isDead) throw systemError("EIO");
    this.calls += 1;
    const { dies } = this.options;
    if (this.calls !== dies?.at) {
      whole();
      return;
    }
    if (dies.how === "after") whole();
    if (dies.how === "half") half();
    this.isDead = true;
    throw systemError("EIO");
  }

  #background(whole: () => void, half: () => void, done: () => void): void {
    try {
      this.#act(whole, half);
    } catch (error) {
      // Who waits for a dead disk hears nothing more.
      if (this.isDead) return;
      throw error;
    }
    setTimeout(() => {
      if (!this.isDead) done();
    }, this.options.delay?.() ?? 0);
  }

  #half(fd: number, bytes: Uint8Array, position: number): () => void {
    return () => this.#write(fd, bytes.subarray(0, bytes.length >> 1), position);
  }

  #write(fd: number, source: Uint8Array, position: number): void {
    const inode = this.#inode(fd);
    const bytes = Buffer.from(source);
    const file = this.#file(inode);
    const end = position + bytes.length;
    if (!file.isOwn || end > file.bytes.length) {
      const larger = Buffer.alloc(Math.max(end, file.bytes.length));
      file.bytes.copy(larger, 0, 0, file.size);
      file.bytes = larger;
      file.isOwn = true;
    }
    file.bytes.set(bytes, position);
    file.size = Math.max(file.size, end);
    this.#log({ kind: "write", inode, position, bytes });
  }

  #create(path: string, existing: number | undefined): number {
    if (existing !== undefined) {
      const file = this.#file(existing);
      if (file.size > 0) this.#log({ kind: "truncate", inode: existing });
      Object.assign(file, { bytes: Buffer.alloc(0), size: 0, isOwn: true });
      return existing;
    }
    const [folder, name] = this.#place(path);
    const inode = this.#newInode();
    this.#files.set(inode, { bytes: Buffer.alloc(0), size: 0, isOwn: true });
    this.#names(folder).set(name, inode);
    this.#log({ kind: "link", inode: folder, name, to: inode, isFolder: false });
    return inode;
  }

  #plant(path: string, bytes: Buffer | null): void {
    const parts = path.split("/");
    const name = parts.pop() ?? "";
    let folder = ROOT;
    for (const part of parts) folder = this.#names(folder).get(part) ?? 0;
    const inode = this.#newInode();
    this.#names(folder).set(name, inode);
    if (bytes === null) this.#folders.set(inode, new Map());
    else this.#files.set(inode, { bytes, size: bytes.length, isOwn: false });
  }

  #log(change: Change): void {
    this.log.push(change);
  }

  #newInode(): number {
    this.#inodes += 1;
    return this.#inodes;
  }

  #content(inode: number): Buffer {
    const { bytes, size } = this.#file(inode);
    return size === bytes.length ? bytes : bytes.subarray(0, size);
  }

  #inode(fd: number): number {
    const inode = this.#fds.get(fd);
    if (inode === undefined) throw systemError("EBADF");
    return inode;
  }

  #file(inode: number): File {
    const file = this.#files.get(inode);
    if (!file) throw systemError("EISDIR");
    return file;
  }

  #names(inode: number): Folder {
    const names = this.#folders.get(inode);
    if (!names) throw systemError("ENOENT");
    return names;
  }

  #folder(path: string): number {
    const inode = this.#find(path);
    if (inode === undefined || !this.#folders.has(inode)) throw systemError("ENOENT");
    return inode;
  }

  #place(path: string): [folder: number, name: string] {
    const at = path.lastIndexOf("/");
    return [this.#folder(path.slice(0, at)), path.slice(at + 1)];
  }

  #find(path: string): number | undefined {
    let inode: number | undefined = ROOT;
    for (const part of this.#parts(path)) {
      inode = inode === undefined ? undefined : this.#folders.get(inode)?.get(part);
    }
    return inode;
  }

  /** Of what is above the root nothing can be lost. */
  #parts(path: string): string[] {
    const below = relative(this.root, path);
    if (below.startsWith("..")) return [];
    return below === "" ? [] : below.split("/");
  }
}

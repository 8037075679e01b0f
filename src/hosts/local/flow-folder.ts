// The flow files of a folder, read without leaving it: no link out, no pipe, no endless file.

import { constants, type Dirent, type Stats } from "node:fs";
import { lstat, open, readdir, realpath } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Diagnostic } from "../../flow/diagnostic.js";
import {
  MAX_FLOW_FILE_BYTES,
  MAX_FLOW_FILES,
  MAX_FLOW_FOLDER_DEPTH,
  MAX_OPEN_FLOW_FILES,
} from "../../limits.js";
import { forEachOf } from "./pool.js";
import { errorCode } from "./store-error.js";

export interface FlowText {
  /** Relative to the folder, with `/`. */
  file: string;
  text: string;
}

/** What there is, before anything is read. */
export interface Listing {
  files: FlowEntry[];
  /** Of what cannot be looked at. */
  diagnostics: Diagnostic[];
  /** Sub-folders of which nothing is known: what was there before may still be. `""`: the root. */
  unknown: string[];
}

export interface FlowEntry {
  /** Relative to the folder, with `/`. */
  file: string;
  /** Where it is read: links are resolved. */
  path: string;
  /** Another stamp, another content. */
  stamp: string;
  /** ms since 1970, by the disk's clock. */
  modified_at: number;
}

export interface FlowFolder {
  files: FlowText[];
  diagnostics: Diagnostic[];
}

/** `*.test.yaml` holds tests of workflows. */
export function isFlowFile(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !isTestFile(name);
}

export function isTestFile(name: string): boolean {
  return /\.test\.(ya?ml|json)$/.test(name);
}

/** Hidden entries are an editor's or git's; `exclude` is an absolute path: a store inside. */
export function isIgnored(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}

/** All flow files, or others, with their texts, in the order of their names. */
export async function readFlowFiles(
  dir: string,
  exclude?: string,
  accepts = isFlowFile,
): Promise<FlowFolder> {
  const { files, diagnostics } = await listFlowFiles(dir, exclude, accepts);
  const texts: FlowText[] = [];
  await forEachOf(files, MAX_OPEN_FLOW_FILES, async (entry) => {
    const read = await readFlowFile(entry);
    if (read === undefined) return;
    if ("text" in read) texts.push({ file: entry.file, text: read.text });
    else diagnostics.push(read.diagnostic);
  });
  return { files: texts.sort(byFile), diagnostics: diagnostics.sort(byFile) };
}

/** A folder that is not there has no files. */
export async function listFlowFiles(
  dir: string,
  exclude?: string,
  accepts = isFlowFile,
): Promise<Listing> {
  const listing: Listing = { files: [], diagnostics: [], unknown: [] };
  const root = await realpath(dir).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") refuseFolder(listing, "", error);
    return undefined;
  });
  if (root === undefined) return listing;
  const away = exclude === undefined ? undefined : await realpath(exclude).catch(() => undefined);
  await walk({ root, away, accepts, listing }, "", 0);
  listing.files = withoutDoubles(listing.files).sort(byFile);
  return listing;
}

/**
 * The same of these files alone. Undefined: a link is among them, and what it leads to is seen only
 * by looking at the whole folder.
 */
export async function lookAtFiles(
  dir: string,
  names: Iterable<string>,
  exclude: string,
): Promise<Listing | undefined> {
  const root = await realpath(dir).catch(() => undefined);
  if (root === undefined) return undefined;
  const listing: Listing = { files: [], diagnostics: [], unknown: [] };
  const away = await realpath(exclude).catch(() => undefined);
  let isWhole = true;
  await forEachOf(names, MAX_OPEN_FLOW_FILES, async (file) => {
    const parts = file.split("/");
    if (!isFlowFile(file) || parts.some(isIgnored)) return;
    const path = join(root, file);
    const folder = await realpath(dirname(path)).catch(() => undefined);
    const found = await lstat(path).catch(() => undefined);
    if (folder === undefined || found === undefined) return;
    if (folder !== dirname(path) || found.isSymbolicLink()) isWhole = false;
    else if (found.isFile() && !(away !== undefined && isInside(away, path))) {
      listing.files.push(entryOf(file, path, found));
    }
  });
  listing.files.sort(byFile);
  return isWhole ? listing : undefined;
}

/** Undefined: it is gone. */
export async function readFlowFile(
  entry: FlowEntry,
): Promise<{ text: string } | { diagnostic: Diagnostic } | undefined> {
  try {
    // O_NOFOLLOW: a link put in its place since then is not followed. O_NONBLOCK: nor is a pipe.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(entry.path, flags);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) return undefined;
      // One byte more than is allowed is enough for the check to say that it is too many.
      const bytes = Buffer.allocUnsafe(Math.min(stats.size, MAX_FLOW_FILE_BYTES) + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
        length += bytesRead;
        if (bytesRead === 0) break;
      }
      return decodeFlowText(entry.file, bytes.subarray(0, length));
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    return { diagnostic: unreadable(entry.file, `the file cannot be read: ${reason(error)}`) };
  }
}

/** At most one byte more than a flow file may have. */
export function decodeFlowText(
  file: string,
  bytes: Uint8Array,
): { text: string } | { diagnostic: Diagnostic } {
  // What is cut off may end within a character; its size is the mistake, not its encoding.
  const fatal = bytes.length <= MAX_FLOW_FILE_BYTES;
  try {
    return { text: new TextDecoder("utf-8", { fatal }).decode(bytes) };
  } catch {
    const message = "the file is not text in UTF-8";
    return { diagnostic: unreadable(file, message, "save it in UTF-8") };
  }
}

/** About a file as a whole, so it points at its first character. */
export function unreadable(file: string, message: string, suggestion?: string): Diagnostic {
  return {
    file,
    line: 1,
    column: 1,
    end_line: 1,
    end_column: 2,
    kind: "unreadable",
    severity: "error",
    message,
    ...(suggestion !== undefined && { suggestion }),
  };
}

interface Walk {
  /** Real paths. */
  root: string;
  away: string | undefined;
  accepts(name: string): boolean;
  listing: Listing;
}

async function walk(at: Walk, folder: string, depth: number): Promise<void> {
  const path = join(at.root, folder);
  if (path === at.away) return;
  if (depth > MAX_FLOW_FOLDER_DEPTH) {
    const message = `folders deeper than ${MAX_FLOW_FOLDER_DEPTH} levels are not read`;
    at.listing.diagnostics.push(unreadable(folder, message, "move the files further up"));
    return;
  }
  let entries: Dirent[];
  try {
    entries = await readdir(path, { withFileTypes: true });
  } catch (error) {
    if (errorCode(error) !== "ENOENT") refuseFolder(at.listing, folder, error);
    return;
  }
  const shown = entries.filter(({ name }) => !isIgnored(name));
  await forEachOf(shown, MAX_OPEN_FLOW_FILES, async (entry) => {
    const name = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) await walk(at, name, depth + 1);
    else if (at.accepts(entry.name)) await add(at, name, entry.isSymbolicLink());
  });
}

async function add({ root, away, listing }: Walk, file: string, isLink: boolean): Promise<void> {
  if (!hasRoom(listing, file)) return;
  try {
    // The folders above are real, since links to folders are not followed.
    const path = isLink ? await realpath(join(root, file)) : join(root, file);
    if (!isInside(root, path) || (away !== undefined && isInside(away, path))) {
      const message = "the file is a link out of the folder of flow files, and is not followed";
      listing.diagnostics.push(unreadable(file, message, "put the file itself there"));
      return;
    }
    const stats = await lstat(path);
    // A folder with the name of a flow file is a folder; a pipe or a device is nothing to read.
    if (!stats.isFile()) return;
    // Asked again: others were looked at meanwhile.
    if (hasRoom(listing, file)) listing.files.push(entryOf(file, path, stats));
  } catch (error) {
    // A link that leads nowhere is there, and no workflow; a file that has just gone is not.
    if (errorCode(error) === "ENOENT") return;
    listing.diagnostics.push(unreadable(file, `the file cannot be read: ${reason(error)}`));
  }
}

/** Tells of the first file that there is no room for. */
function hasRoom({ files, diagnostics }: Listing, file: string): boolean {
  if (files.length < MAX_FLOW_FILES) return true;
  if (diagnostics.some(({ kind }) => kind === "size")) return false;
  const message = `more than ${MAX_FLOW_FILES} flow files: from this one on, none is read`;
  const suggestion = "spread them over several folders, each with a server of its own";
  diagnostics.push({ ...unreadable(file, message, suggestion), kind: "size" });
  return false;
}

function isInside(folder: string, path: string): boolean {
  const way = relative(folder, resolve(path));
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
}

function entryOf(file: string, path: string, stats: Stats): FlowEntry {
  const stamp = [path, stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(" ");
  return { file, path, stamp, modified_at: stats.mtimeMs };
}

/** A link to a file that is listed itself is not a second workflow. */
function withoutDoubles(files: FlowEntry[]): FlowEntry[] {
  const byPath = new Map<string, FlowEntry>();
  // The file itself goes before links to it, and among links the first name.
  const isReal = ({ file, path }: FlowEntry) => path.endsWith(file.split("/").join(sep));
  const order = (a: FlowEntry, b: FlowEntry) =>
    Number(isReal(b)) - Number(isReal(a)) || byFile(a, b);
  for (const entry of [...files].sort(order)) {
    if (!byPath.has(entry.path)) byPath.set(entry.path, entry);
  }
  return [...byPath.values()];
}

function refuseFolder(listing: Listing, folder: string, error: unknown): void {
  listing.unknown.push(folder);
  const message = `the folder cannot be read: ${reason(error)}`;
  listing.diagnostics.push(unreadable(folder === "" ? "." : folder, message));
}

function reason(error: unknown): string {
  const code = errorCode(error);
  if (code === "EACCES" || code === "EPERM") return `permission denied (${code})`;
  return code ?? String(error);
}

function byFile(a: { file: string }, b: { file: string }): number {
  return a.file < b.file ? -1 : Number(a.file > b.file);
}

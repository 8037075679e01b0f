// The flow files that a command is to look at: those named, and those in the folders named.

import { realpath, stat } from "node:fs/promises";
import type { Diagnostic } from "../flow/diagnostic.js";
import { readFlowFile, readFlowFiles } from "../hosts/local/index.js";
import { quoted, usage } from "./options.js";

export interface Found {
  /** Named from where the command stands; sorted, each once. */
  files: { file: string; text: string }[];
  /** Of what cannot be read. */
  diagnostics: Diagnostic[];
}

/** Of folders, the files whose names are accepted. A path that is not there is wrong usage. */
export async function findFlowFiles(
  paths: readonly string[],
  store: string,
  accepts?: Accepts,
): Promise<Found> {
  const texts = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  for (const path of paths) {
    const found = await findAt(path, store, accepts);
    for (const { file, text } of found.files) texts.set(file, text);
    diagnostics.push(...found.diagnostics);
  }
  const files = [...texts].map(([file, text]) => ({ file, text }));
  return { files: files.sort((a, b) => (a.file < b.file ? -1 : 1)), diagnostics };
}

/** Undefined: flow files. */
type Accepts = ((name: string) => boolean) | undefined;

async function findAt(path: string, store: string, accepts: Accepts): Promise<Found> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "is not there" : `cannot be read: ${error.message}`;
    throw usage(`${quoted(path)} ${why}.`, "name flow files, or a folder of them");
  });
  if (found.isDirectory()) return inFolder(path, store, accepts);
  // Whoever names a file means it, also where it is a link.
  const entry = { file: path, path: await realpath(path), stamp: "", modified_at: 0 };
  const read = await readFlowFile(entry);
  if (read === undefined) throw usage(`${quoted(path)} is not a file.`);
  return "text" in read
    ? { files: [{ file: path, text: read.text }], diagnostics: [] }
    : { files: [], diagnostics: [read.diagnostic] };
}

async function inFolder(folder: string, store: string, accepts: Accepts): Promise<Found> {
  const found = await readFlowFiles(folder, store, accepts);
  const prefix = folder === "." ? "" : `${folder.replace(/\/+$/, "")}/`;
  const named = <T extends { file: string }>(one: T): T => ({ ...one, file: prefix + one.file });
  return { files: found.files.map(named), diagnostics: found.diagnostics.map(named) };
}

// The flow files that a command is to look at, and the files around them that they are seen with.

import { readdir, realpath, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import type { Diagnostic } from "../flow/diagnostic.js";
import { isTestFile, readFlowFile, readFlowFiles } from "../hosts/local/index.js";
import { MAX_FLOW_FILES } from "../limits.js";
import { type Common, quoted, usage } from "./options.js";

export interface Found {
  /** Named from where the command stands; sorted, each once. */
  files: FoundFile[];
  /** Of what cannot be read. */
  diagnostics: Diagnostic[];
}

export interface FoundFile {
  file: string;
  text: string;
  home: Home;
}

/** Files of one home know each other: ids are unique in it, and workflows start each other. */
export interface Home {
  folder: string;
  /** With its sub-folders. */
  deep: boolean;
}

type Where = Pick<Common, "flows" | "store">;

/** Of folders, the files whose names are accepted. A path that is not there is wrong usage. */
export async function findFlowFiles(
  paths: readonly string[],
  where: Where,
  accepts?: Accepts,
): Promise<Found> {
  const files = new Map<string, FoundFile>();
  const diagnostics: Diagnostic[] = [];
  for (const path of paths) {
    const found = await findAt(path, where, accepts);
    for (const each of found.files) files.set(each.file, each);
    diagnostics.push(...found.diagnostics);
  }
  return { files: [...files.values()].sort((a, b) => (a.file < b.file ? -1 : 1)), diagnostics };
}

/** Undefined: flow files. */
type Accepts = ((name: string) => boolean) | undefined;

/** Flow files, and tests of them. */
export function isFlowOrTest(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name);
}

/** The flows folder, when a file is in it; otherwise the files beside it. */
export function homeOf(file: string, flows: string): Home {
  if (isWithin(file, flows)) return { folder: flows, deep: true };
  return { folder: dirname(file), deep: false };
}

/** All flow files of a home; none when it is not there. */
export async function readHome({ folder, deep }: Home, where: Where): Promise<Found> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) return NOTHING;
  if (deep) return inFolder({ folder, deep }, folder, where.store, undefined);
  const names = (await readdir(folder)).filter((name) => isFlowOrTest(name) && !isTestFile(name));
  const shown = names.filter((name) => !name.startsWith(".")).slice(0, MAX_FLOW_FILES);
  return findFlowFiles(await onlyFiles(shown.map((name) => nameIn(folder, name))), where);
}

const NOTHING: Found = { files: [], diagnostics: [] };

async function onlyFiles(paths: string[]): Promise<string[]> {
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return paths.filter((_, index) => found[index]?.isFile() === true);
}

async function findAt(path: string, { flows, store }: Where, accepts: Accepts): Promise<Found> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "is not there" : `cannot be read: ${error.message}`;
    throw usage(`${quoted(path)} ${why}.`, "name flow files, or a folder of them");
  });
  if (found.isDirectory()) {
    const home = { folder: isWithin(path, flows) ? flows : path, deep: true };
    return inFolder(home, path, store, accepts);
  }
  // Whoever names a file means it, also where it is a link.
  const entry = { file: path, path: await realpath(path), stamp: "", modified_at: 0 };
  const read = await readFlowFile(entry);
  if (read === undefined) throw usage(`${quoted(path)} is not a file.`);
  return "text" in read
    ? { files: [{ file: path, text: read.text, home: homeOf(path, flows) }], diagnostics: [] }
    : { files: [], diagnostics: [read.diagnostic] };
}

async function inFolder(
  home: Home,
  folder: string,
  store: string,
  accepts: Accepts,
): Promise<Found> {
  const found = await readFlowFiles(folder, store, accepts);
  return {
    files: found.files.map(({ file, text }) => ({ file: nameIn(folder, file), text, home })),
    diagnostics: found.diagnostics.map((one) => ({ ...one, file: nameIn(folder, one.file) })),
  };
}

function nameIn(folder: string, file: string): string {
  return folder === "." ? file : `${folder.replace(/\/+$/, "")}/${file}`;
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== ".." && !way.startsWith(`..${sep}`);
}

// A user's step types: from the files of a folder to connectors, or to what is wrong with them.

import { lstat, readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { Diagnostic } from "../../../flow/diagnostic.js";
import { MAX_CONNECTOR_FILES } from "../../../limits.js";
import { forEachOf } from "../pool.js";
import { errorCode } from "../store-error.js";
import { connectorMistake } from "./bundle.js";
import type { UserConnector } from "./load-file.js";

export interface UserConnectors {
  /** In the order of their files' names; each type once. */
  found: UserConnector[];
  /** Of files that define none. Sorted by file. */
  diagnostics: Diagnostic[];
}

/** Where the connectors of a flows folder are. */
export function connectorsFolder(flows: string): string {
  return join(dirname(resolve(flows)), "connectors");
}

/**
 * No file runs in this process. `named` is how a file is called in diagnostics; `known` are those
 * loaded before, which are kept where their code is the same.
 */
export async function loadConnectors(
  folder: string,
  named: (file: string) => string = (file) => file,
  known: readonly UserConnector[] = [],
): Promise<UserConnectors> {
  const results = new Map<string, UserConnector | Diagnostic[]>();
  const names = await connectorFiles(folder);
  if (names.length === 0) return { found: [], diagnostics: [] };
  const { loadFile } = await import("./load-file.js");
  await forEachOf(names, LOADED_AT_A_TIME, async (file) => {
    results.set(file, await loadFile(join(folder, file), named(file), known));
  });
  const loaded: UserConnectors = { found: [], diagnostics: [] };
  for (const name of names) {
    const result = results.get(name) ?? [];
    if (Array.isArray(result)) loaded.diagnostics.push(...result);
    else add(loaded, result);
  }
  return loaded;
}

const LOADED_AT_A_TIME = 4;

function add({ found, diagnostics }: UserConnectors, next: UserConnector): void {
  const twin = found.find(({ connector }) => connector.type === next.connector.type);
  if (twin === undefined) {
    found.push(next);
    return;
  }
  const message = `the step type "${next.connector.type}" is defined in ${twin.name} already`;
  diagnostics.push(connectorMistake(next.name, message));
}

/** Of the folder itself: what lies deeper is for these to import. */
async function connectorFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return [];
    throw error;
  });
  const files: string[] = [];
  for (const name of names.sort()) {
    const isCode = /\.(?:[cm]?ts|[cm]?js)$/.test(name) && !/\.d\.[cm]?ts$|\.test\./.test(name);
    if (!isCode || name.startsWith(".")) continue;
    if ((await lstat(join(folder, name))).isFile()) files.push(name);
  }
  return files.slice(0, MAX_CONNECTOR_FILES);
}

export function fileNamed(folder: string): (file: string) => string {
  return (file) => `${basename(folder)}/${file}`;
}

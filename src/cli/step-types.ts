// The step types that a command knows: the built-in ones, and the user's own beside the flow files.

import { readFile, stat } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { catalogOf, connectors } from "../connectors/index.js";
import type { Catalog } from "../flow/catalog.js";
import type { Diagnostic } from "../flow/diagnostic.js";
import { connectorsFolder, loadConnectors } from "../hosts/local/index.js";

export interface StepTypes {
  catalog: Catalog;
  /** Of files in `connectors/` that define no step type. */
  diagnostics: Diagnostic[];
  /** The texts of these files, for reports. */
  texts: { file: string; text: string }[];
}

/** Beside the flows folder, and beside each folder of flow files that is named. */
export async function stepTypes(flows: string, paths: readonly string[]): Promise<StepTypes> {
  const folders = new Set([connectorsFolder(flows)]);
  for (const path of paths) {
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    folders.add(connectorsFolder(isFolder ? path : dirname(path)));
  }
  const all = Object.assign(Object.create(null), connectors);
  const diagnostics: Diagnostic[] = [];
  for (const folder of folders) {
    const named = (file: string) => relative("", join(folder, file));
    const loaded = await loadConnectors(folder, named);
    diagnostics.push(...loaded.diagnostics);
    for (const { connector } of loaded.found) all[connector.type] ??= connector;
  }
  const files = new Set(diagnostics.map(({ file }) => file));
  const texts = [...files].map(async (file) => ({ file, text: await readFile(file, "utf8") }));
  return { catalog: catalogOf(all), diagnostics, texts: await Promise.all(texts) };
}

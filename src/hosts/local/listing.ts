// The workflows as doors show them: what is served, and the files that never were valid.

import type { ServedWorkflow } from "../../engine/runner.js";
import type { FileState, FolderState } from "./folder-state.js";
import type { Served, ServedVersion } from "./served.js";

/** One entry an id, sorted by id. */
export function listing(state: FolderState, served: Served): ServedWorkflow[] {
  const entries = served.all().map((version) => servedEntry(version, state));
  const taken = new Set(entries.map(({ id }) => id));
  const shown = new Set(entries.map(({ file }) => file));
  for (const [file, { text, diagnostics, workflow }] of state.files) {
    if (shown.has(file)) continue;
    // A valid file that is not served yet could not be saved: the log says why.
    const id = freeId(file, workflow?.id ?? idIn(text ?? ""), taken);
    taken.add(id);
    const valid = workflow !== null;
    entries.push({ id, name: id, version: null, file, valid, diagnostics, workflow: null });
  }
  return entries.sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
}

export function servedEntry(
  { id, version, file, workflow }: ServedVersion,
  state: FolderState,
): ServedWorkflow {
  const now: FileState | undefined = state.files.get(file);
  const diagnostics = now?.diagnostics ?? state.folderDiagnostics;
  const valid = now?.workflow?.id === id;
  return { id, name: workflow.name, version, file, valid, diagnostics, workflow };
}

/** As far as one can tell of a text that is no workflow: enough to find it in a list. */
function idIn(text: string): string | undefined {
  const isJson = /^\s*\{/.test(text);
  const found = isJson
    ? /"id"\s*:\s*"([A-Za-z_][A-Za-z0-9_-]{0,63})"/.exec(text)
    : /^["']?id["']?[ \t]*:[ \t]+["']?([A-Za-z_][A-Za-z0-9_-]{0,63})["']?[ \t]*(?:#.*)?$/m.exec(
        text,
      );
  return found?.[1];
}

/** Two files may claim one id: then the second is known by its own name. */
function freeId(file: string, claimed: string | undefined, taken: ReadonlySet<string>): string {
  const stem = (file.split("/").at(-1) ?? file).replace(/\.[^.]*$/, "");
  for (const name of [claimed, stem, file]) {
    const id = name === undefined ? "" : asId(name);
    if (id !== "" && !taken.has(id)) return id;
  }
  for (let count = 2; ; count++) {
    const id = `${asId(stem).slice(0, 56)}_${count}`;
    if (!taken.has(id)) return id;
  }
}

function asId(name: string): string {
  return name
    .replace(/[^A-Za-z0-9_-]/g, "_")
    .replace(/^(?![A-Za-z_])/, "_")
    .slice(0, 64);
}

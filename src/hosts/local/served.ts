// What new runs get: by id, the last good version of each flow file that is there.

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Workflow } from "../../flow/workflow.js";
import { MAX_OPEN_FLOW_FILES } from "../../limits.js";
import { readJson, writeAtomic } from "./files.js";
import { type FolderState, versionOf } from "./folder-state.js";
import { forEachOf } from "./pool.js";

export interface ServedVersion {
  id: string;
  version: string;
  /** The flow file it came from. */
  file: string;
  workflow: Workflow;
}

export interface Applied {
  started: ServedVersion[];
  stopped: ServedVersion[];
  /** What could not be saved is not served; it is tried again with the next change. */
  errors: unknown[];
}

export class Served {
  readonly #folder: string;
  readonly #saveVersion: (version: string, workflow: Workflow) => Promise<void>;
  readonly #byId = new Map<string, ServedVersion>();
  /** By id, what its document says: `<version> <file>`. */
  readonly #written = new Map<string, string>();

  private constructor(
    folder: string,
    saveVersion: (version: string, workflow: Workflow) => Promise<void>,
  ) {
    this.#folder = folder;
    this.#saveVersion = saveVersion;
  }

  /** With what was served when the store was last open. */
  static async open(
    folder: string,
    saveVersion: (version: string, workflow: Workflow) => Promise<void>,
  ): Promise<Served> {
    const served = new Served(folder, saveVersion);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await forEachOf(await readdir(folder), MAX_OPEN_FLOW_FILES, async (name) => {
      const record = await readRecord(join(folder, name), name);
      if (record === undefined) return;
      // The version may have been removed since: it is served again only once it is saved again.
      await saveVersion(record.version, record.workflow);
      served.#byId.set(record.id, record);
      served.#written.set(record.id, `${record.version} ${record.file}`);
    });
    return served;
  }

  get(id: string): ServedVersion | undefined {
    return this.#byId.get(id);
  }

  all(): ServedVersion[] {
    return [...this.#byId.values()];
  }

  /** Makes what is served follow the flow files. A version is durable before it is served. */
  async apply(state: FolderState): Promise<Applied> {
    const applied: Applied = { started: [], stopped: [], errors: [] };
    const wanted = wantedOf(state);
    for (const old of this.all()) {
      if (wanted.has(old.id) || isKept(old, state)) continue;
      this.#byId.delete(old.id);
      applied.stopped.push(old);
    }
    await forEachOf(wanted.values(), MAX_OPEN_FLOW_FILES, async (next) => {
      try {
        const isNew = this.#byId.get(next.id)?.version !== next.version;
        if (isNew) await this.#saveVersion(next.version, next.workflow);
        this.#byId.set(next.id, next);
        if (isNew) applied.started.push(next);
      } catch (error) {
        applied.errors.push(error);
      }
    });
    await this.#write(applied);
    return applied;
  }

  async #write({ errors }: Applied): Promise<void> {
    const gone = [...this.#written.keys()].filter((id) => !this.#byId.has(id));
    const news = this.all().filter(({ id, version, file }) => {
      return this.#written.get(id) !== `${version} ${file}`;
    });
    for (const id of gone) {
      try {
        await rm(this.#path(id), { force: true });
        this.#written.delete(id);
      } catch (error) {
        errors.push(error);
      }
    }
    for (const { id, version, file, workflow } of news) {
      try {
        const text = `${JSON.stringify({ id, version, file, workflow }, null, 2)}\n`;
        writeAtomic(this.#path(id), text);
        this.#written.set(id, `${version} ${file}`);
      } catch (error) {
        errors.push(error);
      }
    }
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }
}

/** Undefined where it is torn, of another hand, or no document at all: the flow files decide. */
async function readRecord(path: string, name: string): Promise<ServedVersion | undefined> {
  if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}\.json$/.test(name)) return undefined;
  const json = (await readJson(path)) as Partial<ServedVersion> | null | undefined;
  const { id, version, file, workflow } = json ?? {};
  if (typeof file !== "string" || typeof workflow !== "object" || workflow === null) {
    return undefined;
  }
  if (`${id}.json` !== name || workflow.id !== id) return undefined;
  if (versionOf(workflow) !== version) return undefined;
  return { id, version, file, workflow };
}

function wantedOf(state: FolderState): Map<string, ServedVersion> {
  const wanted = new Map<string, ServedVersion>();
  for (const [file, { workflow, version }] of state.files) {
    if (workflow === null || version === null) continue;
    wanted.set(workflow.id, { id: workflow.id, version, file, workflow });
  }
  return wanted;
}

/** The last good version of a file that is there, and of which nothing better is known. */
function isKept({ file }: ServedVersion, state: FolderState): boolean {
  const now = state.files.get(file);
  return now === undefined ? state.isUnknown(file) : now.workflow === null;
}

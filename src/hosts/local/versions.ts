// Versions of workflows: one durable file each, named by its hash and written once.

import { join } from "node:path";
import type { Workflow } from "../../flow/workflow.js";
import type { Disk } from "./disk.js";
import { readWhole, unlinkIfThere, writeDurable } from "./files.js";
import { StoreError } from "./store-error.js";

const VERSION = /^[0-9a-f]{64}$/;
const SUFFIX = ".json";

export class Versions {
  readonly #saved = new Map<string, Promise<void>>();

  constructor(
    readonly disk: Disk,
    readonly folder: string,
  ) {}

  save(version: string, workflow: Workflow): Promise<void> {
    if (!VERSION.test(version)) throw new Error(`"${version}" is no version of a workflow`);
    const saved = this.#saved.get(version);
    if (saved) return saved;
    const text = `${JSON.stringify(workflow, null, 2)}\n`;
    const saving = writeDurable(join(this.folder, version + SUFFIX), text, this.disk);
    this.#saved.set(version, saving);
    // Whoever asks next tries again.
    saving.catch(() => this.#saved.delete(version));
    return saving;
  }

  /** After a power cut it may be there again; then it is deleted again. */
  delete(version: string): void {
    this.#saved.delete(version);
    unlinkIfThere(this.disk, join(this.folder, version + SUFFIX));
  }

  load(): Map<string, Workflow> {
    const versions = new Map<string, Workflow>();
    for (const name of this.disk.readdir(this.folder)) {
      const version = name.slice(0, -SUFFIX.length);
      if (name.endsWith(".tmp")) unlinkIfThere(this.disk, join(this.folder, name));
      else if (name.endsWith(SUFFIX) && VERSION.test(version)) {
        versions.set(version, readVersion(this.disk, join(this.folder, name)));
        this.#saved.set(version, Promise.resolve());
      }
    }
    return versions;
  }
}

function readVersion(disk: Disk, file: string): Workflow {
  try {
    return JSON.parse(String(readWhole(disk, file))) as Workflow;
  } catch (cause) {
    const message =
      `The workflow version ${file} cannot be read: it is damaged. Restore it from a backup, or, ` +
      "if no unfinished run needs it, delete it.";
    throw new StoreError("rot", message, { file, cause });
  }
}

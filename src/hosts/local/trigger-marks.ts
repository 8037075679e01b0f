// The marks of triggers, in one file of the store: written durably, many changes at a time.

import { join } from "node:path";
import type { RefusedStart } from "../../engine/runner.js";
import type { Mark, Marks } from "../../triggers/marks.js";
import { readJson, writeDurable } from "./files.js";

export interface TriggerMarks extends Marks {
  /** The triggers whose last start was refused. */
  refused(): RefusedStart[];
  /** Resolves when what was set is on disk. */
  close(): Promise<void>;
}

const NAME = "triggers.json";

/** Of a file that is missing or torn, nothing is known: all triggers begin anew. */
export async function openMarks(
  store: string,
  onTrouble: (message: string) => void,
): Promise<TriggerMarks> {
  const path = join(store, NAME);
  const marks = new Map<string, Mark>();
  for (const [key, mark] of Object.entries((await readJson(path)) ?? {})) {
    if (isMark(mark)) marks.set(key, mark);
  }
  return new FileMarks(path, marks, onTrouble);
}

class FileMarks implements TriggerMarks {
  #writing: Promise<void> | undefined;
  #isChanged = false;

  constructor(
    readonly path: string,
    readonly marks: Map<string, Mark>,
    readonly onTrouble: (message: string) => void,
  ) {}

  get(key: string): Mark | undefined {
    return this.marks.get(key);
  }

  set(key: string, mark: Mark): void {
    this.marks.set(key, mark);
    this.#changed();
  }

  keep(type: string, keys: ReadonlySet<string>): void {
    for (const key of this.marks.keys()) {
      if (!key.startsWith(`${type} `) || keys.has(key)) continue;
      this.marks.delete(key);
      this.#changed();
    }
  }

  refused(): RefusedStart[] {
    return [...this.marks].flatMap(([key, { refused }]) => {
      if (refused === undefined) return [];
      const [type = "", workflow_id = "", ...name] = key.split(" ");
      return [{ workflow_id, trigger: `${type} "${name.join(" ")}"`, ...refused }];
    });
  }

  async close(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  #changed(): void {
    this.#isChanged = true;
    this.#writing ??= this.#write();
  }

  /** What changes while a write is under way goes into the next one. */
  async #write(): Promise<void> {
    try {
      while (this.#isChanged) {
        // What changes in this turn of the loop goes together.
        await Promise.resolve();
        this.#isChanged = false;
        await writeDurable(
          this.path,
          `${JSON.stringify(Object.fromEntries(this.marks), null, 2)}\n`,
        );
      }
    } catch (error) {
      // The next change tries again; until then a crash finds older marks, which keys make good.
      const why = error instanceof Error ? error.message : String(error);
      this.onTrouble(`What triggers have fired cannot be written to ${this.path}: ${why}`);
    } finally {
      this.#writing = undefined;
    }
  }
}

function isMark(value: unknown): value is Mark {
  const until = (value as Partial<Mark> | null)?.until;
  return typeof until === "string" && !Number.isNaN(Date.parse(until));
}

// What the flow files of a folder say now: reads what changed, checks it, forgets what is gone.

import { createHash } from "node:crypto";
import { canonicalJson } from "../../flow/canonical.js";
import type { Catalog } from "../../flow/catalog.js";
import type { Checked } from "../../flow/check.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import type { Json } from "../../flow/json.js";
import type { Workflow } from "../../flow/workflow.js";
import { MAX_FLOW_FILES, MAX_OPEN_FLOW_FILES, RACY_MS, SETTLE_MS } from "../../limits.js";
import type { Checker } from "./checker.js";
import {
  type FlowEntry,
  type FlowText,
  isFlowFile,
  listFlowFiles,
  lookAtFiles,
  readFlowFile,
} from "./flow-folder.js";
import { forEachOf } from "./pool.js";

export interface FileState extends Checked {
  /** Of the workflow, if there is one. */
  version: string | null;
  /** Undefined: the file could not be read. */
  text: string | undefined;
  stamp: string;
  /** The content may have changed again within the clock's grain: the stamp proves nothing. */
  racy: boolean;
}

/** How to look. */
export interface Look {
  /** Everything is read anew, and what is missing is gone. */
  now: boolean;
  /** Files of which something was heard. */
  heard: ReadonlySet<string>;
  /** False: only what was heard of is looked at. */
  whole: boolean;
  /** May still be written: it stays as it is known. */
  isUnsettled(file: string): boolean;
}

export interface Refresh {
  /** Files whose result is another one than before; those that are gone too. */
  changed: string[];
  /** A file that was there is not, though nothing was heard of that: look again. */
  missing: boolean;
}

export class FolderState {
  readonly files = new Map<string, FileState>();
  /** About sub-folders, and the folder itself. */
  folderDiagnostics: Diagnostic[] = [];
  readonly #dir: string;
  readonly #exclude: string;
  readonly #checker: Checker;
  #unknown: string[] = [];
  /** When a file was first not there: an editor may be about to put it back. */
  readonly #missing = new Map<string, number>();

  constructor(dir: string, exclude: string, checker: Checker) {
    this.#dir = dir;
    this.#exclude = exclude;
    this.#checker = checker;
  }

  /** Of files in folders that cannot be read, nothing is known. */
  isUnknown(file: string): boolean {
    return this.#unknown.some((folder) => folder === "" || file.startsWith(`${folder}/`));
  }

  /** Where the check breaks off it rejects, and nothing has changed. */
  async refresh(look: Look): Promise<Refresh> {
    const { now, isUnsettled } = look;
    // Which ones there is no room for is seen only by looking at the whole folder.
    const isCrowded = this.files.size + look.heard.size > MAX_FLOW_FILES;
    const isWhole = look.whole || isCrowded;
    const few = isWhole ? undefined : await lookAtFiles(this.#dir, look.heard, this.#exclude);
    const listing = few ?? (await listFlowFiles(this.#dir, this.#exclude));
    const refused = new Map(
      listing.diagnostics.filter(({ file }) => isFlowFile(file)).map((d) => [d.file, d]),
    );
    const news = new Map<string, FileState>();
    const unread = new Set<string>();
    await forEachOf(listing.files, MAX_OPEN_FLOW_FILES, async (entry) => {
      if (!now && isUnsettled(entry.file)) return;
      const state = await this.#read(entry, now);
      if (state === undefined) unread.add(entry.file);
      else news.set(entry.file, state);
    });
    for (const [file, diagnostic] of refused) news.set(file, failed(diagnostic));
    const there = new Set([...listing.files.map(({ file }) => file), ...refused.keys()]);
    for (const file of unread) there.delete(file);
    if (few === undefined) this.#unknown = listing.unknown;
    const asked = few === undefined ? [...this.files.keys()] : [...look.heard];
    const gone = this.#gone(asked, there, look);
    const changed = await this.#commit(news, gone);
    if (few === undefined) {
      this.folderDiagnostics = listing.diagnostics.filter(({ file }) => !refused.has(file));
    }
    return { changed, missing: this.#missing.size > 0 };
  }

  /** Step types have changed: files whose result is another one now. */
  async recheck(catalog: Catalog): Promise<string[]> {
    const before = new Map(this.files);
    this.#take(await this.#checker.recheck(catalog));
    return this.#changedSince(before);
  }

  /** The state as it is known, where the stamp proves that it holds. Undefined: gone meanwhile. */
  async #read(entry: FlowEntry, now: boolean): Promise<FileState | undefined> {
    const known = this.files.get(entry.file);
    if (known?.stamp === entry.stamp && !known.racy && !now) return known;
    const racy = Date.now() - entry.modified_at < RACY_MS;
    const read = await readFlowFile(entry);
    if (read === undefined) return undefined;
    if ("diagnostic" in read) return failed(read.diagnostic);
    const { text } = read;
    if (known !== undefined && known.text === text) return { ...known, stamp: entry.stamp, racy };
    return { workflow: null, version: null, diagnostics: [], text, stamp: entry.stamp, racy };
  }

  /** What has an event and is quiet is gone; else it must be missing for as long as that takes. */
  #gone(asked: string[], there: ReadonlySet<string>, look: Look): string[] {
    const gone: string[] = [];
    for (const file of asked) {
      if (!this.files.has(file)) continue;
      if (there.has(file) || this.isUnknown(file)) {
        this.#missing.delete(file);
        continue;
      }
      const since = this.#missing.get(file) ?? Date.now();
      const isLong = look.heard.has(file) || Date.now() - since >= SETTLE_MS;
      if (look.now || (isLong && !look.isUnsettled(file))) gone.push(file);
      else this.#missing.set(file, since);
    }
    return gone;
  }

  async #commit(news: Map<string, FileState>, gone: string[]): Promise<string[]> {
    const texts: FlowText[] = [];
    const removed = gone.slice();
    for (const [file, { text }] of news) {
      const known = this.files.get(file)?.text;
      if (text !== undefined && text !== known) texts.push({ file, text });
      if (text === undefined && known !== undefined) removed.push(file);
    }
    const results =
      texts.length + removed.length > 0
        ? await this.#checker.check(texts, removed)
        : new Map<string, Checked>();
    const before = new Map(this.files);
    for (const file of gone) this.files.delete(file);
    for (const file of gone) this.#missing.delete(file);
    for (const [file, state] of news) this.files.set(file, state);
    this.#take(results);
    return this.#changedSince(before);
  }

  #take(results: ReadonlyMap<string, Checked>): void {
    for (const [file, { workflow, diagnostics }] of results) {
      const state = this.files.get(file);
      if (state === undefined) continue;
      const version = workflow && versionOf(workflow);
      this.files.set(file, { ...state, workflow, diagnostics, version });
    }
  }

  #changedSince(before: ReadonlyMap<string, FileState>): string[] {
    const names = new Set([...before.keys(), ...this.files.keys()]);
    return [...names].filter((file) => !isSame(before.get(file), this.files.get(file))).sort();
  }
}

/** What a run keeps: another byte of the definition, another version. */
export function versionOf(workflow: Workflow): string {
  const text = canonicalJson(workflow as unknown as Json);
  return createHash("sha256").update(text).digest("hex");
}

function failed(diagnostic: Diagnostic): FileState {
  return {
    workflow: null,
    version: null,
    diagnostics: [diagnostic],
    text: undefined,
    stamp: "",
    racy: true,
  };
}

function isSame(a: FileState | undefined, b: FileState | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.version === b.version && JSON.stringify(a.diagnostics) === JSON.stringify(b.diagnostics);
}

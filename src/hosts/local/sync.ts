// Flow files → checked → served: keeps what new runs get in step with a folder of flow files.

import { join } from "node:path";
import type { Put, ServedWorkflow, Workflows } from "../../engine/runner.js";
import type { Catalog } from "../../flow/catalog.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import type { JsonObject } from "../../flow/json.js";
import type { Workflow } from "../../flow/workflow.js";
import {
  MAX_LOGGED_DIAGNOSTICS,
  MAX_LOGGED_WORKFLOWS,
  RESCAN_MS,
  SETTLE_MS,
} from "../../limits.js";
import { Checker } from "./checker.js";
import { listFlowFiles } from "./flow-folder.js";
import { FolderState } from "./folder-state.js";
import { listing } from "./listing.js";
import type { Log } from "./log.js";
import { putDefinition } from "./put.js";
import { type Applied, Served } from "./served.js";
import { type Watching, watchFolder } from "./watch.js";

export interface WorkflowsOptions {
  /** The folder of flow files. */
  flows: string;
  /** The folder of the store. */
  store: string;
  watch: boolean;
  catalog: Catalog;
  /** Durable when it resolves: only then is the version served. */
  saveVersion(version: string, workflow: Workflow): Promise<void>;
  log: Log;
}

export interface LocalWorkflows extends Workflows {
  /** What new runs get; undefined where the flow file is gone or was never valid. */
  current(id: string): { workflow: Workflow; version: string } | undefined;
  /** Why there is no current one, in a sentence; undefined: nobody knows this id. */
  unserved(id: string): string | undefined;
  /** Of all flow files, warnings too. */
  diagnosticsCount(): number;
  close(): Promise<void>;
}

/** Resolves when every file is checked and served. */
export async function openWorkflows(options: WorkflowsOptions): Promise<LocalWorkflows> {
  const checker = new Checker(options.catalog);
  try {
    const folder = join(options.store, "workflows");
    const served = await Served.open(folder, options.saveVersion);
    const state = new FolderState(options.flows, options.store, checker);
    const sync = new Sync(options, state, served, checker);
    await sync.start();
    return sync;
  } catch (error) {
    await checker.close();
    throw error;
  }
}

class Sync implements LocalWorkflows {
  /** Files with an event that may not have been the last, by when it came. */
  readonly #events = new Map<string, number>();
  #watching: Watching | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rescanTimer: NodeJS.Timeout | undefined;
  #closed = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly options: WorkflowsOptions,
    readonly state: FolderState,
    readonly served: Served,
    readonly checker: Checker,
  ) {}

  async start(): Promise<void> {
    const { flows, store, watch, log } = this.options;
    if (watch) {
      this.#watching = watchFolder({
        dir: flows,
        exclude: store,
        changed: (file) => this.#changed(file),
        trouble: (error) => {
          const message = `changes of ${flows} may be seen late: ${String(error)}`;
          log.warn({ folder: flows }, message);
        },
      });
    }
    try {
      await this.sync();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async list(): Promise<ServedWorkflow[]> {
    return listing(this.state, this.served);
  }

  async get(id: string): Promise<ServedWorkflow | undefined> {
    return listing(this.state, this.served).find((entry) => entry.id === id);
  }

  current(id: string): { workflow: Workflow; version: string } | undefined {
    return this.served.get(id);
  }

  unserved(id: string): string | undefined {
    if (this.served.get(id) !== undefined) return undefined;
    const entry = listing(this.state, this.served).find((each) => each.id === id);
    if (entry === undefined) return undefined;
    const first = entry.diagnostics.find(({ severity }) => severity === "error");
    const why = first ? `: ${first.file}:${first.line}:${first.column}: ${first.message}` : "";
    return `the workflow "${id}" was never valid${why}`;
  }

  diagnosticsCount(): number {
    const ofFiles = [...this.state.files.values()].map(({ diagnostics }) => diagnostics.length);
    return ofFiles.reduce((sum, count) => sum + count, this.state.folderDiagnostics.length);
  }

  async sync(): Promise<ServedWorkflow[]> {
    await this.#inTurn(() => this.#refresh(true, () => false));
    return this.list();
  }

  put(definition: JsonObject): Promise<Put> {
    return this.#inTurn(() =>
      putDefinition(definition, {
        dir: this.options.flows,
        checker: this.checker,
        files: async () => (await listFlowFiles(this.options.flows, this.options.store)).files,
        list: () => listing(this.state, this.served),
        look: async (file) => {
          this.#events.delete(file);
          await this.#refresh(false, (other) => other !== file && this.#isUnsettled(other));
        },
      }),
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#rescanTimer);
    await this.#watching?.close();
    await this.#turn;
    await this.checker.close();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(act);
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #changed(file: string | undefined): void {
    if (file !== undefined) this.#events.set(file, performance.now());
    this.#later();
  }

  /** The first event of many begins the wait: a file that is never quiet delays no other. */
  #later(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#inTurn(() => this.#look());
    }, SETTLE_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    try {
      await this.#refresh(false, (file) => this.#isUnsettled(file));
    } catch (error) {
      this.options.log.error({ folder: this.options.flows }, `not all is served: ${said(error)}`);
    }
    this.#rescan();
  }

  /** An event that got lost leaves no file stale: all is quiet, so the whole is looked at. */
  #rescan(): void {
    clearTimeout(this.#rescanTimer);
    if (this.#closed || this.#timer !== undefined) return;
    this.#rescanTimer = setTimeout(() => {
      void this.#inTurn(async () => {
        if (this.#closed) return;
        await this.#refresh(false, (file) => this.#isUnsettled(file)).catch((error: unknown) => {
          const { flows, log } = this.options;
          log.error({ folder: flows }, `not all is served: ${said(error)}`);
        });
      });
    }, RESCAN_MS);
    this.#rescanTimer.unref();
  }

  #isUnsettled(file: string): boolean {
    const at = this.#events.get(file);
    if (at === undefined) return false;
    if (performance.now() - at < SETTLE_MS) return true;
    this.#events.delete(file);
    return false;
  }

  /** Rejects where something could not be served; all else is. */
  async #refresh(now: boolean, isUnsettled: (file: string) => boolean): Promise<void> {
    const { changed, waiting } = await this.state.refresh(now, isUnsettled);
    if (waiting) this.#later();
    const applied = await this.served.apply(this.state);
    this.#logDiagnostics(changed);
    this.#logApplied(applied);
    if (applied.errors.length > 0) throw applied.errors[0];
  }

  #logDiagnostics(changed: string[]): void {
    const { log } = this.options;
    for (const file of changed) {
      const diagnostics = this.state.files.get(file)?.diagnostics ?? [];
      for (const diagnostic of diagnostics.slice(0, MAX_LOGGED_DIAGNOSTICS)) {
        log.warn(fieldsOf(diagnostic), inWords(diagnostic));
      }
      const more = diagnostics.length - MAX_LOGGED_DIAGNOSTICS;
      if (more > 0) log.warn({ file }, `${file}: and ${more} more; see flows validate`);
    }
  }

  #logApplied({ started, stopped }: Applied): void {
    const { log } = this.options;
    if (started.length + stopped.length > MAX_LOGGED_WORKFLOWS) {
      const fields = { served: started.length, stopped: stopped.length };
      log.info(fields, `${started.length} workflows are served anew, ${stopped.length} no longer`);
      return;
    }
    for (const { id, version, file } of started) {
      log.info({ workflow_id: id, version, file }, `${id} is served from ${file}`);
    }
    for (const { id, file } of stopped) {
      log.info({ workflow_id: id, file }, `${id} is no longer served: ${file} is gone`);
    }
  }
}

function fieldsOf({ file, line, column, kind }: Diagnostic): object {
  return { file, line, column, kind };
}

function inWords({ file, line, column, kind, message, suggestion }: Diagnostic): string {
  const hint = suggestion === undefined ? "" : ` (${suggestion})`;
  return `${file}:${line}:${column}: ${message}${hint} [${kind}]`;
}

function said(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

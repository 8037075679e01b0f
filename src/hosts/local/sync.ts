// Flow files → checked → served: keeps what new runs get in step with a folder of flow files.

import { join } from "node:path";
import type { Put, PutRights, ServedWorkflow, Workflows } from "../../engine/runner.js";
import type { Catalog } from "../../flow/catalog.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import type { JsonObject } from "../../flow/json.js";
import type { Workflow } from "../../flow/workflow.js";
import {
  LOOK_MS,
  MAX_LOGGED_DIAGNOSTICS,
  MAX_LOGGED_WORKFLOWS,
  MAX_SINGLE_LOOKS,
  RESCAN_MS,
  SETTLE_MS,
} from "../../limits.js";
import { Checker } from "./checker.js";
import { isFlowFile, listFlowFiles } from "./flow-folder.js";
import { FolderState, type Look } from "./folder-state.js";
import { listing, servedEntry } from "./listing.js";
import type { Log } from "./log.js";
import { type Applied, Served } from "./served.js";
import { type Watching, watchFolder } from "./watch.js";

export interface WorkflowsOptions {
  /** The folder of flow files. */
  flows: string;
  /** The folder of the store. */
  store: string;
  watch: boolean;
  /** False: the flow files are looked at when somebody asks for them, and not before. */
  drive?: boolean;
  catalog: Catalog;
  /** What data may choose to call. */
  allowed_hosts?: readonly unknown[];
  /** Looks whether the step types have changed, before all files are looked at. */
  beforeSync?(): Promise<void>;
  /** Durable when it resolves: only then is the version served. */
  saveVersion(version: string, workflow: Workflow): Promise<void>;
  log: Log;
  /** What new runs get may have changed. */
  applied?(): void;
}

export interface LocalWorkflows extends Workflows {
  /** Resolves once all files have been looked at. */
  ready(): Promise<void>;
  /** What new runs get; undefined where the flow file is gone or was never valid. */
  current(id: string): { workflow: Workflow; version: string } | undefined;
  /** What new runs get, of every id. */
  all(): { id: string; version: string; workflow: Workflow }[];
  /** Why there is no current one, in a sentence; undefined: nobody knows this id. */
  unserved(id: string): string | undefined;
  /** Of all flow files, warnings too. */
  diagnosticsCount(): number;
  /** Step types have changed: all files are checked again. */
  recheck(catalog: Catalog): Promise<void>;
  close(): Promise<void>;
}

/** Resolves when every file is checked and served; without `drive`, before. */
export async function openWorkflows(options: WorkflowsOptions): Promise<LocalWorkflows> {
  const listsHosts = (options.allowed_hosts ?? []).length > 0;
  const checker = new Checker(options.catalog, listsHosts);
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
  /** More may have changed than there are events for. */
  #whole = false;
  /** The next look is the one after all is quiet. */
  #isRescan = false;
  #watching: Watching | undefined;
  #timer: NodeJS.Timeout | undefined;
  #rescanTimer: NodeJS.Timeout | undefined;
  #closed = false;
  /** The first look at all files. */
  #looked: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(
    readonly options: WorkflowsOptions,
    readonly state: FolderState,
    readonly served: Served,
    readonly checker: Checker,
  ) {}

  async start(): Promise<void> {
    const { flows, store, watch, drive, log } = this.options;
    if (drive === false && !watch) return;
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
      await this.ready();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  ready(): Promise<void> {
    return this.#looked ?? this.#lookAtAll();
  }

  async list(): Promise<ServedWorkflow[]> {
    await this.ready();
    return listing(this.state, this.served);
  }

  async get(id: string): Promise<ServedWorkflow | undefined> {
    await this.ready();
    const served = this.served.get(id);
    if (served !== undefined) return servedEntry(served, this.state);
    return listing(this.state, this.served).find((entry) => entry.id === id);
  }

  current(id: string): { workflow: Workflow; version: string } | undefined {
    return this.served.get(id);
  }

  all(): { id: string; version: string; workflow: Workflow }[] {
    return this.served.all();
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

  recheck(catalog: Catalog): Promise<void> {
    return this.#inTurn(async () => this.#serve(await this.state.recheck(catalog)));
  }

  async sync(): Promise<ServedWorkflow[]> {
    await this.options.beforeSync?.();
    await this.#lookAtAll();
    return this.list();
  }

  #lookAtAll(): Promise<void> {
    const look = { now: true, whole: true, heard: new Set<string>(), isUnsettled: () => false };
    const looked = this.#inTurn(() => this.#refresh(look));
    this.#looked ??= looked;
    return looked;
  }

  async put(definition: JsonObject, may?: PutRights): Promise<Put> {
    await this.ready();
    return this.#inTurn(async () => {
      const { putDefinition } = await import("./put.js");
      return putDefinition(definition, {
        dir: this.options.flows,
        may: may ?? { private_hosts: true },
        checker: this.checker,
        files: async () => (await listFlowFiles(this.options.flows, this.options.store)).files,
        list: () => listing(this.state, this.served),
        look: async (file) => {
          this.#events.delete(file);
          const isUnsettled = (other: string) => other !== file && this.#events.has(other);
          await this.#refresh({ now: false, whole: false, heard: new Set([file]), isUnsettled });
        },
      });
    });
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
    // Of what is no flow file it is not known what depends on it: a link may lead through it.
    if (file === undefined || !isFlowFile(file)) this.#whole = true;
    else this.#events.set(file, performance.now());
    this.#later();
  }

  /** The first event of many begins the wait: a file that is never quiet delays no other. */
  #later(): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.#inTurn(() => this.#look());
    }, LOOK_MS);
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    if (this.#closed) return;
    const isRescan = this.#isRescan;
    const whole = this.#whole || this.#events.size > MAX_SINGLE_LOOKS;
    const heard = this.#hear();
    try {
      const isUnsettled = (file: string) => this.#events.has(file);
      await this.#refresh({ now: false, whole, heard, isUnsettled });
    } catch (error) {
      this.options.log.error({ folder: this.options.flows }, `not all is served: ${said(error)}`);
    }
    if (this.#events.size > 0) this.#later();
    if (!isRescan || heard.size > 0) this.#rescan();
  }

  /** What was heard of since the last look. Of what is not quiet yet, the event is kept. */
  #hear(): Set<string> {
    this.#whole = false;
    this.#isRescan = false;
    const heard = new Set(this.#events.keys());
    for (const [file, at] of this.#events) {
      if (performance.now() - at >= SETTLE_MS) this.#events.delete(file);
    }
    return heard;
  }

  /** An event that got lost leaves no file stale: all is quiet, so the whole is looked at. */
  #rescan(): void {
    clearTimeout(this.#rescanTimer);
    if (this.#closed || this.#timer !== undefined) return;
    this.#rescanTimer = setTimeout(() => {
      this.#isRescan = true;
      this.#changed(undefined);
    }, RESCAN_MS);
    this.#rescanTimer.unref();
  }

  /** Rejects where something could not be served; all else is. */
  async #refresh(look: Look): Promise<void> {
    const { changed, missing } = await this.state.refresh(look);
    // Perhaps about to be put back: a second look tells.
    if (missing) this.#changed(undefined);
    await this.#serve(changed);
  }

  async #serve(changed: string[]): Promise<void> {
    const applied = await this.served.apply(this.state);
    this.#logDiagnostics(changed);
    this.#logApplied(applied);
    if (applied.started.length + applied.stopped.length > 0) this.options.applied?.();
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

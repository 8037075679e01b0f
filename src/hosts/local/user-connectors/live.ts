// The connectors of a host: the built-in ones and those of the folder, as its files are now.

import { connectors as builtIn, type Connectors, catalogOf } from "../../../connectors/index.js";
import type { Catalog } from "../../../flow/catalog.js";
import { LOOK_MS, MAX_LOGGED_DIAGNOSTICS, RESCAN_MS } from "../../../limits.js";
import type { Log } from "../log.js";
import { type Watching, watchFolder } from "../watch.js";
import type { Crew } from "./crew.js";
import { connectorsFolder, fileNamed, loadConnectors } from "./load.js";
import type { UserConnector } from "./load-file.js";

export interface LiveConnectors {
  /** One object, whose entries follow the files. */
  connectors: Connectors;
  catalog(): Catalog;
  /** Looks at the files now; what has changed is told by `changed`. */
  reload(): Promise<void>;
  /** From now on follows the files. */
  watch(changed: (catalog: Catalog) => Promise<void>): void;
  close(): Promise<void>;
}

export interface LiveOptions {
  flows: string;
  store: string;
  log: Log;
}

export async function openConnectors(options: LiveOptions): Promise<LiveConnectors> {
  const live = new Live(options);
  await live.reload();
  return live;
}

class Live implements LiveConnectors {
  readonly connectors: { [type: string]: Connectors[string] };
  readonly #options: LiveOptions;
  readonly #folder: string;
  #known: UserConnector[] = [];
  /** Of connectors that have changed: calls that began before may still be under way. */
  #retired: Crew[] = [];
  #catalog = "";
  #changed: (catalog: Catalog) => Promise<void> = async () => {};
  #watching: Watching | undefined;
  #timer: NodeJS.Timeout | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: LiveOptions) {
    this.#options = options;
    this.#folder = connectorsFolder(options.flows);
    this.connectors = Object.assign(Object.create(null), builtIn);
  }

  catalog(): Catalog {
    return catalogOf(this.connectors);
  }

  reload(): Promise<void> {
    const turn = this.#turn.then(() => this.#reload());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  watch(changed: (catalog: Catalog) => Promise<void>): void {
    const { log, store } = this.#options;
    this.#changed = changed;
    this.#watching = watchFolder({
      dir: this.#folder,
      exclude: store,
      // A second look finds what was written between an event and the first.
      changed: () => this.#later(LOOK_MS, () => this.#later(RESCAN_MS)),
      trouble: (error) => {
        const message = `changes of ${this.#folder} may be seen late: ${String(error)}`;
        log.warn({ folder: this.#folder }, message);
      },
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#watching?.close();
    await this.#turn;
    const crews = [...this.#retired, ...this.#known.map(({ crew }) => crew)];
    await Promise.all(crews.map((crew) => crew.close()));
  }

  #later(ms: number, then?: () => void): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      this.reload().then(then, (error: unknown) => {
        const message = `the connectors are not loaded anew: ${String(error)}`;
        this.#options.log.error({ folder: this.#folder }, message);
      });
    }, ms);
    this.#timer.unref();
  }

  async #reload(): Promise<void> {
    const { found, diagnostics } = await loadConnectors(
      this.#folder,
      fileNamed(this.#folder),
      this.#known,
    );
    // As with flow files: of one that has a mistake now, the last good one stays.
    const broken = new Set(diagnostics.map(({ file }) => file));
    const types = new Set(found.map(({ connector }) => connector.type));
    const kept = this.#known.filter(
      ({ name, connector }) => broken.has(name) && !types.has(connector.type),
    );
    this.#say(diagnostics);
    this.#put([...found, ...kept]);
    const catalog = JSON.stringify(this.catalog());
    const isNew = catalog !== this.#catalog;
    this.#catalog = catalog;
    if (isNew) await this.#changed(this.catalog());
  }

  #put(next: UserConnector[]): void {
    const { log } = this.#options;
    for (const old of this.#known) {
      if (next.includes(old)) continue;
      delete this.connectors[old.connector.type];
      old.crew.retire();
      this.#retired = [...this.#retired.filter((crew) => !crew.isEmpty), old.crew];
    }
    for (const each of next) {
      if (this.#known.includes(each)) continue;
      const { type } = each.connector;
      log.info({ file: each.name, type }, `steps of type ${type} are performed by ${each.name}`);
    }
    for (const { connector } of next) this.connectors[connector.type] = connector;
    this.#known = next;
  }

  #say(diagnostics: { file: string; line: number; column: number; message: string }[]): void {
    for (const { file, line, column, message } of diagnostics.slice(0, MAX_LOGGED_DIAGNOSTICS)) {
      this.#options.log.warn({ file, line, column }, `${file}:${line}:${column}: ${message}`);
    }
  }
}

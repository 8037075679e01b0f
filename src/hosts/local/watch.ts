// Says when something in a folder changes, also when the folder itself comes, goes or is replaced.

import { statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { type FSWatcher, watch } from "chokidar";
import { WATCH_POLL_MS } from "../../limits.js";
import { isIgnored } from "./flow-folder.js";

export interface Watching {
  close(): Promise<void>;
}

export interface WatchOptions {
  dir: string;
  /** Not looked at: a store inside. */
  exclude: string;
  /** A path relative to the folder, with `/`; undefined: look at everything. */
  changed(file?: string): void;
  /** Events may get lost from now on; everything is looked at each second instead. */
  trouble(error: unknown): void;
}

export function watchFolder({ dir, exclude, changed, trouble }: WatchOptions): Watching {
  const root = resolve(dir);
  const away = resolve(exclude);
  let watcher: FSWatcher | undefined;
  let watched: string | undefined;
  let isBlind = false;

  function start(): void {
    watched = identityOf(root);
    if (watched === undefined) return;
    watcher = watch(root, {
      // What a link leads to is none of this folder's business.
      followSymlinks: false,
      ignoreInitial: true,
      // It would hold an unlink back, in the hope of an add; here each event just begins a look.
      atomic: false,
      ignored: (path) => path === away || isHidden(relative(root, path)),
    });
    watcher.on("all", (event, path) => {
      const isFile = event === "add" || event === "change" || event === "unlink";
      changed(isFile ? relative(root, path).split(sep).join("/") : undefined);
    });
    // What changed before the watcher was ready has had no event.
    watcher.on("ready", () => changed());
    watcher.on("error", (error) => {
      if (!isBlind) trouble(error);
      isBlind = true;
    });
  }

  /** A folder that is removed and made again is another one, and its watcher hears nothing. */
  function poll(): void {
    if (identityOf(root) !== watched) {
      void watcher?.close();
      watcher = undefined;
      start();
      changed();
    } else if (isBlind) changed();
  }

  start();
  const timer = setInterval(poll, WATCH_POLL_MS);
  timer.unref();
  return {
    close: async () => {
      clearInterval(timer);
      await watcher?.close();
    },
  };
}

function isHidden(path: string): boolean {
  return path !== "" && path.split(sep).some((name) => name !== ".." && isIgnored(name));
}

function identityOf(path: string): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats?.isDirectory() ? `${stats.dev} ${stats.ino} ${stats.birthtimeMs}` : undefined;
}

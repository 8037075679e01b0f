// Where run documents go: to the thread that writes them, one batch at a time.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { type Disk, nodeDisk } from "./disk.js";
import {
  type DocumentAnswer,
  type DocumentBatch,
  DocumentWriter,
  packBatch,
} from "./document-writer.js";

/** Takes one batch at a time. */
export interface DocumentSink {
  send(batch: DocumentBatch, done: (answer: DocumentAnswer) => void): void;
  close(): Promise<void>;
}

/** The worker's thread; or, where there is no compiled worker (in tests), this one. */
export function createSink(folder: string, disk: Disk | undefined): DocumentSink {
  const url = new URL("./documents-worker.js", import.meta.url);
  if (disk) return new InlineSink(new DocumentWriter(disk, folder));
  if (!existsSync(fileURLToPath(url))) return new InlineSink(new DocumentWriter(nodeDisk, folder));
  return new WorkerSink(url, folder);
}

class InlineSink implements DocumentSink {
  constructor(readonly writer: DocumentWriter) {}

  send(batch: DocumentBatch, done: (answer: DocumentAnswer) => void): void {
    setImmediate(() => done(this.writer.handle(batch)));
  }

  async close(): Promise<void> {}
}

export class WorkerSink implements DocumentSink {
  #worker: Worker | undefined;
  #answer: ((answer: DocumentAnswer) => void) | undefined;
  #batch: DocumentBatch | undefined;

  constructor(
    readonly url: URL,
    readonly folder: string,
  ) {}

  send(batch: DocumentBatch, done: (answer: DocumentAnswer) => void): void {
    this.#worker ??= this.#start();
    this.#batch = batch;
    this.#answer = done;
    // While it works the process must not end; while it waits it may.
    this.#worker.ref();
    this.#worker.postMessage(packBatch(batch));
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(this.url, { workerData: this.folder });
    worker.on("message", (answer: DocumentAnswer) => this.#settle(answer));
    worker.on("error", (error) => {
      this.#worker = undefined;
      this.#settle(allFailed(this.#batch, `the documents' thread ended: ${error.message}`));
    });
    return worker;
  }

  #settle(answer: DocumentAnswer): void {
    const done = this.#answer;
    this.#answer = undefined;
    this.#worker?.unref();
    done?.(answer);
  }
}

function allFailed(batch: DocumentBatch | undefined, reason: string): DocumentAnswer {
  const all = (pairs: string[] = []): [number, string][] =>
    Array.from({ length: pairs.length / 2 }, (_, place) => [place, reason]);
  return { write: all(batch?.write), repair: all(batch?.repair), sync: reason };
}

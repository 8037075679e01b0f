// Checks flow files in a thread with a deadline, and starts another one when a text stalls it.

import { Worker } from "node:worker_threads";
import type { Catalog } from "../../flow/catalog.js";
import type { Checked } from "../../flow/check.js";
import { CHECK_DEADLINE_MS, CHECK_FOLDER_DEADLINE_MS, CHECKER_MEMORY_MB } from "../../limits.js";
import type { CheckReply, CheckRequest, FileResult } from "./check-worker.js";
import { type FlowText, unreadable } from "./flow-folder.js";

/** One file's result, as it is with all others around it. */
export type Results = Map<string, Checked>;

export interface CheckLimits {
  deadline_ms: number;
  memory_mb: number;
}

const LIMITS: CheckLimits = { deadline_ms: CHECK_DEADLINE_MS, memory_mb: CHECKER_MEMORY_MB };

export class Checker {
  #catalog: Catalog;
  readonly #limits: CheckLimits;
  /** What the thread knows, to tell it to the next one. */
  readonly #texts = new Map<string, string>();
  /** Texts that stalled a thread, by file: they are not tried again. */
  readonly #stalling = new Map<string, string>();
  #worker: Worker | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  /** `lists_hosts`: somebody has said which hosts data may choose. */
  constructor(
    catalog: Catalog,
    readonly lists_hosts = false,
    limits: CheckLimits = LIMITS,
  ) {
    this.#catalog = catalog;
    this.#limits = limits;
  }

  /** Results of all files that changed, and of those that are seen differently because of them. */
  check(changed: FlowText[], removed: string[]): Promise<Results> {
    return this.#inTurn(() => this.#check(changed, removed));
  }

  /** The same of all files, by another catalog from now on. */
  recheck(catalog: Catalog): Promise<Results> {
    return this.#inTurn(async () => {
      this.#catalog = catalog;
      await this.close();
      return this.#check([], []);
    });
  }

  /** What `check` would say of this text; nothing is kept. */
  try(text: FlowText): Promise<Checked> {
    return this.#inTurn(() => this.#try(text));
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(act);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #check(changed: FlowText[], removed: string[]): Promise<Results> {
    const results: Results = new Map();
    for (const file of removed) this.#forget(file);
    for (const { file, text } of changed) {
      this.#forget(file);
      this.#texts.set(file, text);
    }
    let request: CheckRequest = { changed, removed, trial: false };
    for (;;) {
      if (this.#worker === undefined) request = { ...request, changed: this.#all() };
      const answer = await this.#ask(request);
      if ("results" in answer) {
        for (const { file, ...checked } of answer.results) results.set(file, checked);
        return results;
      }
      // This text is out; all others are told to the next thread.
      const text = this.#texts.get(answer.stalled) ?? "";
      this.#forget(answer.stalled);
      this.#stalling.set(answer.stalled, text);
      results.set(answer.stalled, stalled(answer.stalled, answer.why));
    }
  }

  async #try(text: FlowText): Promise<Checked> {
    if (this.#stalling.get(text.file) === text.text) {
      return stalled(text.file, "an earlier check of this text did not end");
    }
    if (this.#worker === undefined) {
      await this.#check([], []);
    }
    const answer = await this.#ask({ changed: [text], removed: [], trial: true });
    if ("stalled" in answer) return stalled(text.file, answer.why);
    const result = answer.results.find(({ file }) => file === text.file);
    if (result === undefined) throw new Error(`the check said nothing about ${text.file}`);
    return { workflow: result.workflow, diagnostics: result.diagnostics };
  }

  #forget(file: string): void {
    this.#texts.delete(file);
    this.#stalling.delete(file);
  }

  #all(): FlowText[] {
    return [...this.#texts].map(([file, text]) => ({ file, text }));
  }

  /** Rejects where no single file is to blame: then the checker itself is broken. */
  #ask(
    request: CheckRequest,
  ): Promise<{ results: FileResult[] } | { stalled: string; why: string }> {
    const worker = this.#start();
    return new Promise((resolve, reject) => {
      let at = "";
      let timer: NodeJS.Timeout | undefined;
      const wind = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => giveUp(`its check did not end within ${ms / 1_000} s`), ms);
      };
      const rest = () => {
        clearTimeout(timer);
        worker.off("message", onReply).off("error", onError).off("exit", onExit).unref();
      };
      const giveUp = (why: string) => {
        rest();
        if (this.#worker === worker) this.#worker = undefined;
        // After its end, so that two threads never work at once.
        void worker.terminate().then(() => {
          if (at === "") reject(new Error(`the check of the flow files broke off: ${why}`));
          else resolve({ stalled: at, why });
        });
      };
      const onReply = (reply: CheckReply) => {
        if ("results" in reply) {
          rest();
          resolve(reply);
          return;
        }
        at = reply.at;
        wind(at === "" ? CHECK_FOLDER_DEADLINE_MS : this.#limits.deadline_ms);
      };
      const onError = (error: Error) => giveUp(`its check broke: ${error.message}`);
      const onExit = () => giveUp("its check broke off");
      worker.on("message", onReply).on("error", onError).on("exit", onExit).ref();
      wind(CHECK_FOLDER_DEADLINE_MS);
      worker.postMessage(request);
    });
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const worker = new Worker(workerFile(), {
      workerData: { catalog: { ...this.#catalog }, lists_hosts: this.lists_hosts },
      resourceLimits: { maxOldGenerationSizeMb: this.#limits.memory_mb },
    });
    // One that ends while nobody asks is replaced at the next question.
    worker
      .on("error", () => {})
      .on("exit", () => {
        if (this.#worker === worker) this.#worker = undefined;
      });
    this.#worker = worker;
    return worker;
  }
}

function stalled(file: string, why: string): Checked {
  const message = `the file cannot be checked: ${why}`;
  const suggestion = "make it simpler, or split it into sub-workflows";
  return { workflow: null, diagnostics: [unreadable(file, message, suggestion)] };
}

/** A thread runs JavaScript only; where the sources run as they are, the built one beside them. */
function workerFile(): URL {
  const built = import.meta.url.endsWith(".ts") ? "../../../dist/hosts/local/" : "./";
  return new URL(`${built}check-worker.js`, import.meta.url);
}

// The processes of one connector: each performs one call at a time, so that none harms another's.

import type { Call, Io } from "../../../engine/ports.js";
import type { Json } from "../../../flow/json.js";
import { CONNECTOR_IDLE_MS, MAX_CONNECTOR_PROCESSES } from "../../../limits.js";
import type { Bundle } from "./bundle.js";
import { ConnectorProcess } from "./connector-process.js";

export class Crew {
  readonly #all = new Set<ConnectorProcess>();
  readonly #idle: { process: ConnectorProcess; timer: NodeJS.Timeout }[] = [];
  /** Calls that wait for a process, oldest first. */
  readonly #queue: (() => void)[] = [];
  #isRetired = false;

  constructor(readonly bundle: Bundle) {}

  /** Of the signal, only that the call ends matters: the caller knows why. */
  async run(call: Call, signal: AbortSignal, log: Io["log"]): Promise<Json> {
    const process = await this.#take(signal);
    try {
      if (signal.aborted) throw new Error("it was stopped before it began");
      return await process.run(call, signal, log);
    } finally {
      // One that was told to stop may still be at it.
      if (signal.aborted) await process.stop();
      this.#putBack(process);
    }
  }

  /** For a connector that has changed: what is under way ends, and then its process. */
  retire(): void {
    this.#isRetired = true;
    for (const { process, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      void process.stop();
    }
  }

  /** Nothing of it runs any more. */
  get isEmpty(): boolean {
    return this.#all.size === 0;
  }

  async close(): Promise<void> {
    this.retire();
    await Promise.all([...this.#all].map((process) => process.stop()));
  }

  async #take(signal: AbortSignal): Promise<ConnectorProcess> {
    while (this.#all.size >= MAX_CONNECTOR_PROCESSES && this.#idle.length === 0) {
      await this.#turn(signal);
    }
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.process.isAlive) return idle.process;
    }
    return this.#start();
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#queue.push(resolve);
      signal.addEventListener("abort", () => {
        const at = this.#queue.indexOf(resolve);
        if (at >= 0) this.#queue.splice(at, 1);
        resolve();
      });
    });
    if (!signal.aborted) return;
    // Its turn may have come just now: then it is the next one's.
    this.#queue.shift()?.();
    throw new Error("it was stopped before its turn came");
  }

  async #start(): Promise<ConnectorProcess> {
    const process = new ConnectorProcess(this.bundle);
    this.#all.add(process);
    void process.ended.then(() => {
      this.#all.delete(process);
      this.#queue.shift()?.();
    });
    const loaded = await process.load();
    // It was loaded before: the next call, or the next attempt, may find it well again.
    if ("broken" in loaded) {
      await process.stop();
      throw new Error(`its file could not be loaded: ${loaded.broken}`);
    }
    return process;
  }

  #putBack(process: ConnectorProcess): void {
    if (!process.isAlive) return;
    if (this.#isRetired) {
      void process.stop();
      return;
    }
    const timer = setTimeout(() => {
      const at = this.#idle.findIndex((idle) => idle.process === process);
      if (at >= 0) this.#idle.splice(at, 1);
      void process.stop();
    }, CONNECTOR_IDLE_MS);
    timer.unref();
    this.#idle.push({ process, timer });
    this.#queue.shift()?.();
  }
}

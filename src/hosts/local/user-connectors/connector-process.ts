// One child process with one connector in it, and at most one call at a time.

import { dirname } from "node:path";
import type { Duplex } from "node:stream";
import { type Call, ConnectorError, type Io } from "../../../engine/ports.js";
import type { Json, JsonObject } from "../../../flow/json.js";
import {
  CONNECTOR_LOAD_MS,
  CONNECTOR_MEMORY_MB,
  CONNECTOR_STOP_MS,
  MAX_LISTED_MESSAGE,
  MAX_RESPONSE_BYTES,
} from "../../../limits.js";
import { type ProcessGroup, plainEnvironment, startGroup } from "../process-group.js";
import { TextLines } from "../text-lines.js";
import { throttle } from "../throttle.js";
import { type Bundle, builtFile } from "./bundle.js";
import { type FromChild, receive, send, type ToChild } from "./wire.js";

/** What a connector's file says when it is loaded; or why it cannot be. */
export type Loaded =
  | { definitions: Json[] }
  | { broken: string /** With the places in the user's own files. */; stack: string };

export class ConnectorProcess {
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
  readonly #group: ProcessGroup;
  readonly #wire: Duplex;
  #answer: (message: FromChild) => void = () => {};
  /** Of the latest call: what it wrote may arrive after its answer. */
  #log: Io["log"] = () => {};
  #hasEnded = false;
  #excess = false;

  constructor(readonly bundle: Bundle) {
    this.#group = startGroup([process.execPath, ...OPTIONS, builtFile("child.js")], {
      cwd: dirname(bundle.file),
      env: plainEnvironment(),
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const { child } = this.#group;
    this.#wire = child.stdio[3] as Duplex;
    this.#wire.on("error", () => {});
    const slow = throttle(this.#wire);
    this.#wire.on("data", slow);
    receive<FromChild>(
      this.#wire,
      2 * MAX_RESPONSE_BYTES,
      (message) => this.#heard(message),
      () => {
        this.#excess = true;
        void this.#group.stop(0);
      },
    );
    this.#logOutput();
    const end = () => {
      this.#hasEnded = true;
    };
    this.ended = this.#group.ended.then(end, end);
  }

  /** Can it be given another call? */
  get isAlive(): boolean {
    return !this.#hasEnded;
  }

  async load(): Promise<Loaded> {
    const timer = setTimeout(() => void this.#group.stop(0), CONNECTOR_LOAD_MS);
    const { file, code } = this.bundle;
    const heard = await this.#ask({ type: "load", file, code }, () => {}).finally(() =>
      clearTimeout(timer),
    );
    if (typeof heard === "string") return { broken: `its process ${heard}`, stack: "" };
    if (heard.type === "loaded") return { definitions: heard.definitions };
    const { message, stack } = heard as Extract<FromChild, { type: "broken" }>;
    return { broken: message, stack };
  }

  /** Rejects with a ConnectorError, or, where the signal ended it, with any error. */
  async run(call: Call, signal: AbortSignal, log: Io["log"]): Promise<Json> {
    const stop = () => {
      send(this.#wire, { type: "abort" });
      // Whatever it still has in hand, nobody wants it: it is not given another call.
      setTimeout(() => void this.#group.stop(0), CONNECTOR_STOP_MS);
    };
    signal.addEventListener("abort", stop);
    const message: ToChild = { type: "run", config: call.config, context: contextOf(call) };
    const heard = await this.#ask(message, log).finally(() =>
      signal.removeEventListener("abort", stop),
    );
    if (signal.aborted) throw new Error("it was stopped");
    if (typeof heard === "string") throw this.#crash(call, heard);
    if (heard.type === "output") return heard.output;
    throw failureOf(heard as Extract<FromChild, { type: "failure" }>);
  }

  stop(): Promise<void> {
    return this.#group.stop(0);
  }

  /** Its answer; or, as a sentence without its beginning, how the process ended before that. */
  #ask(message: ToChild, log: Io["log"]): Promise<FromChild | string> {
    this.#log = log;
    const answer = new Promise<FromChild>((resolve) => {
      this.#answer = resolve;
    });
    send(this.#wire, message);
    const end = this.#group.ended.then(
      ({ code, signal }) => `ended with ${signal ?? `exit code ${code}`}`,
      (error: Error) => `could not be started: ${error.message}`,
    );
    return Promise.race([answer, end]);
  }

  #heard(message: FromChild): void {
    if (message.type !== "log") {
      this.#answer(message);
      return;
    }
    const { level, text, data } = message;
    const line = { stream: "log", level, text: String(text) } as const;
    this.#log(data === undefined ? line : { ...line, data });
  }

  #logOutput(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const lines = new TextLines((text) => this.#log({ stream, text }));
      const from = this.#group.child[stream];
      const slow = throttle(from);
      from?.on("data", (chunk: Buffer) => {
        slow(chunk);
        lines.push(chunk);
      });
      from?.on("end", () => lines.end());
    }
  }

  #crash({ type }: Call, how: string): ConnectorError {
    if (this.#excess) {
      const message = `the ${type} connector answered with more than ${MAX_RESPONSE_BYTES} bytes`;
      return new ConnectorError({ kind: "too_large", message });
    }
    const isMemory = /SIGABRT|SIGKILL|134/.test(how);
    const hint = isMemory ? ` (it may have ${CONNECTOR_MEMORY_MB} MiB of memory)` : "";
    const message = `the process of the ${type} connector ${how}${hint}: flows logs may say why`;
    return new ConnectorError({ kind: "connector_crashed", message });
  }
}

const OPTIONS = [`--max-old-space-size=${CONNECTOR_MEMORY_MB}`, "--enable-source-maps"];

function contextOf(call: Call): JsonObject {
  const { idempotency_key: key, run_id, workflow_id, step_id, attempt } = call;
  return { key, run_id, workflow_id, step_id, attempt };
}

function failureOf({ message, kind, retry_after_ms }: Extract<FromChild, { type: "failure" }>) {
  const isKind = kind !== undefined && /^[a-z][a-z0-9_]{0,63}$/.test(kind);
  const failure = {
    kind: isKind ? kind : "connector",
    message: String(message).slice(0, MAX_LISTED_MESSAGE),
  };
  return new ConnectorError(failure, retry_after_ms);
}

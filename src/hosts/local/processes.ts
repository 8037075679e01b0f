// Runs the programs of shell steps: bounded, stopped in time, with all they write in the log.

import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ConnectorError,
  type ProcessEnd,
  type ProcessRequest,
  type Written,
} from "../../engine/ports.js";
import { MAX_LISTED_MESSAGE, PROCESS_DRAIN_MS } from "../../limits.js";
import { type ProcessGroup, plainEnvironment, startGroup } from "./process-group.js";
import { errorCode } from "./store-error.js";
import { TextLines } from "./text-lines.js";
import { throttle } from "./throttle.js";

export class Processes {
  readonly #folder: string;
  readonly #running = new Set<ProcessGroup>();

  /** `folder`: where programs run, and which they are not started outside of. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async run(request: ProcessRequest, log: (entry: Written) => void): Promise<ProcessEnd> {
    const { command, env, signal } = request;
    const cwd = await this.#inside(request.cwd);
    if (signal.aborted) throw new Error("it was stopped before it began");
    const group = start(command, { cwd, env: { ...plainEnvironment(), ...env } });
    this.#running.add(group);
    // The signal's reason says why; the caller knows it.
    signal.addEventListener("abort", () => void group.stop());
    try {
      const kept = keepOutput(group, request.max_stdout_bytes, log);
      const { code, signal: killed } = await group.ended;
      await Promise.race([kept.closed, sleep(PROCESS_DRAIN_MS)]);
      if (signal.aborted) throw new Error("it was stopped");
      if (code === null) throw killedError(command, killed);
      return { exit_code: code, ...kept.end() };
    } catch (error) {
      throw startError(command, error);
    } finally {
      this.#running.delete(group);
    }
  }

  /** Stops what still runs; resolves when it has ended. */
  async close(): Promise<void> {
    await Promise.all([...this.#running].map((group) => group.stop()));
  }

  async #inside(relative: string): Promise<string> {
    const path = resolve(this.#folder, relative);
    const [root, cwd] = await Promise.all([
      realpath(this.#folder),
      realpath(path).catch(() => undefined),
    ]);
    if (cwd === undefined) throw invalid(`there is no folder ${relative} to run in`);
    if (cwd === root || cwd.startsWith(`${root}${sep}`)) return cwd;
    throw invalid(`cwd ${relative} leads out of the folder that holds the flows folder`);
  }
}

function start(command: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): ProcessGroup {
  try {
    return startGroup(command, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    throw startError(command, error);
  }
}

/** Reads on when enough is kept: a program must not hang because nobody listens. */
function keepOutput({ child }: ProcessGroup, limit: number, log: (entry: Written) => void) {
  const chunks: Buffer[] = [];
  let size = 0;
  let lastWords = "";
  const out = new TextLines((text) => log({ stream: "stdout", text }));
  const err = new TextLines((text) => {
    if (text.trim() !== "") lastWords = text.trim();
    log({ stream: "stderr", text });
  });
  const slow = [child.stdout, child.stderr].map((stream) => throttle(stream));
  child.stdout?.on("data", (chunk: Buffer) => {
    slow[0]?.(chunk);
    out.push(chunk);
    if (size < limit) chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    slow[1]?.(chunk);
    err.push(chunk);
  });
  const closed = new Promise<void>((resolve) => child.on("close", () => resolve()));
  const end = (): Omit<ProcessEnd, "exit_code"> => {
    out.end();
    err.end();
    return {
      stdout: new TextDecoder().decode(Buffer.concat(chunks)),
      truncated: size > limit,
      last_words: lastWords.slice(0, MAX_LISTED_MESSAGE),
    };
  };
  return { closed, end };
}

function killedError([program]: string[], signal: NodeJS.Signals | null): ConnectorError {
  const hint = signal === "SIGKILL" ? ", perhaps for want of memory" : "";
  return new ConnectorError({
    kind: "killed",
    message: `${program} was ended by ${signal}${hint}`,
  });
}

function startError([program = ""]: string[], error: unknown): unknown {
  const code = errorCode(error);
  if (code === undefined) return error;
  const why = CAUSES[code] ?? (error as Error).message;
  return invalid(`${program.slice(0, 200)} cannot be run: ${why}`);
}

const CAUSES: { readonly [code: string]: string } = {
  ENOENT: "there is no such program on the PATH",
  EACCES: "it may not be executed",
  E2BIG: "its arguments and environment are too large; put what is large into a file",
  ERR_INVALID_ARG_VALUE: "its arguments or its environment hold a NUL character",
};

function invalid(message: string): ConnectorError {
  return new ConnectorError({ kind: "invalid_request", message });
}

// The logs of runs: one file of JSON lines a run, written behind the steps' backs, bounded.

import { appendFile, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Call, Written } from "../../engine/ports.js";
import type { LogLine, LogPage, LogQuery } from "../../engine/runner.js";
import type { Json } from "../../flow/json.js";
import { LOG_PAGE_BYTES, MAX_LOG_BYTES, MAX_LOG_LINE } from "../../limits.js";
import { errorCode } from "./store-error.js";

export interface RunLogsOptions {
  /** Made on first use. */
  folder: string;
  /** Takes secrets out of what is written. */
  redact(text: string): string;
  /** A log that cannot be written stops no step. */
  onTrouble(message: string): void;
}

interface OpenLog {
  /** Bytes of the file, with what waits to be written. */
  size: number;
  waiting: string[];
  waiting_chars: number;
  writing: Promise<void>;
}

export class RunLogs {
  readonly #options: RunLogsOptions;
  /** Those that are being written: none stays here once all of it is on disk. */
  readonly #open = new Map<string, OpenLog>();
  /** Runs whose log is known to be full: nothing more is spent on them. */
  readonly #full = new Set<string>();
  #hasTold = false;

  constructor(options: RunLogsOptions) {
    this.#options = options;
  }

  write(call: Call, entry: Written): void {
    const { run_id, step_id, attempt, idempotency_key } = call;
    if (this.#full.has(run_id)) return;
    const key = idempotency_key.slice(run_id.length + 1);
    const line: LogLine = {
      at: new Date().toISOString(),
      step_id,
      key,
      attempt,
      ...this.#bounded(entry),
    };
    const log = this.#logOf(run_id);
    // It will be full, whatever the file has: the line that says so is among those waiting.
    if (log.waiting_chars > 2 * MAX_LOG_BYTES) return;
    const text = `${JSON.stringify(line)}\n`;
    log.waiting.push(text);
    log.waiting_chars += text.length;
  }

  async read(runId: string, query: LogQuery): Promise<LogPage> {
    await this.#open.get(runId)?.writing;
    const from = Number(query.after ?? 0);
    const text = await readFrom(this.#path(runId), from);
    const lines: LogLine[] = [];
    let at = 0;
    while (lines.length < query.limit) {
      const end = text.indexOf("\n", at);
      if (end < 0) break;
      const line = parse(text.subarray(at, end).toString());
      at = end + 1;
      if (line && matches(line, query.step)) lines.push(line);
    }
    const more = text.length === LOG_PAGE_BYTES || text.indexOf("\n", at) >= 0;
    return { lines, cursor: String(from + at), more };
  }

  /** To be called when the run's document goes. */
  async remove(runId: string): Promise<void> {
    await this.#open.get(runId)?.writing;
    this.#full.delete(runId);
    await rm(this.#path(runId), { force: true });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ writing }) => writing));
  }

  #bounded({ stream, level, text, data }: Written): Written {
    const { redact } = this.#options;
    return {
      stream,
      ...(level && { level }),
      text: cut(redact(text)),
      ...(data !== undefined && { data: cutJson(redact(JSON.stringify(data))) }),
    };
  }

  #logOf(runId: string): OpenLog {
    const known = this.#open.get(runId);
    if (known) return known;
    const writing = Promise.resolve();
    const log: OpenLog = { size: 0, waiting: [], waiting_chars: 0, writing };
    this.#open.set(runId, log);
    log.writing = this.#drain(runId, log);
    return log;
  }

  /** All that came meanwhile goes out in one piece: a step that writes much costs few writes. */
  async #drain(runId: string, log: OpenLog): Promise<void> {
    const path = this.#path(runId);
    try {
      await mkdir(this.#options.folder, { recursive: true, mode: 0o700 });
      const { size, torn } = await endOf(path);
      log.size = size;
      let text = torn ? "\n" : "";
      while (log.waiting.length > 0) {
        text += this.#fitting(runId, log);
        if (text !== "") await appendFile(path, text, { mode: 0o600 });
        text = "";
      }
    } catch (error) {
      log.waiting.length = 0;
      if (!this.#hasTold) this.#options.onTrouble(`${path} cannot be written: ${String(error)}`);
      this.#hasTold = true;
    } finally {
      // In the same breath as the last look at what waits: no line comes in between.
      this.#open.delete(runId);
    }
  }

  #fitting(runId: string, log: OpenLog): string {
    const lines = log.waiting.splice(0);
    log.waiting_chars = 0;
    let text = "";
    for (const line of lines) {
      if (log.size > MAX_LOG_BYTES) break;
      log.size += Buffer.byteLength(line);
      text += log.size > MAX_LOG_BYTES ? fullLine(line) : line;
    }
    if (log.size > MAX_LOG_BYTES) this.#isFull(runId);
    return text;
  }

  /** Forgotten in bulk: a run whose log is found full again is remembered again. */
  #isFull(runId: string): void {
    if (this.#full.size >= MAX_FULL_LOGS) this.#full.clear();
    this.#full.add(runId);
  }

  #path(runId: string): string {
    return join(this.#options.folder, `${runId}.jsonl`);
  }
}

const MAX_FULL_LOGS = 1_000;

function fullLine(line: string): string {
  const { data: _, level: __, ...last } = JSON.parse(line) as LogLine;
  const text = `the log has ${MAX_LOG_BYTES / 1024 / 1024} MiB: what follows is not kept`;
  return `${JSON.stringify({ ...last, stream: "log", level: "warn", text })}\n`;
}

function cut(text: string): string {
  return text.length <= MAX_LOG_LINE ? text : `${text.slice(0, MAX_LOG_LINE)}…`;
}

/** What is too long, or is no JSON any more, is kept as the text that it is. */
function cutJson(text: string): Json {
  if (text.length > MAX_LOG_LINE) return cut(text);
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

/** `torn`: the last line was cut off by a crash, and what follows needs a line of its own. */
async function endOf(path: string): Promise<{ size: number; torn: boolean }> {
  const file = await openIfThere(path);
  if (file === undefined) return { size: 0, torn: false };
  try {
    const { size } = await file.stat();
    if (size === 0) return { size, torn: false };
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
    return { size, torn: buffer.toString() !== "\n" };
  } finally {
    await file.close();
  }
}

async function readFrom(path: string, offset: number): Promise<Buffer> {
  const file = await openIfThere(path);
  if (file === undefined) return Buffer.alloc(0);
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(LOG_PAGE_BYTES),
      0,
      LOG_PAGE_BYTES,
      offset,
    );
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function openIfThere(path: string) {
  try {
    return await open(path, "r");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined: a crash cut it off. */
function parse(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined;
  }
}

function matches({ step_id, key }: LogLine, step: string | undefined): boolean {
  return step === undefined || step_id === step || key === step;
}

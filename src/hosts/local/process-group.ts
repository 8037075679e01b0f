// A program in a process group of its own: when it ends, or is to end, so does all it started.

import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { PROCESS_STOP_MS } from "../../limits.js";

export interface ProcessGroup {
  child: ChildProcess;
  /** Rejects where the program could not be started. */
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks it to end, and makes it end after `grace_ms`. Resolves when it has. */
  stop(grace_ms?: number): Promise<void>;
}

export function startGroup([program = "", ...args]: string[], options: SpawnOptions): ProcessGroup {
  const child = spawn(program, args, { ...options, detached: true });
  const { pid } = child;
  if (pid !== undefined) LIVING.add(pid);
  watchExit();
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>(
    (resolve, reject) => {
      child.on("error", reject);
      child.on("exit", (code, signal) => {
        // What it left running in the background ends with it.
        if (pid !== undefined) forget(pid);
        resolve({ code, signal });
      });
    },
  );
  // Whoever started it hears of it; a stop that came first must not make it unheard.
  ended.catch(() => {});
  const stop = async (grace_ms = PROCESS_STOP_MS) => {
    if (pid === undefined || !LIVING.has(pid)) return;
    signalGroup(pid, "SIGTERM");
    const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), grace_ms);
    await ended.catch(() => {});
    clearTimeout(timer);
  };
  return { child, ended, stop };
}

/** What a program needs to run as people expect; nothing of ours, no secret and no token. */
export function plainEnvironment(): { [name: string]: string } {
  const entries = PLAIN.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

const PLAIN = ["PATH", "HOME", "USER", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"];

/** Group leaders that have not ended. */
const LIVING = new Set<number>();

function forget(pid: number): void {
  signalGroup(pid, "SIGKILL");
  LIVING.delete(pid);
}

/** A group that is gone needs no signal. */
function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of it has ended.
  }
}

let isWatching = false;

/** A process that ends on the spot, because its disk failed, leaves no program behind. */
function watchExit(): void {
  if (isWatching) return;
  isWatching = true;
  process.on("exit", () => {
    for (const pid of LIVING) signalGroup(pid, "SIGKILL");
  });
}

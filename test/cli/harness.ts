// Drives the built command as a child process, with folders and subscribers of its own.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, afterEach, beforeEach, expect } from "vitest";
import type { Run } from "../../src/engine/run.js";

export const MAIN = resolve("dist/cli/main.js");

export interface Done {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Running {
  child: ChildProcess;
  /** Resolves when either stream has said it; rejects when the process ends before that. */
  said(what: RegExp): Promise<RegExpExecArray>;
  done: Promise<Done>;
}

export interface Place {
  dir: string;
  /** Runs a command here to its end. */
  flows(args: string[], more?: { input?: string; env?: NodeJS.ProcessEnv }): Promise<Done>;
  start(args: string[], env?: NodeJS.ProcessEnv): Running;
  write(file: string, text: string): Promise<void>;
}

type Cleanup = () => Promise<void>;

/** After the test in which they were asked for; what `beforeAll` has made lasts for the file. */
const ofTheTest: Cleanup[] = [];
const ofTheFile: Cleanup[] = [];
let cleanups = ofTheFile;

beforeEach(() => {
  cleanups = ofTheTest;
});

afterEach(async () => {
  cleanups = ofTheFile;
  await clean(ofTheTest);
});

afterAll(() => clean(ofTheFile));

async function clean(asked: Cleanup[]): Promise<void> {
  for (const cleanup of asked.splice(0).reverse()) await cleanup();
}

export function later(cleanup: Cleanup): void {
  cleanups.push(cleanup);
}

/** A folder of its own, with these files in it. */
export async function place(files: { [file: string]: string } = {}): Promise<Place> {
  const dir = await mkdtemp(join(tmpdir(), "flows-cli-"));
  later(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(dir, file)), { recursive: true });
    await writeFile(join(dir, file), text);
  };
  await mkdir(join(dir, "flows"));
  for (const [file, text] of Object.entries(files)) await write(file, text);
  const start = (args: string[], env: NodeJS.ProcessEnv = {}) => run(dir, args, env);
  return {
    dir,
    write,
    start,
    flows: async (args, { input, env } = {}) => {
      const running = start(args, env);
      running.child.stdin?.end(input ?? "");
      return running.done;
    },
  };
}

function run(cwd: string, args: string[], env: NodeJS.ProcessEnv): Running {
  const { FORCE_COLOR: _, NO_COLOR: __, FLOWS_TOKEN: ___, ...inherited } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], { cwd, env: { ...inherited, ...env } });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const listener of listeners) listener();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    for (const listener of listeners) listener();
  });
  const done = new Promise<Done>((resolved) => {
    child.on("close", (code) => resolved({ code, stdout, stderr }));
  });
  later(async () => {
    child.kill("SIGKILL");
    await done;
  });
  const said = (what: RegExp) =>
    new Promise<RegExpExecArray>((resolved, rejected) => {
      const look = () => {
        const found = what.exec(stdout) ?? what.exec(stderr);
        if (found === null) return;
        listeners.delete(look);
        resolved(found);
      };
      listeners.add(look);
      look();
      void done.then(() => {
        listeners.delete(look);
        rejected(new Error(`ended without ${what}:\n${stdout}\n${stderr}`));
      });
    });
  return { child, said, done };
}

/** A run of the server at this URL, once it has ended. */
export async function ended(url: string, id: string): Promise<Run> {
  for (;;) {
    const answer = await fetch(`${url}/api/runs/${id}`);
    expect(answer.status, id).toBe(200);
    const run = (await answer.json()) as Run;
    if (run.finished_at !== null) return run;
    await pause(20);
  }
}

/** A server of these flows on a free port, and its address. */
export async function serve(here: Place, args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const running = here.start(["serve", "--port", "0", ...args], env);
  const [url] = await running.said(/^http:\S+$/m);
  return { ...running, url };
}

export interface Subscriber {
  url: string;
  bodies: unknown[];
  keys: string[];
}

/** Answers each request with the next of these statuses, the last one again and again. */
export async function subscriber(...statuses: number[]): Promise<Subscriber> {
  const bodies: unknown[] = [];
  const keys: string[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      bodies.push(JSON.parse(text));
      keys.push(String(request.headers["idempotency-key"]));
      const status = statuses[Math.min(bodies.length, statuses.length) - 1] ?? 200;
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolved) => server.listen(0, "127.0.0.1", resolved));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, bodies, keys };
}

/** The seed's workflow: a delay, then a webhook. */
export function reminder(url: string, seconds = 0.1): string {
  return `id: reminder
name: Reminder
context:
  type: object
  properties: { invoice: { type: integer } }
steps:
  - id: delay_step
    type: delay
    config: { seconds: ${seconds} }
  - id: send
    type: webhook
    config: { url: "${url}" }
`;
}

/** Parsed NDJSON. */
export function lines(text: string): unknown[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
}

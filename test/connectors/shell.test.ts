// The `shell` step, with real programs: what comes in, what goes out, and that nothing stays.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { connectors } from "../../src/connectors/index.js";
import type { Outcome } from "../../src/engine/command.js";
import type { Call, Written } from "../../src/engine/ports.js";
import { createCalls } from "../../src/hosts/local/calls.js";
import { Processes } from "../../src/hosts/local/processes.js";

const folder = mkdtempSync(join(tmpdir(), "flows-shell-"));
afterAll(() => rmSync(folder, { recursive: true }));
const processes = new Processes(folder);

describe("given a shell step, when its program", () => {
  test("ends with 0, then exit code and stdout are the output", async () => {
    const { outcome } = await shell({ command: ["printf", "%s|", "a b", "$HOME", ""] });
    expect(outcome).toEqual({
      type: "output",
      output: { exit_code: 0, stdout: "a b|$HOME||", truncated: false, json: null },
    });
  });

  test("ends otherwise, then the step fails with its exit code and its last words", async () => {
    const { outcome } = await shell({ script: "echo out; echo 'no luck' >&2; echo; exit 3" });
    const message = "the script ended with exit code 3: no luck";
    expect(outcome).toEqual({
      type: "failure",
      error: { kind: "exit_code", message, exit_code: 3 },
    });
  });

  test("ends with an expected exit code, then the step is complete", async () => {
    const { outcome } = await shell({ command: ["sh", "-c", "exit 1"], expect: [0, 1] });
    expect(outcome).toMatchObject({ type: "output", output: { exit_code: 1 } });
  });

  test("prints JSON that was asked for, then it is read; what is none fails the step", async () => {
    const good = await shell({ command: ["echo", '{"a": [1]}'], json: true });
    expect(good.outcome).toMatchObject({ output: { json: { a: [1] } } });
    const bad = await shell({ command: ["echo", "{"], json: true });
    expect(bad.outcome).toMatchObject({ error: { kind: "invalid_output" } });
  });

  test("prints a megabyte, then its beginning is kept, and it is not held up", async () => {
    const { outcome } = await shell({ script: "head -c 1000000 /dev/zero | tr '\\0' x" });
    const output = outcome.type === "output" ? (outcome.output as { stdout: string }) : undefined;
    expect(output).toMatchObject({ exit_code: 0, truncated: true });
    expect(output?.stdout).toBe("x".repeat(64 * 1024));
  });

  test.each([
    [["no-such-program"], "no-such-program cannot be run: there is no such program on the PATH"],
    [["/etc/passwd"], "/etc/passwd cannot be run: it may not be executed"],
    [["echo", "a\0b"], /^echo cannot be run: its arguments or its environment hold a NUL/],
    [["echo", "x".repeat(3_000_000)], /^echo cannot be run: its arguments and environment are too/],
  ])("cannot be started, then the step says why (%#)", async (command, message) => {
    const { outcome } = await shell({ command });
    const said = typeof message === "string" ? message : expect.stringMatching(message);
    expect(outcome).toEqual({ type: "failure", error: { kind: "invalid_request", message: said } });
  });

  test("is killed, then the step says by what", async () => {
    const { outcome } = await shell({ script: "kill -9 $$" });
    expect(outcome).toMatchObject({
      error: { kind: "killed", message: expect.stringContaining("SIGKILL") },
    });
  });

  test("stops at a command that failed, or at a name that is not set", async () => {
    const failed = await shell({ script: "false; echo on" });
    expect(failed.outcome).toMatchObject({ error: { exit_code: 1 } });
    const unset = await shell({ script: 'echo "$MISPELLED"' });
    expect(unset.outcome).toMatchObject({
      error: { message: expect.stringContaining("MISPELLED") },
    });
  });
});

describe("given a shell step, then its program", () => {
  test("gets values as they are, whatever a shell would make of them", async () => {
    const evil = "'; touch pwned; echo \"$(touch pwned)`touch pwned`";
    const env = { EVIL: evil, LIST: [1, { a: "b" }], NONE: null, NUMBER: 4.5 };
    const script = 'printf "%s|%s|%s|%s" "$EVIL" "$LIST" "$NONE" "$NUMBER"';
    const { outcome } = await shell({ script, env });
    expect(outcome).toMatchObject({ output: { stdout: `${evil}|[1,{"a":"b"}]||4.5` } });
    expect(existsSync(join(folder, "pwned"))).toBe(false);
  });

  test("sees what every program needs, its own step, and no secret of the host", async () => {
    process.env.FLOWS_SECRET_KEY = "hidden";
    process.env.FLOWS_TOKEN = "hidden";
    const { outcome } = await shell({ command: ["env"] });
    delete process.env.FLOWS_SECRET_KEY;
    delete process.env.FLOWS_TOKEN;
    const { stdout } = (outcome as unknown as { output: { stdout: string } }).output;
    expect(stdout).not.toContain("hidden");
    expect(stdout).toContain(`PATH=${process.env.PATH}`);
    expect(stdout).toContain("FLOWS_IDEMPOTENCY_KEY=run_1/look#0\n");
    expect(stdout).toContain("FLOWS_ATTEMPT=2\n");
  });

  test("runs in the folder of the flows folder, or below it, and nowhere else", async () => {
    mkdirSync(join(folder, "below"));
    symlinkSync("/", join(folder, "link"));
    const here = await shell({ command: ["pwd"] });
    expect(here.outcome).toMatchObject({ output: { stdout: `${folder}\n` } });
    const below = await shell({ command: ["pwd"], cwd: "below/." });
    expect(below.outcome).toMatchObject({ output: { stdout: `${folder}/below\n` } });
    for (const cwd of ["..", "below/../..", "link"]) {
      const { outcome } = await shell({ command: ["pwd"], cwd });
      expect(outcome).toMatchObject({ error: { message: expect.stringContaining("leads out") } });
    }
    const gone = await shell({ command: ["pwd"], cwd: "gone" });
    expect(gone.outcome).toMatchObject({
      error: { message: expect.stringContaining("no folder") },
    });
  });

  test("writes into the run's log, line by line, from both streams", async () => {
    const { entries } = await shell({ script: "echo one; printf 'two\\r\\nthr'; echo bad >&2" });
    expect(entries.filter(({ stream }) => stream === "stdout")).toEqual(
      ["one", "two", "thr"].map((text) => ({ stream: "stdout", text })),
    );
    expect(entries.filter(({ stream }) => stream === "stderr")).toEqual([
      { stream: "stderr", text: "bad" },
    ]);
  });

  test("is not run where that is not allowed, and the step says how to allow it", async () => {
    const outcome = await perform({ script: "touch ran" }, {}, null).outcome;
    expect(outcome).toMatchObject({
      error: { kind: "not_allowed", message: expect.stringContaining("--allow-shell") },
    });
    expect(existsSync(join(folder, "ran"))).toBe(false);
  });
});

describe("given a program with a child of its own that heeds no SIGTERM, when", () => {
  const stubborn = (name: string) => ({
    script: `trap '' TERM; (trap '' TERM; echo $$ > ${name}; exec sleep 300) & wait`,
    env: {},
  });
  const descends = (name: string) =>
    `sh -c 'trap "" TERM; echo $$ > ${name}; sleep 300' & ` +
    `while [ ! -s ${name} ]; do sleep 0.01; done; echo ready; `;

  test("the step's time is up, then both end, and the failure comes when they have", async () => {
    const script = `${descends("timed")} wait`;
    const { outcome } = await shell({ script }, { timeout_ms: 500 });
    expect(outcome).toMatchObject({ error: { kind: "timeout" } });
    await gone("timed");
  });

  test("the step is cancelled, then both end", async () => {
    const { ready, stop } = perform({ script: `${descends("cut")} wait` });
    await ready;
    stop();
    await gone("cut");
  });

  test("the host closes, then both have ended", async () => {
    const own = new Processes(folder);
    const { ready } = perform({ script: `${descends("shut")} wait` }, {}, own);
    await ready;
    await own.close();
    await gone("shut");
  });

  test("the program ends by itself, then its child does, too", async () => {
    const script = descends("left");
    const { outcome } = await shell({ script });
    expect(outcome).toMatchObject({ output: { stdout: "ready\n" } });
    await gone("left");
  });

  test("all of them ignore SIGTERM, then SIGKILL ends them", async () => {
    const { outcome } = await shell(stubborn("deaf"), { timeout_ms: 300 });
    expect(outcome).toMatchObject({ error: { kind: "timeout" } });
    await gone("deaf");
  });
});

async function shell(config: object, change: Partial<Call> = {}) {
  const { outcome, entries } = perform(config, change);
  return { outcome: await outcome, entries };
}

function perform(config: object, change: Partial<Call> = {}, own: Processes | null = processes) {
  const entries: Written[] = [];
  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const world = {
    http: () => Promise.reject(new Error("there is no network here")),
    ...(own && { process: own.run.bind(own) }),
  };
  const calls = createCalls(connectors, world, (_call, entry) => {
    entries.push(entry);
    if (entry.text === "ready") isReady();
  });
  let stop = () => {};
  const outcome = new Promise<Outcome>((resolve) => {
    stop = calls({ ...CALL, ...change, config: config as Call["config"] }, resolve);
  });
  return { outcome, entries, ready, stop: () => stop() };
}

const CALL: Call = {
  run_id: "run_1",
  workflow_id: "flow",
  step_id: "look",
  type: "shell",
  idempotency_key: "run_1/look#0",
  attempt: 2,
  config: {},
  secrets: [],
  context: {},
  timeout_ms: 30_000,
};

/** Waits for the end of the process whose id stands in this file. */
async function gone(name: string): Promise<void> {
  const file = join(folder, name);
  while (!existsSync(file) || readFileSync(file, "utf8") === "") await sleep(5);
  const pid = Number(readFileSync(file, "utf8"));
  while (isAlive(pid)) await sleep(10);
}

function isAlive(pid: number): boolean {
  try {
    // A zombie that nobody waits for has ended.
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
}

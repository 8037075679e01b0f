// The logs of runs: what is written is found again, in order, bounded, and is gone when it should.

import { appendFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { Call } from "../../../src/engine/ports.js";
import { RunLogs } from "../../../src/hosts/local/run-logs.js";
import { LOG_PAGE_BYTES, MAX_LOG_BYTES, MAX_LOG_LINE } from "../../../src/limits.js";

const base = mkdtempSync(join(tmpdir(), "flows-logs-"));
afterAll(() => rmSync(base, { recursive: true }));
let count = 0;

function open(redact = (text: string) => text) {
  const folder = join(base, String(count++));
  const troubles: string[] = [];
  const options = { folder, redact, onTrouble: (message: string) => troubles.push(message) };
  const logs = new RunLogs(options);
  const write = (text: string, change: Partial<Call> = {}) =>
    logs.write({ ...CALL, ...change }, { stream: "stdout", text });
  const texts = async (query: object = {}) =>
    (await logs.read("run_1", { limit: 1_000, ...query })).lines.map(({ text }) => text);
  return { folder, troubles, logs, write, texts, path: join(folder, "run_1.jsonl") };
}

const CALL = {
  run_id: "run_1",
  step_id: "look",
  idempotency_key: "run_1/each#0/3/look#0",
  attempt: 2,
} as Call;

describe("given a run's log", () => {
  test("when a step writes, then it is found with its place, in a file for its owner", async () => {
    const { logs, path } = open();
    logs.write(CALL, { stream: "log", level: "warn", text: "hello", data: { n: 1 } });
    expect((await logs.read("run_1", { limit: 10 })).lines).toEqual([
      {
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/),
        step_id: "look",
        key: "each#0/3/look#0",
        attempt: 2,
        stream: "log",
        level: "warn",
        text: "hello",
        data: { n: 1 },
      },
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, "..")).mode & 0o777).toBe(0o700);
  });

  test("when nothing was written, then it is empty", async () => {
    const page = { lines: [], cursor: "0", more: false };
    expect(await open().logs.read("run_1", { limit: 10 })).toEqual(page);
  });

  test("when it is read page by page, then each line comes once, also a later one", async () => {
    const { logs, write, texts } = open();
    for (const text of ["a", "b", "c"]) write(text);
    const first = await logs.read("run_1", { limit: 2 });
    expect([first.lines.length, first.more]).toEqual([2, true]);
    const second = await logs.read("run_1", { limit: 2, after: first.cursor });
    expect([second.lines[0]?.text, second.more]).toEqual(["c", false]);
    write("d");
    expect(await texts({ after: second.cursor })).toEqual(["d"]);
  });

  test("when one step is asked for, then only its lines come, by its id or its key", async () => {
    const { write, texts } = open();
    write("a");
    write("b", { step_id: "other", idempotency_key: "run_1/other#0" });
    expect(await texts({ step: "look" })).toEqual(["a"]);
    expect(await texts({ step: "other#0" })).toEqual(["b"]);
    expect(await texts({ step: "each#0/3/look#0" })).toEqual(["a"]);
  });

  test("when a page holds no line that is asked for, then reading goes on behind it", async () => {
    const { logs, write } = open();
    const lines = Math.ceil((2 * LOG_PAGE_BYTES) / MAX_LOG_LINE);
    for (let line = 0; line < lines; line++) write("x".repeat(MAX_LOG_LINE));
    write("found", { step_id: "other" });
    const found: string[] = [];
    for (let after = "0", more = true; more; ) {
      const page = await logs.read("run_1", { limit: 5, step: "other", after });
      found.push(...page.lines.map(({ text }) => text));
      ({ cursor: after, more } = page);
    }
    expect(found).toEqual(["found"]);
  });

  test("when a line or its data is long, then it is cut, and its JSON stays whole", async () => {
    const { logs, write } = open();
    write("x".repeat(MAX_LOG_LINE + 1));
    logs.write(CALL, { stream: "log", text: "t", data: "\u0001".repeat(2 * MAX_LOG_LINE) });
    const { lines } = await logs.read("run_1", { limit: 10 });
    expect(lines[0]?.text).toBe(`${"x".repeat(MAX_LOG_LINE)}…`);
    expect(String(lines[1]?.data).length).toBe(MAX_LOG_LINE + 1);
  });

  test("when too much is written, then it ends with a line that says so", async () => {
    const { logs, write, path } = open();
    const some = "x".repeat(MAX_LOG_LINE);
    for (let round = 0; round < 3; round++) {
      for (let bytes = 0; bytes < MAX_LOG_BYTES; bytes += MAX_LOG_LINE) write(some);
      await logs.close();
    }
    expect(statSync(path).size).toBeLessThan(MAX_LOG_BYTES + 1_000);
    const after = String(statSync(path).size - 1_000);
    const { lines } = await logs.read("run_1", { limit: 1_000, after });
    expect(lines.at(-1)).toMatchObject({ level: "warn", text: expect.stringMatching(/not kept/) });
  });

  test("when it holds secrets, then they are taken out of texts and of data", async () => {
    const { logs } = open((text) => text.replaceAll("hidden", "***"));
    logs.write(CALL, { stream: "log", text: "a hidden one", data: { key: ["hidden"] } });
    const { lines } = await logs.read("run_1", { limit: 1 });
    expect(lines[0]).toMatchObject({ text: "a *** one", data: { key: ["***"] } });
  });

  test("when a crash cut its last line off, then that one is lost and no other", async () => {
    const { logs, write, texts, path } = open();
    write("a");
    await logs.close();
    appendFileSync(path, '{"at":"2026-');
    write("b");
    expect(await texts()).toEqual(["a", "b"]);
  });

  test("when its run is removed, then its file is, and no other's", async () => {
    const { folder, logs, write } = open();
    write("a");
    write("b", { run_id: "run_2", idempotency_key: "run_2/look#0" });
    await logs.remove("run_1");
    await logs.close();
    expect(readdirSync(folder)).toEqual(["run_2.jsonl"]);
  });

  test("when it cannot be written, then that is said once, and nothing breaks", async () => {
    const { folder, logs, write, troubles } = open();
    writeFileSync(folder, "no folder");
    for (let line = 0; line < 3; line++) {
      write("a");
      await logs.close();
    }
    expect(troubles).toEqual([
      expect.stringMatching(/run_1\.jsonl cannot be written: .*EEXIST|ENOTDIR/),
    ]);
  });
});

// A user's own step types at work, in real processes: what goes wrong there harms its step alone.

import { describe, expect, test } from "vitest";
import { start } from "./kit.js";

describe("given a user's connector, when it is called and", () => {
  test("answers, then that is the output; it has its key, its place, and no secret", async () => {
    process.env.FLOWS_SECRET_KEY = "hidden";
    const { call } = await start(`async (config, { signal, log, ...place }) => ({
      config, place, aborted: signal.aborted, env: process.env.FLOWS_SECRET_KEY ?? null,
    })`);
    delete process.env.FLOWS_SECRET_KEY;
    const place = {
      key: "run_1/step#0",
      run_id: "run_1",
      workflow_id: "flow",
      step_id: "step",
      attempt: 2,
    };
    expect(await call({ a: [1] })).toEqual({
      type: "output",
      output: { config: { a: [1] }, place, aborted: false, env: null },
    });
  });

  test("answers again and again, then one process does it all; nothing is null", async () => {
    const { call } = await start("() => globalThis.count = (globalThis.count ?? 0) + 1");
    expect([await call(), await call(), await call()].map(outputOf)).toEqual([1, 2, 3]);
    const { call: silent } = await start("() => undefined");
    expect(outputOf(await silent())).toBeNull();
  });

  test("writes, then it is in the run's log, in order", async () => {
    const { call, entries } = await start(`(config, { log }) => {
      log("one", { n: 1 });
      console.warn("two %d", 2);
    }`);
    await call();
    expect(entries).toEqual([
      { stream: "log", level: "info", text: "one", data: { n: 1 } },
      { stream: "log", level: "warn", text: "two 2" },
    ]);
  });

  test("throws, then the step fails so, with the kind and the wait that it names", async () => {
    const { call, entries } = await start(`async () => {
      throw Object.assign(new Error("not now"), { kind: "rate_limited", retry_after_ms: 5000 });
    }`);
    const error = { kind: "rate_limited", message: "not now" };
    expect(await call()).toEqual({ type: "failure", error, retry_after_ms: 5000 });
    // The trace leads to the user's own file.
    expect(entries[0]?.text).toMatch(/own\.ts:\d+:\d+/);
  });

  test.each([
    ["leaves the process", "() => process.exit(0)", /ended with exit code 0/],
    ["crashes it", "() => process.abort()", /ended with SIGABRT/],
    [
      "throws where nobody catches",
      `() => new Promise(() => {
      setTimeout(() => { throw new Error("lost"); });
    })`,
      /ended with exit code 1: flows logs may say why/,
    ],
    [
      "takes more memory than there is",
      `() => {
      const all = []; for (;;) all.push(new Array(1e6).fill(Math.random()));
    }`,
      /ended with SIGABRT \(it may have 256 MiB/,
    ],
  ])("%s, then that step fails, and the next call is answered", async (_what, bad, how) => {
    const { call } = await start(`(config, ctx) => config.bad ? (${bad})(config, ctx) : "fine"`);
    const [broken, other] = await Promise.all([call({ bad: true }), call()]);
    expect(broken).toMatchObject({ type: "failure", error: { kind: "connector_crashed" } });
    expect(broken.type === "failure" && broken.error.message).toMatch(how);
    expect(outputOf(other)).toBe("fine");
    expect(outputOf(await call())).toBe("fine");
  });

  test("never ends, then the step's time-out ends its process, and no other call", async () => {
    const { call } = await start("({ bad }) => { while (bad); return 'fine'; }");
    const [broken, other] = await Promise.all([call({ bad: true }, { timeout_ms: 1_500 }), call()]);
    expect(broken).toMatchObject({ type: "failure", error: { kind: "timeout" } });
    expect(outputOf(other)).toBe("fine");
  });

  test("is cancelled, then its signal says so, and it is not heard any more", async () => {
    const { begin, call, entries } = await start(`({ wait }, { signal, log }) => {
      if (!wait) return "fine";
      log("begun");
      return new Promise((resolve) => signal.addEventListener("abort", () => {
        log("stopped: " + signal.reason.message);
        resolve("late");
      }));
    }`);
    const { stop } = begin({ wait: true });
    await expect.poll(() => entries.length).toBe(1);
    stop();
    await expect.poll(() => entries.length).toBe(2);
    expect(entries[1]?.text).toBe("stopped: the step was stopped");
    expect(outputOf(await call())).toBe("fine");
  });

  test.each([
    ["more than there may be", "() => 'x'.repeat(3_000_000)", "", "too_large"],
    ["what is no JSON", "() => 10n", "", "connector"],
    ["a function", "() => () => {}", "", "connector"],
    ["what its schema excludes", "() => ({ n: '1' })", OUTPUT(), "invalid_output"],
  ])("answers with %s, then the step fails", async (_what, run, more, kind) => {
    const { call } = await start(run, more);
    expect(await call()).toMatchObject({ type: "failure", error: { kind } });
  });

  test("many calls come at once, then each is answered, by few processes", async () => {
    const { call } = await start("async ({ n }) => ({ n, pid: process.pid })");
    const all = await Promise.all(Array.from({ length: 40 }, (_, n) => call({ n })));
    const outputs = all.map(outputOf) as { n: number; pid: number }[];
    expect(outputs.map(({ n }) => n)).toEqual([...Array(40).keys()]);
    expect(new Set(outputs.map(({ pid }) => pid)).size).toBeLessThanOrEqual(4);
  });

  test("writes lines without end, then the host goes on with its other work", async () => {
    const { call } = await start(`({ bad }) => {
      for (;bad;) process.stdout.write("y\\n".repeat(10_000));
      return "fine";
    }`);
    const noisy = call({ bad: true }, { timeout_ms: 2_000 });
    expect(outputOf(await call())).toBe("fine");
    expect(await noisy).toMatchObject({ error: { kind: "timeout" } });
  });
});

function OUTPUT(): string {
  return 'output: { type: "object", properties: { n: { type: "integer" } } },';
}

function outputOf(outcome: { type: string; output?: unknown }): unknown {
  return outcome.type === "output" ? outcome.output : outcome;
}

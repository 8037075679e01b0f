// The local host as its doors see it: a real store, real flow files, and no server.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { isRefusal } from "../../../src/engine/command.js";
import { parseRunId } from "../../../src/engine/ids.js";
import type { Run } from "../../../src/engine/run.js";
import type { Triggered } from "../../../src/engine/runner.js";
import { type LocalHost, openLocalHost } from "../../../src/hosts/local/host.js";

const SLEEPER = "id: sleeper\nsteps:\n  - { id: nap, type: delay, config: { seconds: 600 } }\n";
const QUICK = "id: quick\nsteps:\n  - { id: nap, type: delay, config: { seconds: 0 } }\n";

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "flows-host-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(dir, "flows"));
  await writeFile(join(dir, "flows", "sleeper.yaml"), SLEEPER);
  await writeFile(join(dir, "flows", "quick.yaml"), QUICK);
  return dir;
}

async function open(dir: string, drive = true): Promise<LocalHost> {
  const nothing = () => {};
  return openLocalHost({
    flows: join(dir, "flows"),
    store: join(dir, "store"),
    watch: false,
    drive,
    version: "0.0.0",
    log: { info: nothing, warn: nothing, error: nothing },
    onFailure: (error) => {
      throw error;
    },
  });
}

async function triggered(host: LocalHost, workflow_id: string, more = {}): Promise<Triggered> {
  const answer = await host.runner.trigger({ workflow_id, context: {}, ...more });
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer;
}

async function ended(host: LocalHost, id: string): Promise<Run> {
  for (;;) {
    const run = await host.runner.get(id);
    if (run?.finished_at) return run;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("given an idempotency key", () => {
  it("when many ask at once, then there is one run, and one of them created it", async () => {
    const host = await open(await folder());
    const asks = Array.from({ length: 20 }, () =>
      triggered(host, "sleeper", { idempotency_key: "k" }),
    );
    const answers = await Promise.all(asks);
    expect(new Set(answers.map(({ run_id }) => run_id)).size).toBe(1);
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect((await host.runner.list({ limit: 50 })).runs).toHaveLength(1);
    await host.close();
  });

  it("when the host was closed and opened again, then the key is still known", async () => {
    const dir = await folder();
    const first = await open(dir);
    const { run_id } = await triggered(first, "quick", { idempotency_key: "k" });
    await ended(first, run_id);
    await first.close();
    const second = await open(dir);
    expect(await triggered(second, "quick", { idempotency_key: "k" })).toMatchObject({
      run_id,
      status: "completed",
      created: false,
    });
    await second.close();
  });

  it("when it comes with another context, then it is refused; not for another flow", async () => {
    const host = await open(await folder());
    const { run_id } = await triggered(host, "sleeper", { idempotency_key: "k" });
    const other = { workflow_id: "sleeper", context: { n: 1 }, idempotency_key: "k" };
    expect(await host.runner.trigger(other)).toMatchObject({ refused: "idempotency_mismatch" });
    const elsewhere = await triggered(host, "quick", { idempotency_key: "k" });
    expect(elsewhere.run_id).not.toBe(run_id);
    await host.close();
  });
});

describe("a host that is closed and opened again", () => {
  it("goes on with the runs that had not ended, each with its time", async () => {
    const dir = await folder();
    const first = await open(dir);
    const { run_id } = await triggered(first, "sleeper");
    const before = await first.runner.get(run_id);
    await first.close();
    const second = await open(dir);
    expect((await second.runner.get(run_id))?.steps).toEqual(before?.steps);
    expect(await second.runner.cancel(run_id)).toMatchObject({ status: "cancelled" });
    await second.close();
  });

  it("for a look drives nothing, and takes commands", async () => {
    const dir = await folder();
    const looker = await open(dir, false);
    const { run_id } = await triggered(looker, "quick");
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await looker.runner.get(run_id)).toMatchObject({ status: "running" });
    await looker.close();
    const driver = await open(dir);
    expect(await ended(driver, run_id)).toMatchObject({ status: "completed" });
    await driver.close();
  });

  it("for a look at runs, reads no flow file before one is asked for", async () => {
    const dir = await folder();
    const looker = await open(dir, false);
    const served = () => readdir(join(dir, "store", "workflows"));
    expect(await looker.runner.list({ limit: 10 })).toMatchObject({ runs: [] });
    expect(await served()).toEqual([]);
    expect(await looker.workflows.list()).toHaveLength(2);
    expect((await served()).sort()).toEqual(["quick.json", "sleeper.json"]);
    await looker.close();
  });
});

describe("what a host says of itself", () => {
  it("counts its runs, and turns degraded with a broken flow file", async () => {
    const dir = await folder();
    const host = await open(dir);
    await triggered(host, "sleeper");
    expect(await host.health()).toMatchObject({ status: "ok", runs: { running: 1 } });
    await writeFile(join(dir, "flows", "quick.yaml"), QUICK.replace("delay", "dlay"));
    await host.workflows.sync();
    expect(await host.health()).toMatchObject({
      status: "degraded",
      workflows: { served: 2, invalid: 1 },
      diagnostics: 1,
    });
    await host.close();
  });

  it("knows no run and no workflow that are not there", async () => {
    const host = await open(await folder());
    const id = "run_00000000000000000000000009";
    expect(await host.runner.get(id)).toBeUndefined();
    expect(await host.runner.cancel(id)).toMatchObject({ refused: "unknown_run" });
    expect(await host.runner.watch(id, undefined, new AbortController().signal)).toBeUndefined();
    const request = { workflow_id: "nobody", context: {} };
    expect(await host.runner.trigger(request)).toMatchObject({ refused: "unknown_workflow" });
    await host.close();
  });

  it("gives every run an id of its own that is an id, and a document under it", async () => {
    const dir = await folder();
    const host = await open(dir);
    const answers = await Promise.all(Array.from({ length: 300 }, () => triggered(host, "quick")));
    const ids = new Set(answers.map(({ run_id }) => run_id));
    expect(ids.size).toBe(300);
    for (const id of ids) expect(parseRunId(id)).toBe(id);
    for (const id of ids) await ended(host, id);
    await host.close();
    for (const id of ids) {
      const document = await readFile(join(dir, "store", "runs", `${id}.json`), "utf8");
      expect(JSON.parse(document)).toMatchObject({ id, status: "completed" });
    }
  });
});

describe("given a run that waits for ten minutes", () => {
  it("when the host is closed and opened in its time, then it goes on", async () => {
    const dir = await folder();
    const first = await open(dir);
    const { run_id } = await triggered(first, "sleeper", { idempotency_key: "k" });
    await first.close();
    const second = await open(dir);
    expect(await second.runner.get(run_id)).toMatchObject({ status: "running" });
    await second.close();
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 600_000 });
    onTestFinished(() => void vi.useRealTimers());
    const third = await open(dir);
    expect(await ended(third, run_id)).toMatchObject({ status: "completed" });
    await third.close();
  });

  it("when it sleeps, then it is shown, listed and cancelled like any other", async () => {
    const dir = await folder();
    const first = await open(dir);
    const { run_id } = await triggered(first, "sleeper");
    const before = await first.runner.get(run_id);
    await first.close();
    const { runner, close } = await open(dir);
    expect(await runner.get(run_id)).toEqual(before);
    expect((await runner.list({ status: "running", limit: 5 })).runs).toMatchObject([
      { id: run_id },
    ]);
    expect(await runner.cancel(run_id)).toMatchObject({ status: "cancelled" });
    expect(await runner.retry(run_id)).toMatchObject({ status: "running" });
    await close();
  });

  it("when its end is waited for, then it comes as it ended, or as it is in time", async () => {
    const host = await open(await folder());
    const { runner } = host;
    const { run_id } = await triggered(host, "sleeper");
    const ended = runner.ended(run_id, new AbortController().signal);
    const isLate = await runner.ended(run_id, AbortSignal.timeout(20));
    expect(isLate).toMatchObject({ id: run_id, status: "running" });
    expect(await runner.ended(run_id, AbortSignal.abort())).toEqual(isLate);
    await runner.cancel(run_id);
    expect(await ended).toMatchObject({ id: run_id, status: "cancelled" });
    expect(await runner.ended(run_id, AbortSignal.abort())).toEqual(await ended);
    const unknown = "run_0000000000000000000000000z";
    expect(await runner.ended(unknown, AbortSignal.abort())).toBeUndefined();
    await host.close();
  });
});

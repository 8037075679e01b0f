// Retention: which finished runs are deleted, and that what is deleted stays deleted.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Retention, type RetentionOptions } from "../../../src/hosts/local/retention.js";
import { RETENTION_EVERY_MS } from "../../../src/limits.js";
import {
  completed,
  copyAsKilled,
  created,
  type Driven,
  drive,
  failed,
  quickDisk,
  retried,
  runId,
  systemError,
  until,
  VERSION,
} from "./store-kit.js";

const END = Date.parse("2026-01-02T03:04:05.000Z");
const DAY = 24 * 3_600_000;
const OLD = "cd".repeat(32);

describe("retention", () => {
  it("keeps the newest runs, and deletes all there is of the others", async () => {
    const driven = await drive();
    for (let n = 1; n <= 6; n += 1) await end(driven, n, { key: `key-${n}` });
    await driven.decide(created(7));
    const gone: string[] = [];
    await look(driven, { rules: { runs: 2 }, gone: (some) => gone.push(...some) });
    await until(() => documents(driven.folder).length === 3);
    expect(gone).toEqual([1, 2, 3, 4].map(runId));
    expect(ids(driven)).toEqual([7, 6, 5]);
    expect(documents(driven.folder)).toEqual([5, 6, 7].map((n) => `${runId(n)}.json`));
    expect(await driven.store.get(runId(4))).toBeUndefined();
    expect(driven.store.findByKey("demo", "key-4")).toBeUndefined();
    expect(driven.store.findByKey("demo", "key-5")).toBe(runId(5));
    expect(driven.store.counts()).toMatchObject({ running: 1, completed: 2 });
  });

  it("deletes what ended too long ago, and never what has not ended", async () => {
    const driven = await drive();
    await end(driven, 1);
    await driven.decide(created(2));
    await look(driven, { rules: { days: 30 }, now: () => END + 30 * DAY });
    expect(ids(driven)).toEqual([2, 1]);
    await look(driven, { rules: { days: 30 }, now: () => END + 30 * DAY + 1 });
    await until(() => ids(driven).length === 1);
    expect(ids(driven)).toEqual([2]);
  });

  it("goes by the workflow's own rules, where it has some", async () => {
    const driven = await drive();
    for (let n = 1; n <= 6; n += 1) await end(driven, n, { workflow_id: n % 2 ? "odd" : "even" });
    const served = () => [{ id: "odd", version: VERSION, retention: { runs: 3 } }];
    await look(driven, { rules: { runs: 1 }, served });
    await until(() => ids(driven).length === 4);
    expect(ids(driven)).toEqual([6, 5, 3, 1]);
    const days = () => [{ id: "odd", version: VERSION, retention: { days: 1 } }];
    await look(driven, { served: days, now: () => END + 2 * DAY });
    await until(() => ids(driven).length === 1);
    expect(ids(driven)).toEqual([6]);
  });

  it("keeps a run whose parent has not ended", async () => {
    const driven = await drive();
    await driven.decide(created(1));
    await end(driven, 2, { parent: 1 });
    await end(driven, 3);
    await look(driven, { rules: { runs: 0 } });
    await until(() => ids(driven).length === 2);
    expect(ids(driven)).toEqual([2, 1]);
    await driven.decide(completed(1));
    await look(driven, { rules: { runs: 0 } });
    await until(() => ids(driven).length === 0);
  });

  it("deletes more than one part of a look has room for", async () => {
    const driven = await drive(undefined, { disk: quickDisk });
    for (let n = 1; n <= 250; n += 1) void end(driven, n);
    await end(driven, 251);
    await look(driven, { rules: { runs: 1 } });
    await until(() => documents(driven.folder).length === 1);
    expect(ids(driven)).toEqual([251]);
  });

  it("looks again after a while", async () => {
    const driven = await drive();
    const waits = await look(driven, { rules: { runs: 1 } });
    await end(driven, 1);
    await end(driven, 2);
    expect(waits.last()).toBe(END + RETENTION_EVERY_MS);
    await waits.next();
    await until(() => ids(driven).length === 1);
  });

  it("deletes a version at the second look that finds nothing which needs it", async () => {
    const driven = await drive();
    const workflow = { id: "demo", name: "demo", entry_point: "a", steps: [], max_steps: 1 };
    for (const version of [VERSION, OLD]) await driven.store.saveVersion(version, workflow);
    await end(driven, 1);
    const versions = await driven.store.loadVersions();
    const waits = await look(driven, { versions });
    expect([...versions.keys()].sort()).toEqual([VERSION, OLD].sort());
    await waits.next();
    expect([...versions.keys()]).toEqual([VERSION]);
    expect(readdirSync(join(driven.folder, "versions"))).toEqual([`${VERSION}.json`]);
    // It can come back.
    await driven.store.saveVersion(OLD, workflow);
    expect(readdirSync(join(driven.folder, "versions"))).toHaveLength(2);
  });
});

describe("a deleted run", () => {
  it("stays deleted after a kill, and its document goes then, if it had not yet", async () => {
    const driven = await drive();
    await end(driven, 1, { key: "k" });
    await end(driven, 2);
    await until(() => documents(driven.folder).length === 2);
    const before = copyAsKilled(driven.folder);
    driven.store.delete([runId(1)], () => {});
    await until(() => ids(driven).length === 1);
    const killed = copyAsKilled(driven.folder);
    // As if the kill had come before the document went.
    const document = join(killed, "runs", `${runId(1)}.json`);
    writeFileSync(document, readFileSync(join(before, "runs", `${runId(1)}.json`)));
    const again = await drive(killed);
    expect(ids(again)).toEqual([2]);
    expect(again.store.deleted).toEqual([runId(1)]);
    expect(again.store.findByKey("demo", "k")).toBeUndefined();
    await until(() => !existsSync(document));
    await again.store.close();
    const third = await drive(killed);
    expect(ids(third)).toEqual([2]);
  });

  it("may be of a checkpoint before: the journal's tail deletes it again", async () => {
    const driven = await drive();
    await end(driven, 1);
    await end(driven, 2);
    await driven.store.close();
    const again = await drive(driven.folder);
    again.store.delete([runId(1)], () => {});
    await until(() => ids(again).length === 1);
    const third = await drive(copyAsKilled(driven.folder));
    expect(ids(third)).toEqual([2]);
    await third.store.close();
    expect(ids(await drive(third.folder))).toEqual([2]);
  });

  it("can be started anew under its id, as a child is by its parent's retry", async () => {
    const driven = await drive();
    await end(driven, 1);
    await end(driven, 2);
    driven.store.delete([runId(1)], () => {});
    await until(() => ids(driven).length === 1);
    const fresh = created(1);
    await new Promise<void>((resolve) => {
      driven.store.append(fresh, (seq) => {
        driven.store.published({ ...blank(1), seq });
        resolve();
      });
    });
    expect(ids(driven)).toEqual([1, 2]);
    const again = await drive(copyAsKilled(driven.folder));
    expect(ids(again)).toEqual([1, 2]);
    expect(again.store.recovered.map(({ id }) => id)).toEqual([runId(1)]);
  });

  it("is not deleted when a retry was first, nor when one comes in between", async () => {
    const driven = await drive();
    await driven.decide(created(1));
    await driven.decide(failed(1));
    driven.store.delete([runId(1)], () => {});
    await driven.decide(retried(1));
    driven.store.delete([runId(1)], () => {});
    await driven.decide(completed(1));
    expect(ids(driven)).toEqual([1]);
    const again = await drive(copyAsKilled(driven.folder));
    expect(await again.store.get(runId(1))).toMatchObject({ status: "completed" });
    await until(() => documents(again.folder).length === 1);
  });

  it("is gone from the disk before the journal forgets that it was deleted", async () => {
    let isRefused = true;
    const disk = {
      ...quickDisk,
      unlink(path: string) {
        if (isRefused && path.includes("run_")) throw systemError("EIO");
        quickDisk.unlink(path);
      },
    };
    const driven = await drive(undefined, { disk });
    await end(driven, 1);
    await until(() => documents(driven.folder).length === 1);
    driven.store.delete([runId(1)], () => {});
    await until(() => driven.troubles.length > 0);
    expect(driven.troubles[0]).toContain("EIO");
    const killed = copyAsKilled(driven.folder);
    isRefused = false;
    expect(documents(killed)).toHaveLength(1);
    const again = await drive(killed, { disk });
    await again.store.close();
    expect(documents(killed)).toEqual([]);
  });
});

async function end(driven: Driven, n: number, started: Parameters<typeof created>[1] = {}) {
  void driven.decide(created(n, started));
  return driven.decide(completed(n));
}

function blank(n: number) {
  const { workflow_id, workflow_version } = { workflow_id: "demo", workflow_version: VERSION };
  return {
    ...{ id: runId(n), workflow_id, workflow_version, status: "running" as const, context: {} },
    ...{ trigger: { type: "manual" as const }, error: null, output: null, steps: {}, open: [] },
    ...{ created_at: new Date(END).toISOString(), started_at: new Date(END).toISOString() },
    ...{ finished_at: null, step_count: 0, seq: 0 },
  };
}

/** The numbers of all runs, newest first. */
function ids(driven: Driven): number[] {
  return driven.store.list({ limit: 200 }).runs.map(({ id }) => Number(id.slice(4)));
}

function documents(folder: string): string[] {
  return readdirSync(join(folder, "runs")).filter((name) => name.endsWith(".json"));
}

/** One whole look; the answer can have the next one follow. */
async function look(driven: Driven, options: Partial<RetentionOptions>) {
  const waiting: { at: number; due: () => void }[] = [];
  const now = options.now ?? (() => END);
  const retention = new Retention({
    store: driven.store,
    rules: {},
    served: () => [],
    gone() {},
    versions: new Map(),
    wait: (at, due) => {
      waiting.push({ at, due });
      return () => {};
    },
    log: { info() {}, warn() {}, error() {} },
    ...options,
    now,
  });
  retention.start();
  const isOver = () => (waiting.at(-1)?.at ?? 0) >= now() + RETENTION_EVERY_MS;
  const next = async () => {
    do {
      const count = waiting.length;
      waiting.at(-1)?.due();
      await until(() => waiting.length > count);
    } while (!isOver());
  };
  await next();
  return { next, last: () => waiting.at(-1)?.at };
}

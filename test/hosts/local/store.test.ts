// The store as its host sees it: what is kept, what is found again, and how trouble is told.

import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fold } from "../../../src/engine/evolve.js";
import type { Run } from "../../../src/engine/run.js";
import type { Workflow } from "../../../src/flow/workflow.js";
import { StoreError } from "../../../src/hosts/local/store-error.js";
import * as kit from "./store-kit.js";

const { runId } = kit;
const WORKFLOW: Workflow = { id: "demo", name: "Demo", entry_point: "a", steps: [], max_steps: 1 };

describe("given a new store", () => {
  test("then its folders are their owner's alone, and git does not see it", async () => {
    const { folder, store, decide } = await kit.drive();
    await decide(kit.created(1));
    await store.saveVersion(kit.VERSION, WORKFLOW);
    await store.close();
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("*\n");
    for (const name of readdirSync(folder, { recursive: true }) as string[]) {
      const stat = statSync(join(folder, name));
      expect([name, stat.mode & 0o777]).toEqual([name, stat.isDirectory() ? 0o700 : 0o600]);
    }
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  test("when runs go on and end, then documents show their last state", async () => {
    const { folder, store, decide } = await kit.drive();
    await decide(kit.created(1, { context: { name: "Zoë" } }));
    const live = await decide(kit.stepStarted(1));
    await decide(kit.created(2));
    const ended = await decide(kit.completed(2));
    expect(await store.get(runId(1))).toEqual(live);
    expect(await store.get(runId(2))).toEqual(ended);
    await store.close();
    const text = (n: number): string =>
      readFileSync(join(folder, "runs", `${runId(n)}.json`), "utf8");
    expect(JSON.parse(text(1))).toEqual(live);
    expect(text(2)).toBe(`${JSON.stringify(ended, null, 2)}\n`);
    expect(readdirSync(join(folder, "runs")).sort()).toEqual([1, 2].map((n) => `${runId(n)}.json`));
  });

  test("when an unknown or impossible id is asked for, then there is no such run", async () => {
    const { folder, store } = await kit.drive();
    writeFileSync(join(folder, "runs", "x.json"), '{"id":"x"}');
    for (const id of [runId(9), "x", "../store", "", "run_", `${runId(1)}/../x`]) {
      expect(await store.get(id)).toBeUndefined();
    }
  });
});

describe("given a store with runs", () => {
  async function filled() {
    const driven = await kit.drive();
    const { decide } = driven;
    for (let n = 1; n <= 6; n += 1) {
      await decide(kit.created(n, { workflow_id: n % 2 ? "odd" : "even", key: `key ${n}` }));
    }
    await decide(kit.stepStarted(1));
    await decide(kit.completed(2));
    await decide(kit.failed(3));
    return driven;
  }

  test.each([
    ["closed", async (driven: kit.Driven) => driven.store.close().then(() => driven.folder)],
    ["killed", async (driven: kit.Driven) => kit.copyAsKilled(driven.folder)],
  ])("when it was %s and is opened again, then it has the same", async (_name, end) => {
    const driven = await filled();
    const before = driven.store;
    const runs = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => before.get(runId(n))));
    const listed = before.list({ limit: 10 });
    const { store, failures, troubles } = await kit.drive(await end(driven));
    expect(store.recovered.map(({ id }) => id)).toEqual([1, 4, 5, 6].map(runId));
    expect(await Promise.all([1, 2, 3, 4, 5, 6].map((n) => store.get(runId(n))))).toEqual(runs);
    expect(store.list({ limit: 10 })).toEqual(listed);
    expect(store.counts()).toMatchObject({ running: 4, completed: 1, failed: 1 });
    expect(store.findByKey("odd", "key 3")).toBe(runId(3));
    expect(store.findByKey("even", "key 3")).toBeUndefined();
    expect(store.findByKey("even", "key 4")).toBe(runId(4));
    expect([failures, troubles]).toEqual([[], []]);
  });

  test("when it is opened by two, then the second is told who has it", async () => {
    const { folder, store } = await filled();
    store.setAddress("http://127.0.0.1:8123");
    const error = await kit.opening(folder);
    expect([error.kind, error.owner?.url]).toEqual(["locked", "http://127.0.0.1:8123"]);
  });

  test("when documents are missing, torn or old, then a start puts them right", async () => {
    const driven = await filled();
    await driven.store.close();
    const { folder } = driven;
    const path = (n: number): string => join(folder, "runs", `${runId(n)}.json`);
    const right = [1, 4, 5, 6].map((n) => readFileSync(path(n), "utf8"));
    rmSync(path(1));
    writeFileSync(path(4), right[1]!.slice(0, 40));
    writeFileSync(path(5), right[2]!.replace('"running"', '"pending"'));
    writeFileSync(path(6), "");
    const again = await kit.drive(folder);
    const now = (): string[] => [1, 4, 5, 6].map((n) => text(path(n)));
    await kit.until(() => now().join() === right.join());
    await again.store.close();
    expect(now()).toEqual(right);
  });

  test("when the whole folder of documents goes while it runs, then it comes back", async () => {
    const { folder, store, decide } = await filled();
    rmSync(join(folder, "runs"), { recursive: true });
    const ended = await decide(kit.completed(4));
    await store.close();
    expect(JSON.parse(text(join(folder, "runs", `${runId(4)}.json`)))).toEqual(ended);
  });

  test("when a finished document is damaged, then reading it says so", async () => {
    const { folder, store } = await filled();
    await store.close();
    const path = join(folder, "runs", `${runId(2)}.json`);
    writeFileSync(path, "{");
    const again = await kit.drive(folder);
    await expect(again.store.get(runId(2))).rejects.toThrow(path);
    rmSync(path);
    expect(await again.store.get(runId(2))).toBeUndefined();
  });
});

describe("given a finished run that is retried", () => {
  test.each([true, false])(
    "when the process is killed, then it goes on from where it was (checkpoint before: %s)",
    async (hasCheckpoint) => {
      let driven = await kit.drive();
      await driven.decide(kit.created(1, { context: { big: "x" } }));
      const ended = await driven.decide(kit.failed(1));
      if (hasCheckpoint) await driven.store.close();
      if (hasCheckpoint) driven = await kit.drive(driven.folder);
      const { store } = driven;
      const stored = await store.get(runId(1));
      expect(stored).toEqual(ended);
      const live = await new Promise<Run>((resolve) =>
        store.append(kit.retried(1), (seq) => {
          const run = fold(ended, kit.retried(1), seq);
          store.published(run);
          resolve(run);
        }),
      );
      const copy = kit.copyAsKilled(driven.folder);
      // A power cut may leave the document torn: it was not synced.
      writeFileSync(join(copy, "runs", `${runId(1)}.json`), "");
      const again = await kit.drive(copy);
      expect(again.store.recovered).toEqual([live]);
      expect(again.store.counts()).toMatchObject({ running: 1, failed: 0 });
    },
  );

  test("when its failure is not durable yet, then a checkpoint has it whole", async () => {
    const options = { first_segment_bytes: 1024, segment_bytes: 1024 };
    const { store, folder, decide } = await kit.drive(undefined, options);
    const context = { big: "x".repeat(400) };
    await decide(kit.created(1, { context }));
    // Each record fills a segment; so a checkpoint is taken between the two.
    const failing = decide(kit.failed(1, "y".repeat(900)));
    await Promise.all([
      failing,
      decide({ ...kit.retried(1) }),
      decide(kit.created(2, { context })),
    ]);
    await kit.until(() => store.stats().checkpoints > 0);
    const again = await kit.drive(kit.copyAsKilled(folder), options);
    expect(again.store.recovered.map(({ id, status }) => [id, status])).toEqual([
      [runId(1), "running"],
      [runId(2), "running"],
    ]);
    expect(again.store.recovered[0]?.context).toEqual(context);
    expect(again.store.counts()).toMatchObject({ running: 2, failed: 0 });
  });
});

describe("given segments that fill up", () => {
  const options = { first_segment_bytes: 4096, segment_bytes: 8192 };

  test("when checkpoints are taken, then old segments go, and nothing else", async () => {
    const { store, folder, decide } = await kit.drive(undefined, options);
    let count = 0;
    while (count < 120 || store.stats().checkpoints < 2) {
      count += 1;
      await decide(kit.created(count));
      if (count % 3) await decide(kit.completed(count));
    }
    expect(Object.keys(kit.journalFiles(folder))[0]).not.toBe("00000001.jsonl");
    const again = await kit.drive(kit.copyAsKilled(folder), options);
    expect(again.store.recovered.length).toBe(Math.floor(count / 3));
    expect(again.store.list({ limit: 200 })).toEqual(store.list({ limit: 200 }));
    for (const n of [1, 2, 3, 60, 119, 120]) {
      expect(await again.store.get(runId(n))).toEqual(await store.get(runId(n)));
    }
  });

  test("when it is closed and opened many times, then all is there each time", async () => {
    const folder = join(kit.makeFolder(), "store");
    for (let n = 1; n <= 12; n += 1) {
      const { store, decide } = await kit.drive(folder, options);
      expect(store.recovered.length).toBe(n - 1);
      await decide(kit.created(n, { context: { text: "x".repeat(700) } }));
      await store.close();
    }
  });

  test("when the checkpoint is damaged, then the store is refused, whatever the byte", async () => {
    const { store, folder, decide } = await kit.drive(undefined, {
      ...options,
      disk: kit.quickDisk,
    });
    for (let n = 1; n <= 3; n += 1) await decide(kit.created(n));
    await decide(kit.completed(1));
    await store.close();
    const path = join(folder, "checkpoint.bin");
    const whole = readFileSync(path);
    const { recover } = await import("../../../src/hosts/local/recovery.js");
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
      writeFileSync(path, flipped);
      expect(() => recover(kit.quickDisk, folder), `byte ${at}`).toThrow(StoreError);
      if (at % 20 === 0) writeFileSync(path, whole.subarray(0, at));
      expect(() => recover(kit.quickDisk, folder), `cut ${at}`).toThrow(StoreError);
    }
    rmSync(path);
    writeFileSync(path, whole);
    expect(recover(kit.quickDisk, folder).live.size).toBe(2);
  });
});

test("given versions, when they are saved, then each is on disk once and found again", async () => {
  const { folder, store } = await kit.drive();
  const other = "cd".repeat(32);
  const saves = [kit.VERSION, kit.VERSION, other].map((v) => store.saveVersion(v, WORKFLOW));
  await Promise.all(saves);
  await store.close();
  writeFileSync(join(folder, "versions", `${other}.json.7.tmp`), "{");
  writeFileSync(join(folder, "versions", "notes.txt"), "mine");
  const again = await kit.drive(folder);
  const versions = await again.store.loadVersions();
  expect([...versions.keys()].sort()).toEqual([kit.VERSION, other]);
  expect(versions.get(other)).toEqual(WORKFLOW);
  const names = readdirSync(join(folder, "versions")).sort();
  expect(names).toEqual([`${kit.VERSION}.json`, `${other}.json`, "notes.txt"]);
  writeFileSync(join(folder, "versions", `${other}.json`), "{");
  await expect(again.store.loadVersions()).rejects.toThrow(StoreError);
});

function text(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

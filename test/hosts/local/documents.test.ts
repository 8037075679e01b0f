// Run documents: when they are written, which state wins, and what happens when they cannot be.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fold } from "../../../src/engine/evolve.js";
import type { Run } from "../../../src/engine/run.js";
import { WorkerSink } from "../../../src/hosts/local/document-sink.js";
import type { DocumentAnswer, DocumentBatch } from "../../../src/hosts/local/document-writer.js";
import { DocumentWriter } from "../../../src/hosts/local/document-writer.js";
import { Documents } from "../../../src/hosts/local/documents.js";
import * as kit from "./store-kit.js";

const { runId } = kit;

function live(n: number, seq = n): Run {
  return fold(null, kit.created(n), seq);
}

function ended(n: number, seq = n + 1): Run {
  return fold(live(n), kit.completed(n), seq);
}

/** A sink that answers when the test says so. */
function slowSink() {
  const batches: DocumentBatch[] = [];
  const waiting: ((answer: DocumentAnswer) => void)[] = [];
  return {
    batches,
    ids: () => batches.map(({ write }) => write.filter((_, i) => i % 2 === 0)),
    answer: (answer: Partial<DocumentAnswer> = {}) =>
      waiting.shift()?.({ write: [], repair: [], ...answer }),
    send(batch: DocumentBatch, done: (answer: DocumentAnswer) => void) {
      batches.push(batch);
      waiting.push(done);
    },
    async close() {},
  };
}

function queue(delay_ms = 1) {
  const sink = slowSink();
  const troubles: string[] = [];
  const onTrouble = (message: string): void => void troubles.push(message);
  const runs = new Map<string, Run>();
  const live = (id: string): string => JSON.stringify(runs.get(id));
  const documents = new Documents({ delay_ms, sink, live, onTrouble });
  const changed = (run: Run): void => {
    runs.set(run.id, run);
    documents.changed(run.id);
  };
  /** The delay passes at once. */
  const flush = (): void => void documents.drain();
  return { sink, troubles, documents, changed, runs, flush };
}

describe("given a queue of documents", () => {
  test("when a run ends within its delay, then it is written once, as it ended", async () => {
    const { documents, changed, sink, flush } = queue();
    changed(live(1));
    changed({ ...live(1), seq: 5 });
    documents.finished(ended(1));
    flush();
    expect(sink.batches).toEqual([
      {
        write: [runId(1), JSON.stringify(ended(1))],
        repair: [],
        remove: [],
        sync: [],
        sync_all: false,
      },
    ]);
    sink.answer();
    await documents.drain();
    expect(sink.batches.length).toBe(1);
  });

  test("when a run changes while it is written, then the latest state follows", async () => {
    const { documents, changed, sink } = queue();
    changed(live(1));
    await kit.until(() => sink.batches.length === 1);
    changed({ ...live(1), seq: 2 });
    changed({ ...live(1), seq: 3 });
    await new Promise((resolve) => setTimeout(resolve, 10));
    sink.answer();
    await kit.until(() => sink.batches.length === 2);
    expect(JSON.parse(sink.batches[1]?.write[1] ?? "").seq).toBe(3);
    sink.answer();
    await documents.drain();
  });

  test("when its text is at hand, then that is written, unless the run has changed since", () => {
    const { documents, sink, flush, changed } = queue();
    for (const n of [1, 2, 3]) documents.changed(runId(n), `"as it was given, ${n}"`);
    changed({ ...live(2), seq: 9 });
    documents.finished(ended(3));
    flush();
    expect(sink.batches[0]?.write).toEqual([
      ...[runId(1), '"as it was given, 1"'],
      ...[runId(2), JSON.stringify({ ...live(2), seq: 9 })],
      ...[runId(3), JSON.stringify(ended(3))],
    ]);
    changed(live(1));
    sink.answer();
    flush();
    expect(sink.batches[1]?.write).toEqual([runId(1), JSON.stringify(live(1))]);
  });

  test("when a text is long, then it is not kept, but asked for when its turn comes", () => {
    const { documents, sink, flush, runs } = queue();
    runs.set(runId(1), live(1));
    documents.changed(runId(1), `"${"x".repeat(5_000)}"`);
    flush();
    expect(sink.batches[0]?.write).toEqual([runId(1), JSON.stringify(live(1))]);
  });

  test("when very many texts are at hand, then the rest is asked for when its turn comes", () => {
    const { documents, sink, flush, runs } = queue();
    for (let n = 1; n <= 9_000; n += 1) {
      runs.set(runId(n), live(n));
      documents.changed(runId(n), `"${n}"`);
    }
    flush();
    while (sink.batches.length < 9_000 / 256) sink.answer();
    const texts = sink.batches.flatMap(({ write }) => write.filter((_, i) => i % 2 === 1));
    expect(texts).toHaveLength(9_000);
    expect(texts[0]).toBe('"1"');
    expect(texts.at(-1)).toBe(JSON.stringify(live(9_000)));
  });

  test("when very many change at once, then those that end soon are written once", async () => {
    const { documents, changed, sink } = queue();
    const count = 1_000;
    for (let n = 1; n <= count; n += 1) changed(live(n));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(sink.batches).toEqual([]);
    for (let n = 1; n < count; n += 1) documents.finished(ended(n));
    await kit.until(() => {
      sink.answer();
      return sink.ids().flat().length === count;
    });
    expect(new Set(sink.ids().flat()).size).toBe(count);
    const texts = sink.batches.flatMap(({ write }) => write.filter((_, i) => i % 2 === 1));
    const statuses = texts.map((text) => JSON.parse(text).status);
    expect(statuses.filter((status) => status === "completed")).toHaveLength(count - 1);
  });

  test("when very many change at once and go on, then they are written, too", async () => {
    const { changed, sink } = queue();
    for (let n = 1; n <= 1_000; n += 1) changed(live(n));
    await kit.until(() => {
      sink.answer();
      return sink.ids().flat().length === 1_000;
    });
    expect(new Set(sink.ids().flat()).size).toBe(1_000);
  });

  test("when a live run's document is large, then it is not written at each change", async () => {
    const { documents, changed, sink } = queue();
    const large = (seq: number): Run => ({ ...live(1), seq, context: { text: "x".repeat(1e6) } });
    changed(large(2));
    await kit.until(() => sink.batches.length === 1);
    sink.answer();
    changed(large(3));
    changed(live(2));
    await kit.until(() => sink.batches.length === 2);
    expect(sink.ids()[1]).toEqual([runId(2)]);
    sink.answer();
    await kit.until(() => sink.batches.length === 3);
    expect(sink.ids()[2]).toEqual([runId(1)]);
    changed(large(4));
    const drained = documents.drain();
    sink.answer();
    sink.answer();
    await drained;
    expect(JSON.parse(sink.batches.at(-1)?.write[1] ?? "").seq).toBe(4);
  });

  test("then a finished run is readable until its document is written", () => {
    const { documents, sink, flush } = queue();
    documents.finished(ended(1));
    flush();
    documents.finished(ended(2));
    flush();
    expect(JSON.parse(documents.text(runId(2)) ?? "")).toEqual(ended(2));
    expect(documents.waiting).toBe(2);
    sink.answer();
    expect([documents.text(runId(1)), documents.waiting]).toEqual([undefined, 1]);
    sink.answer();
    expect([documents.text(runId(2)), documents.waiting]).toEqual([undefined, 0]);
    expect(sink.ids()).toEqual([[runId(1)], [runId(2)]]);
  });

  test("when a run is revived while it is written, then its new state follows", async () => {
    const { documents, changed, sink, flush } = queue();
    documents.finished(ended(1));
    flush();
    changed({ ...live(1), seq: 9 });
    expect(documents.text(runId(1))).toBeUndefined();
    sink.answer();
    await kit.until(() => sink.batches.length === 2);
    expect(JSON.parse(sink.batches[1]?.write[1] ?? "").seq).toBe(9);
    sink.answer();
  });

  test("when more than its bound waits, then it is full, until some are written", () => {
    const { documents, sink, flush } = queue();
    const output = "x".repeat(8 * 1024 * 1024);
    for (let n = 1; n <= 9; n += 1) documents.finished({ ...ended(n), output });
    flush();
    expect(documents.isFull).toBe(true);
    for (let n = 1; n <= 9; n += 1) sink.answer();
    expect([documents.isFull, documents.waiting]).toEqual([false, 0]);
  });

  test("when documents must be durable, then they are written before they are synced", async () => {
    const { documents, sink, flush } = queue();
    documents.finished(ended(1));
    flush();
    const synced = documents.sync([runId(1), runId(2)]);
    documents.finished(ended(3));
    flush();
    sink.answer();
    expect(sink.batches[1]).toEqual({
      write: [runId(3), JSON.stringify(ended(3))],
      repair: [],
      remove: [],
      sync: [runId(1), runId(2)],
      sync_all: false,
    });
    sink.answer();
    await synced;
    const refused = documents.sync([runId(3)]);
    sink.answer({ sync: "EIO" });
    await expect(refused).rejects.toThrow("EIO");
    await documents.sync([]);
  });

  test("when many must be durable, then they are synced at once, or by name", async () => {
    const { documents, sink, flush } = queue();
    const ids = Array.from({ length: 100 }, (_, n) => runId(n + 1));
    documents.finished(ended(1));
    flush();
    const first = documents.sync(ids);
    sink.answer();
    expect(sink.batches[1]).toMatchObject({ write: [], sync: [], sync_all: true });
    sink.answer();
    await first;
    const second = documents.sync([...ids]);
    sink.answer({ not_all: true });
    const named: string[] = [];
    for (let n = 3; n < sink.batches.length; n += 1) {
      named.push(...(sink.batches[n]?.sync ?? []));
      sink.answer();
    }
    await second;
    expect(named).toEqual(ids);
  });

  test("when one cannot be written, then the others are, and it is tried again", async () => {
    const { documents, changed, sink, troubles, flush } = queue();
    documents.finished(ended(1));
    documents.finished(ended(2));
    changed(live(3));
    flush();
    sink.answer({ write: [[1, "ENOSPC"]] });
    expect(troubles.length).toBe(1);
    expect(documents.trouble).toBe("ENOSPC");
    expect(documents.text(runId(1))).toBeDefined();
    await kit.until(() => sink.batches.length === 2);
    expect(sink.ids()).toEqual([[3, 1, 2].map(runId), [runId(1)]]);
    sink.answer();
    expect([documents.waiting, documents.trouble, troubles.length]).toEqual([0, undefined, 1]);
  });

  test("when a whole batch has ended, then it does not wait", () => {
    const { documents, sink, flush } = queue(3_600_000);
    for (let n = 1; n < 256; n += 1) documents.finished(ended(n));
    expect(sink.batches).toEqual([]);
    documents.finished(ended(256));
    expect(sink.ids()[0]?.length).toBe(256);
    flush();
  });

  test("when nothing else is to do, then documents are compared and repaired", async () => {
    const { documents, runs, sink } = queue();
    documents.finished(ended(1));
    await kit.until(() => sink.batches.length === 1);
    for (const n of [2, 3]) runs.set(runId(n), live(n));
    documents.repair([2, 3].map(runId));
    sink.answer();
    expect(sink.batches[1]?.repair.filter((_, i) => i % 2 === 0)).toEqual([2, 3].map(runId));
    sink.answer();
    await documents.drain();
  });
});

test("given the writer's thread, then documents are whole, or repaired", async () => {
  const folder = join(kit.makeFolder(), "runs");
  mkdirSync(folder);
  const worker = new URL("../../../dist/hosts/local/documents-worker.js", import.meta.url);
  const sink = new WorkerSink(worker, folder);
  const send = (batch: Partial<DocumentBatch>): Promise<DocumentAnswer> =>
    new Promise((resolve) =>
      sink.send(
        { write: [], repair: [], remove: [], sync: [], sync_all: false, ...batch },
        resolve,
      ),
    );
  const text = JSON.stringify(ended(1));
  const sync = [runId(1), runId(7)];
  expect(await send({ write: [runId(1), text], sync, sync_all: true })).toEqual({
    write: [],
    repair: [],
  });
  expect(await send({ repair: [runId(1), text, runId(2), text] })).toEqual({
    write: [],
    repair: [],
  });
  const broken = await send({ write: ["no/folder", text, runId(3), text] });
  expect(broken.write).toEqual([[0, expect.stringContaining("ENOENT")]]);
  await sink.close();
  expect(readdirSync(folder).filter((name) => name.startsWith("run_"))).toEqual(
    [1, 2, 3].map((n) => `${runId(n)}.json`),
  );
  for (const n of [1, 2, 3]) {
    expect(JSON.parse(readFileSync(join(folder, `${runId(n)}.json`), "utf8"))).toEqual(ended(1));
  }
});

test("given a thread that dies, then its batch has failed, and another starts", async () => {
  const sink = new WorkerSink(
    new URL("data:text/javascript,throw new Error('broken')"),
    "/nowhere",
  );
  const send = (): Promise<DocumentAnswer> =>
    new Promise((resolve) =>
      sink.send(
        { write: ["a", "{}"], repair: [], remove: [], sync: ["b"], sync_all: false },
        resolve,
      ),
    );
  const reason = "the documents' thread ended: broken";
  for (let time = 0; time < 2; time += 1) {
    expect(await send()).toEqual({ write: [[0, reason]], repair: [], sync: reason });
  }
  await sink.close();
});

test("given documents of which some are right, then a repair writes the others", () => {
  const folder = kit.makeFolder();
  const renamed: string[] = [];
  const rename = (from: string, to: string): void => {
    renamed.push(to);
    kit.quickDisk.rename(from, to);
  };
  const writer = new DocumentWriter({ ...kit.quickDisk, rename }, folder);
  const batch = {
    write: [runId(1), '{"a":1}', runId(2), '{"a":2}'],
    repair: [],
    remove: [],
    sync: [],
    sync_all: false,
  };
  writer.handle(batch);
  renamed.length = 0;
  writer.handle({
    write: [],
    repair: [runId(1), '{"a":1}', runId(2), '{"a":3}'],
    remove: [],
    sync: [],
    sync_all: false,
  });
  expect(renamed).toEqual([join(folder, `${runId(2)}.json`)]);
});

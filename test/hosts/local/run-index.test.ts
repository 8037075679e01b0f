// The index of all runs: pages, counts, keys, and what a checkpoint captures of it.

import { describe, expect, test } from "vitest";
import type { Run, RunStatus } from "../../../src/engine/run.js";
import type { RunQuery } from "../../../src/engine/runner.js";
import { BLOCK_ROWS } from "../../../src/hosts/local/row-block.js";
import { isCursor, RunIndex } from "../../../src/hosts/local/run-index.js";
import { runId, VERSION } from "./store-kit.js";

const STATUSES: RunStatus[] = ["pending", "running", "paused", "completed", "failed", "cancelled"];

function run(n: number, status: RunStatus, more: Partial<Run> = {}): Run {
  const time = new Date(n * 1000).toISOString();
  return {
    id: runId(n),
    workflow_id: "demo",
    workflow_version: VERSION,
    status,
    context: {},
    trigger: { type: "manual" },
    steps: {},
    error: null,
    output: null,
    created_at: time,
    started_at: status === "pending" ? null : time,
    finished_at: ["completed", "failed", "cancelled"].includes(status) ? time : null,
    open: [],
    step_count: 0,
    seq: n,
    ...more,
  };
}

/** Another index, made of what a checkpoint would have of this one. */
function restored(index: RunIndex): RunIndex {
  const capture = index.capture();
  const { workflows, versions, counts, slots } = capture;
  const copy = new RunIndex();
  copy.expect(workflows, versions, counts);
  const full = Array.from({ length: slots }, (_, slot) => slot).filter(capture.has);
  for (let from = 0; from < full.length; from += BLOCK_ROWS) {
    const { block, details } = capture.copy(full.slice(from, from + BLOCK_ROWS));
    copy.restore(block, details);
  }
  copy.restoreIds();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(copy.length);
  capture.release();
  return copy;
}

/** All pages of a query, newest first. */
function pages(index: RunIndex, query: Omit<RunQuery, "cursor">): string[] {
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page = index.list({ ...query, ...(cursor === null ? {} : { cursor }) });
    expect(page.runs.length).toBeLessThanOrEqual(query.limit);
    ids.push(...page.runs.map(({ id }) => id));
    cursor = page.next_cursor;
    if (cursor !== null) expect(isCursor(cursor)).toBe(true);
  } while (cursor !== null);
  return ids;
}

describe("given many runs of three workflows in all statuses", () => {
  const index = new RunIndex();
  const runs: Run[] = [];
  for (let n = 1; n <= 3_000; n += 1) {
    const workflow_id = ["a", "b", "c"][(n * n) % 3] ?? "a";
    const first = run(n, "pending", { workflow_id });
    index.put(first, 10 * n);
    runs.push(first);
  }
  for (let n = 1; n <= 3_000; n += 1) {
    const status = STATUSES[(n * 31) % 7] ?? "completed";
    const next = { ...run(n, status), workflow_id: runs[n - 1]?.workflow_id ?? "", seq: 1e6 - n };
    index.put(next);
    runs[n - 1] = next;
  }

  test.each([
    ["all", {}],
    ["one status", { status: "failed" }],
    ["one workflow", { workflow_id: "b" }],
    ["one status of one workflow", { workflow_id: "a", status: "completed" }],
    ["a status of a workflow that has none", { workflow_id: "none", status: "completed" }],
  ] as const)("when %s are listed, then the pages have each once, newest first", (_name, query) => {
    const wanted = runs.filter(
      (one) =>
        (!("status" in query) || one.status === query.status) &&
        (!("workflow_id" in query) || one.workflow_id === query.workflow_id),
    );
    const ids = wanted.map(({ id }) => id).reverse();
    for (const limit of [1, 7, 50, 200]) expect(pages(index, { ...query, limit })).toEqual(ids);
  });

  test("when they are counted, then each status has its number", () => {
    const counts = Object.fromEntries(
      STATUSES.map((status) => [status, runs.filter((one) => one.status === status).length]),
    );
    expect(index.counts()).toEqual(counts);
  });

  test("when they are captured and restored, then all are the same", () => {
    const copy = restored(index);
    for (const status of STATUSES) {
      const query = { status, limit: 5_000 };
      expect(copy.list(query)).toEqual(index.list(query));
    }
    expect(copy.counts()).toEqual(index.counts());
    for (const n of [1, 77, 3_000]) expect(copy.order(runId(n))).toBe(10 * n);
    expect(copy.order(runId(3_001))).toBeUndefined();
  });

  test("when the first list by workflow comes early or late, then it is the same", () => {
    const [early, late] = [restored(index), restored(index)];
    const lists = (one: RunIndex): string[][] =>
      ["a", "b", "none"].flatMap((workflow_id) => [
        pages(one, { workflow_id, limit: 200 }),
        pages(one, { workflow_id, status: "failed", limit: 200 }),
      ]);
    expect(lists(early)).toEqual(lists(index));
    for (const one of [early, late]) {
      for (let n = 1; n <= 3_000; n += 5) one.remove(runId(n));
      for (let n = 2; n <= 3_000; n += 5) one.put(run(n, "failed"));
      for (let n = 3_001; n <= 3_009; n += 1) {
        one.put(run(n, "failed", { workflow_id: "b" }), 10 * n);
      }
    }
    expect(lists(late)).toEqual(lists(early));
    expect(lists(late)[2]?.[0]).toBe(runId(3_009));
    expect(lists(late)[3]).toContain(runId(2));
  });

  test("when the finished ones of each workflow are counted, then it has its number", () => {
    const finished = (workflow_id: string): number =>
      (["completed", "failed", "cancelled"] as const).flatMap((status) =>
        pages(index, { workflow_id, status, limit: 200 }),
      ).length;
    const wanted = new Map(["a", "b"].map((id) => [id, finished(id)]));
    for (const one of [index, restored(index)]) {
      expect(new Map([...one.finishedCounts()].sort())).toEqual(wanted);
    }
  });

  test("when some are removed, then the others are found and listed as before", () => {
    const copy = restored(index);
    for (let n = 1; n <= 3_000; n += 3) copy.remove(runId(n));
    const left = runs.filter((_, i) => i % 3 !== 0).map(({ id }) => id);
    for (const one of [copy, restored(copy)]) {
      expect(pages(one, { limit: 200 })).toEqual(left.toReversed());
      expect(one.status(runId(4))).toBeUndefined();
      expect(one.status(runId(5))).toBe(runs[4]?.status);
    }
  });
});

describe("given a page", () => {
  test("when its last run has finished meanwhile, then the next page goes on behind it", () => {
    const index = new RunIndex();
    for (let n = 1; n <= 9; n += 1) index.put(run(n, "running"));
    const first = index.list({ status: "running", limit: 3 });
    index.put(run(7, "completed"));
    const second = index.list({ status: "running", limit: 3, cursor: first.next_cursor ?? "" });
    expect(second.runs.map(({ id }) => id)).toEqual([6, 5, 4].map(runId));
  });

  test("when its cursor is none of ours, then it is refused", () => {
    for (const cursor of ["", "-1", "A", "../x", "z".repeat(40)]) {
      expect(isCursor(cursor)).toBe(false);
      expect(() => new RunIndex().list({ limit: 1, cursor })).toThrow(RangeError);
    }
  });
});

test("given a failed run, when it is listed, then its error is there, cut if long", () => {
  const index = new RunIndex();
  const error = { kind: "network", message: "x".repeat(10_000), step_id: "send" };
  index.put(run(1, "failed", { error }));
  const [listed] = index.list({ limit: 1 }).runs;
  expect(listed?.error).toMatchObject({ kind: "network", step_id: "send" });
  expect(listed?.error?.message.length).toBeLessThan(600);
  index.put(run(1, "running"));
  expect(index.list({ limit: 1 }).runs[0]?.error).toBeNull();
});

test("given runs with idempotency keys, then each is found by its workflow and key", () => {
  const index = new RunIndex();
  const trigger = { type: "manual", idempotency_key: "k 1" } as const;
  index.put(run(1, "completed", { trigger }));
  index.put(run(2, "running", { trigger, workflow_id: "other" }));
  const copy = restored(index);
  expect(index.findByKey("demo", "k 1")).toBe(runId(1));
  expect(index.findByKey("other", "k 1")).toBe(runId(2));
  expect(copy.findByKey("demo", "k 1")).toBe(runId(1));
  expect(index.findByKey("demo", "k")).toBeUndefined();
  expect(index.findByKey("none", "k 1")).toBeUndefined();
});

test("given a capture, when runs go on meanwhile, then it shows its moment", () => {
  const index = new RunIndex();
  const error = { kind: "network", message: "gone" };
  index.put(run(1, "failed", { error }));
  index.put(run(2, "running"));
  index.put(run(3, "completed"));
  const capture = index.capture();
  const copied = () => capture.copy([0, 1, 2]);
  const before = copied();
  index.put(run(1, "running"));
  index.put(run(1, "completed"));
  index.put(run(2, "completed"));
  index.put(run(4, "completed"));
  index.remove(runId(3));
  expect(copied()).toEqual(before);
  expect(before.details).toEqual({ errors: [[0, error]], keys: [] });
  expect([capture.counts, capture.slots]).toEqual([[3], 3]);
  expect([capture.has(2), index.capture().has(2)]).toEqual([true, false]);
});

test("given a run that failed, when it has failed again, then the later failure is listed", () => {
  const index = new RunIndex();
  const failed = (message: string, finished_at: string): Run =>
    run(1, "failed", { error: { kind: "network", message }, finished_at });
  index.put(failed("first", "2026-01-01T00:00:01.000Z"));
  index.put(failed("second", "2026-01-01T00:00:02.000Z"));
  expect(index.list({ limit: 1 }).runs).toMatchObject([
    { error: { message: "second" }, finished_at: "2026-01-01T00:00:02.000Z" },
  ]);
});

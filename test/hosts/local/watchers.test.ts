// Watching a run: every change once and in order, also after the reader was cut off.

import { describe, expect, it } from "vitest";
import type { Event } from "../../../src/engine/event.js";
import type { Run } from "../../../src/engine/run.js";
import type { Change } from "../../../src/engine/runner.js";
import { Watchers } from "../../../src/hosts/local/watchers.js";
import { RECENT_CHANGES } from "../../../src/limits.js";
import { RUN } from "../../engine/support.js";

const OTHER = "run_00000000000000000000000002";

function runAt(seq: number, more: Partial<Run> = {}): Run {
  return {
    id: RUN,
    workflow_id: "flow",
    workflow_version: "v1",
    status: "running",
    context: {},
    trigger: { type: "manual" },
    steps: {},
    error: null,
    output: null,
    created_at: "2026-01-01T00:00:00.000Z",
    started_at: null,
    finished_at: null,
    open: [],
    step_count: 0,
    seq,
    ...more,
  };
}

/** As many events as asked for; which ones does not matter here. */
function events(count: number): Event[] {
  return Array.from({ length: count }, () => ({ type: "run_resumed", at: "2026-01-01" }));
}

const never = new AbortController().signal;

async function read(changes: AsyncIterable<Change>, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const change of changes) {
    ids.push(change.type === "run" ? `whole ${change.id}` : change.id);
    if (ids.length === count) break;
  }
  return ids;
}

describe("a reader", () => {
  it("that is far behind gets the run as it is, instead of each change", async () => {
    const watchers = new Watchers();
    const changes = watchers.watch(runAt(5), undefined, never);
    for (let seq = 6; seq < 400; seq++) watchers.published(runAt(seq), events(3));
    const ids = await read(changes, 3);
    expect(ids[0]).toMatch(/^whole /);
    expect(Number(ids[0]?.match(/ (\d+)/)?.[1])).toBeGreaterThan(300);
    expect(ids.slice(1)).toEqual(["340.0", "340.1"]);
  });

  it("gets the run as it is, then each change of it, and of no other run", async () => {
    const watchers = new Watchers();
    const changes = watchers.watch(runAt(5), undefined, never);
    watchers.published(runAt(6), events(2));
    watchers.published(runAt(7, { id: OTHER }), events(1));
    watchers.published(runAt(8), events(1));
    const ids = await read(changes, 4);
    expect(ids[0]).toMatch(/^whole 5\./);
    expect(ids.slice(1)).toEqual(["6.0", "6.1", "8.0"]);
  });

  it("comes to its end with the run's last change, and not one event before it", async () => {
    const watchers = new Watchers();
    const changes = watchers.watch(runAt(5), undefined, never);
    watchers.published(runAt(6, { status: "completed" }), events(2));
    expect(await read(changes, 99)).toHaveLength(3);
  });

  it("of a run that has ended gets it whole, and is done", async () => {
    const changes = new Watchers().watch(runAt(5, { status: "failed" }), undefined, never);
    expect(await read(changes, 99)).toHaveLength(1);
  });

  it("that is aborted while it waits is done", async () => {
    const controller = new AbortController();
    const changes = new Watchers().watch(runAt(5), undefined, controller.signal);
    const ids = read(changes, 99);
    setTimeout(() => controller.abort(), 5);
    expect(await ids).toHaveLength(1);
  });

  it("is done when the host closes", async () => {
    const watchers = new Watchers();
    const ids = read(watchers.watch(runAt(5), undefined, never), 99);
    setTimeout(() => watchers.close(), 5);
    expect(await ids).toHaveLength(1);
  });
});

describe("a reader that was cut off", () => {
  async function published(): Promise<Watchers> {
    const watchers = new Watchers();
    await read(watchers.watch(runAt(4), undefined, never), 1);
    watchers.published(runAt(5), events(2));
    watchers.published(runAt(6, { id: OTHER }), events(1));
    watchers.published(runAt(7), events(2));
    return watchers;
  }

  it("gets what it missed, from the middle of a decision too, and nothing twice", async () => {
    expect(await read((await published()).watch(runAt(7), "5.0", never), 3)).toEqual([
      "5.1",
      "7.0",
      "7.1",
    ]);
    expect(await read((await published()).watch(runAt(7), "5.1", never), 2)).toEqual([
      "7.0",
      "7.1",
    ]);
  });

  it("that missed nothing gets only what comes next", async () => {
    const watchers = await published();
    const changes = watchers.watch(runAt(7), "7.1", never);
    watchers.published(runAt(8), events(1));
    expect(await read(changes, 1)).toEqual(["8.0"]);
  });

  it("goes on from the whole run that it was given, without getting it again", async () => {
    const watchers = await published();
    const [whole = ""] = await read(watchers.watch(runAt(7), undefined, never), 1);
    const changes = watchers.watch(runAt(7), whole.replace("whole ", ""), never);
    watchers.published(runAt(8), events(1));
    expect(await read(changes, 1)).toEqual(["8.0"]);
  });

  it("before this host began gets the whole run, since nobody remembers the changes", async () => {
    const ids = await read((await published()).watch(runAt(7), "3.0", never), 1);
    expect(ids[0]).toMatch(/^whole 7\./);
  });

  it("too long ago gets the whole run: only so many changes are remembered", async () => {
    const watchers = await published();
    await read(watchers.watch(runAt(7, { id: OTHER }), undefined, never), 1);
    for (let seq = 8; seq <= 8 + 2 * RECENT_CHANGES; seq++) {
      watchers.published(runAt(seq, { id: OTHER }), events(1));
    }
    expect((await read(watchers.watch(runAt(7), "5.0", never), 1))[0]).toMatch(/^whole 7\./);
  });

  it("from a run with very many changes gets it whole, though another reads along", async () => {
    const watchers = await published();
    const along = watchers.watch(runAt(7), undefined, never);
    const last = 8 + 2 * RECENT_CHANGES;
    for (let seq = 8; seq <= last; seq++) watchers.published(runAt(seq), events(1));
    for (const after of ["5.0", "7.1", "8.0"]) {
      const [first] = await read(watchers.watch(runAt(last), after, never), 1);
      expect(first).toMatch(new RegExp(`^whole ${last}\\.`));
    }
    watchers.published(runAt(last + 1), events(2));
    const again = watchers.watch(runAt(last + 1), `${last + 1}.0`, never);
    expect(await read(again, 1)).toEqual([`${last + 1}.1`]);
    expect((await read(along, 1))[0]).toMatch(/^whole /);
  });

  it("after which many others have come and gone gets the whole run", async () => {
    const watchers = await published();
    for (let n = 0; n <= 2 * RECENT_CHANGES; n++) {
      await read(watchers.watch(runAt(7, { id: `run_${n}` }), undefined, never), 1);
    }
    expect((await read(watchers.watch(runAt(7), "5.0", never), 1))[0]).toMatch(/^whole 7\./);
  });

  it("just before the end gets the end, and after it nothing, or the whole run", async () => {
    const watchers = await published();
    const ended = runAt(8, { status: "completed" });
    watchers.published(ended, events(2));
    expect(await read(watchers.watch(ended, "7.0", never), 99)).toEqual(["7.1", "8.0", "8.1"]);
    expect(await read(watchers.watch(ended, "8.1", never), 99)).toEqual([]);
    expect((await read(watchers.watch(ended, "7.0", never), 99))[0]).toMatch(/^whole 8\./);
  });

  it("after the end of a run that was retried since gets it whole", async () => {
    const watchers = await published();
    const ended = runAt(8, { status: "failed" });
    watchers.published(ended, events(1));
    expect(await read(watchers.watch(ended, "7.1", never), 99)).toEqual(["8.0"]);
    watchers.published(runAt(9), events(2));
    expect((await read(watchers.watch(runAt(9), "8.0", never), 1))[0]).toMatch(/^whole 9\./);
  });

  it("with an id that is none, or from the future, gets the whole run", async () => {
    for (const id of ["x", "7", "7.x", "99.0", "-1.0"]) {
      const watchers = await published();
      expect((await read(watchers.watch(runAt(7), id, never), 1))[0]).toMatch(/^whole 7\./);
    }
  });
});

describe("who waits for the end of a run", () => {
  const ended = runAt(8, { status: "failed" });

  it("is told of it once, as are others who wait for it, and nobody else", async () => {
    const watchers = new Watchers();
    const told: unknown[] = [];
    for (const id of [RUN, RUN, OTHER]) {
      void watchers.ended(id, never).then((run) => told.push(run));
    }
    watchers.published(runAt(7), events(1));
    await tick();
    expect(told).toEqual([]);
    watchers.published(ended, events(1));
    watchers.published(runAt(9, { status: "completed" }), events(1));
    await tick();
    expect(told).toEqual([ended, ended]);
  });

  it("is let go when it gives up, and those who still wait are not", async () => {
    const watchers = new Watchers();
    const controller = new AbortController();
    const first = watchers.ended(RUN, controller.signal);
    const second = watchers.ended(RUN, never);
    const third = watchers.ended(OTHER, controller.signal);
    controller.abort();
    expect([await first, await third]).toEqual([undefined, undefined]);
    expect(await watchers.ended(RUN, controller.signal)).toBeUndefined();
    watchers.published(ended, events(1));
    expect(await second).toBe(ended);
  });

  it("is let go when the host closes", async () => {
    const watchers = new Watchers();
    const waits = [watchers.ended(RUN, never), watchers.ended(OTHER, never)];
    watchers.close();
    expect(await Promise.all(waits)).toEqual([undefined, undefined]);
  });
});

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

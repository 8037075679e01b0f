// Schedules in virtual time: they fire once, whatever stops in between and however clocks jump.

import { describe, expect, test } from "vitest";
import type { Refusal } from "../../src/engine/command.js";
import { Heap } from "../../src/engine/heap.js";
import type { Triggered, TriggerRequest } from "../../src/engine/runner.js";
import type { ScheduleTrigger, Workflow } from "../../src/flow/workflow.js";
import { Clockwork } from "../../src/triggers/clockwork.js";
import type { Mark } from "../../src/triggers/marks.js";

const HOURLY: ScheduleTrigger = {
  type: "schedule",
  cron: "0 * * * *",
  timezone: "UTC",
  missed: "run_once",
};

/** A host that can crash: what it started and what it marked stays, its timers do not. */
class World {
  now: number;
  started: TriggerRequest[] = [];
  told: string[] = [];
  marks = new Map<string, Mark>();
  /** What the next starts are refused with. */
  refusals: Refusal[] = [];
  #due = new Heap<() => void>();
  #clockwork: Clockwork | undefined;

  constructor(now: string) {
    this.now = Date.parse(now);
  }

  /** Times of the runs there are, as `12:00`. */
  get fired(): string[] {
    return this.started.map(({ trigger }) => String(trigger?.scheduled_at).slice(11, 16));
  }

  async open(...workflows: Workflow[]): Promise<void> {
    this.#due = new Heap();
    const life = this.#due;
    const clockwork = new Clockwork({
      now: () => this.now,
      wait: (until, due) => {
        let isForgotten = false;
        life.push(until, () => {
          if (!isForgotten) due();
        });
        return () => {
          isForgotten = true;
        };
      },
      start: async (request) => this.#start(request),
      marks: {
        get: (key) => this.marks.get(key),
        set: (key, mark) => void this.marks.set(key, mark),
        keep: (_, keys) => {
          for (const key of this.marks.keys()) if (!keys.has(key)) this.marks.delete(key);
        },
      },
      tell: (id, message) => void this.told.push(`${id}: ${message}`),
    });
    this.#clockwork = clockwork;
    this.follow(...workflows);
    await settled();
  }

  follow(...workflows: Workflow[]): void {
    this.#clockwork?.follow(workflows.map((workflow) => ({ workflow, version: "v" })));
  }

  crash(): void {
    this.#clockwork?.stop();
  }

  /** Time passes until then. */
  async until(time: string): Promise<void> {
    const end = Date.parse(time);
    for (;;) {
      const least = this.#due.least;
      if (least === undefined || least > end) break;
      this.now = Math.max(this.now, least);
      this.#due.pop()?.();
      await settled();
    }
    this.now = end;
  }

  async setClock(time: string): Promise<void> {
    this.now = Date.parse(time);
    this.#clockwork?.checkClock();
    await settled();
  }

  #start(request: TriggerRequest): Triggered | Refusal {
    const refusal = this.refusals.shift();
    if (refusal) return refusal;
    const same = ({ idempotency_key: key, workflow_id: id }: TriggerRequest) =>
      key === request.idempotency_key && id === request.workflow_id;
    const at = this.started.findIndex(same);
    if (at >= 0) return { run_id: `run_${at}`, status: "running", created: false };
    return { run_id: `run_${this.started.push(request)}`, status: "pending", created: true };
  }
}

async function settled(): Promise<void> {
  for (let turns = 0; turns < 10; turns++) await Promise.resolve();
}

function flow(triggers: ScheduleTrigger[], id = "report"): Workflow {
  const steps = [{ id: "a", type: "set", config: { values: { a: 1 } }, next_step_id: null }];
  return { id, name: id, entry_point: "a", steps, max_steps: 10, triggers };
}

describe("given a schedule that is served, when its time comes, then", () => {
  test("it starts a run with its context, filled in from the time", async () => {
    const world = new World("2026-03-01T10:30Z");
    const context = { region: "eu", day: "${{ trigger.scheduled_at }}" };
    await world.open(flow([{ ...HOURLY, context }]));
    expect(world.started).toEqual([]);
    await world.until("2026-03-01T12:10Z");
    expect(world.fired).toEqual(["11:00", "12:00"]);
    expect(world.started[0]).toEqual({
      workflow_id: "report",
      context: { region: "eu", day: "2026-03-01T11:00:00.000Z" },
      trigger: {
        type: "schedule",
        scheduled_at: "2026-03-01T11:00:00.000Z",
        cron: "0 * * * *",
        timezone: "UTC",
      },
      idempotency_key: "schedule 0 * * * * UTC 2026-03-01T11:00:00.000Z",
    });
  });

  test("two with one line and other contexts both start theirs", async () => {
    const world = new World("2026-03-01T10:30Z");
    const two = ["eu", "us"].map((region) => ({ ...HOURLY, context: { region } }));
    await world.open(flow(two));
    await world.until("2026-03-01T11:00Z");
    expect(world.started.map(({ context }) => context)).toEqual([
      { region: "eu" },
      { region: "us" },
    ]);
  });
});

describe("given a downtime, when the host comes back, then", () => {
  test("run_once: the last time that was missed starts one run, and the rest goes on", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    await world.until("2026-03-01T11:00Z");
    world.crash();
    world.now = Date.parse("2026-03-04T15:20Z");
    await world.open(flow([HOURLY]));
    expect(world.fired).toEqual(["11:00", "15:00"]);
    await world.until("2026-03-04T16:00Z");
    expect(world.fired).toEqual(["11:00", "15:00", "16:00"]);
  });

  test("skip: nothing is started for what was missed, and somebody is told", async () => {
    const skip = flow([{ ...HOURLY, missed: "skip" }]);
    const world = new World("2026-03-01T10:30Z");
    await world.open(skip);
    world.crash();
    world.now = Date.parse("2026-03-04T15:20Z");
    await world.open(skip);
    expect(world.fired).toEqual([]);
    expect(world.told).toEqual([
      'report: The schedule "0 * * * *" missed its time 2026-03-04T15:00:00.000Z, and skips it.',
    ]);
    await world.until("2026-03-04T16:00Z");
    expect(world.fired).toEqual(["16:00"]);
  });

  test("skip: a minute late is not missed", async () => {
    const skip = flow([{ ...HOURLY, missed: "skip" }]);
    const world = new World("2026-03-01T10:30Z");
    await world.open(skip);
    world.crash();
    world.now = Date.parse("2026-03-01T11:00:50Z");
    await world.open(skip);
    expect(world.fired).toEqual(["11:00"]);
  });

  test("what was new meanwhile has missed nothing", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    world.crash();
    world.now = Date.parse("2026-03-01T13:30Z");
    await world.open(flow([{ ...HOURLY, cron: "15 * * * *" }]));
    expect(world.fired).toEqual([]);
    await world.until("2026-03-01T14:20Z");
    expect(world.fired).toEqual(["14:15"]);
  });
});

describe("given a crash, when it comes between a run's start and its mark, then", () => {
  test("the run is not started again", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    const before = new Map(world.marks);
    await world.until("2026-03-01T11:00Z");
    world.crash();
    world.marks = before;
    await world.open(flow([HOURLY]));
    await world.until("2026-03-01T12:00Z");
    expect(world.fired).toEqual(["11:00", "12:00"]);
  });

  test("at every moment of a week, then each time still has at most one run", async () => {
    const world = new World("2026-03-01T10:30Z");
    for (let hours = 0; hours < 168; hours++) {
      await world.open(flow([HOURLY]));
      const marks = new Map(world.marks);
      await world.until(new Date(world.now + 3_600_000 - (hours % 7) * 60_000).toISOString());
      world.crash();
      if (hours % 3 === 0) world.marks = marks;
    }
    expect(new Set(world.started.map((each) => each.idempotency_key)).size).toBe(
      world.started.length,
    );
    expect(world.started.length).toBeGreaterThan(140);
  });
});

describe("given an edited flow file, when", () => {
  test("the cron line changes, then only the new times count, from now on", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    world.follow(flow([{ ...HOURLY, cron: "20 * * * *" }]));
    await world.until("2026-03-01T12:00Z");
    expect(world.fired).toEqual(["11:20"]);
  });

  test("the context changes, then the next run has it, and no time comes twice", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    await world.until("2026-03-01T11:00Z");
    world.follow(flow([{ ...HOURLY, context: { a: 1 } }]));
    await world.until("2026-03-01T12:00Z");
    expect(world.started.map(({ context }) => context)).toEqual([{}, { a: 1 }]);
  });

  test("the workflow goes, then nothing fires, and nothing of it is kept", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    world.follow();
    await world.until("2026-03-02T00:00Z");
    expect(world.fired).toEqual([]);
    expect(world.marks.size).toBe(0);
  });
});

describe("given a clock that is set, when", () => {
  test("it goes back an hour, then what has fired does not fire again", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    await world.until("2026-03-01T12:30Z");
    await world.setClock("2026-03-01T12:30:01Z");
    await world.setClock("2026-03-01T11:30Z");
    await world.until("2026-03-01T13:10Z");
    expect(world.fired).toEqual(["11:00", "12:00", "13:00"]);
  });

  test("it was years ahead and is set right, then all goes on from there", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    world.now = Date.parse("2031-01-01T00:10Z");
    await world.until("2031-01-01T01:10Z");
    expect(world.fired).toEqual(["00:00", "01:00"]);
    await world.setClock("2031-01-01T01:10:01Z");
    await world.setClock("2026-03-01T10:40Z");
    await world.until("2026-03-01T12:00Z");
    expect(world.fired).toEqual(["00:00", "01:00", "11:00", "12:00"]);
  });

  test("it jumps far ahead, then one run stands for all that was skipped", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([HOURLY]));
    world.now = Date.parse("2026-03-08T10:30Z");
    await world.until("2026-03-08T11:00Z");
    expect(world.fired).toEqual(["10:00", "11:00"]);
  });
});

describe("given a start that is refused, when", () => {
  const misfit: Refusal = {
    refused: "context_mismatch",
    message: 'The context does not fit workflow "report".',
    details: [{ path: "/region", message: "must be one of eu, us" }],
  };

  test("the context does not fit, then it is told and kept, and the next is tried", async () => {
    const world = new World("2026-03-01T10:30Z");
    world.refusals = [misfit];
    await world.open(flow([HOURLY]));
    await world.until("2026-03-01T11:30Z");
    const key = "schedule report 0 * * * * UTC";
    const message = `${misfit.message} /region must be one of eu, us.`;
    expect(world.marks.get(key)?.refused).toEqual({ at: "2026-03-01T11:00:00.000Z", message });
    expect(world.told).toHaveLength(1);
    await world.until("2026-03-01T12:00Z");
    expect(world.fired).toEqual(["12:00"]);
    expect(world.marks.get(key)?.refused).toBeUndefined();
  });

  test("an expression has no value, then that is told", async () => {
    const world = new World("2026-03-01T10:30Z");
    await world.open(flow([{ ...HOURLY, context: { a: "${{ trigger.nothing }}" } }]));
    await world.until("2026-03-01T11:00Z");
    expect(world.fired).toEqual([]);
    expect(world.told[0]).toContain('The context of the schedule "0 * * * *" of "report"');
  });

  test("the disk is full, then it is tried again until there is room", async () => {
    const world = new World("2026-03-01T10:30Z");
    const busy: Refusal = { refused: "busy", message: "The disk is full." };
    world.refusals = [busy, busy];
    await world.open(flow([HOURLY]));
    await world.until("2026-03-01T11:05Z");
    expect(world.fired).toEqual(["11:00"]);
    expect(world.told).toHaveLength(2);
  });
});

// What a person is told of a run: its changes, tables, times, and nothing a terminal would obey.

import pc from "picocolors";
import { describe, expect, it } from "vitest";
import { printable } from "../../src/cli/output.js";
import { differences, line } from "../../src/cli/progress.js";
import { fields, table } from "../../src/cli/table.js";
import { brief, seconds, took } from "../../src/cli/words.js";
import type { Run, StepState } from "../../src/engine/run.js";

const PLAIN = pc.createColors(false);
const T0 = "2026-01-05T09:00:00.000Z";
const T2 = "2026-01-05T09:00:02.000Z";

function step(more: Partial<StepState>): StepState {
  return {
    status: "running",
    attempt: 1,
    iteration: 0,
    started_at: T0,
    finished_at: null,
    output: null,
    error: null,
    ...more,
  };
}

function run(more: Partial<Run>): Run {
  return {
    id: "run_1",
    workflow_id: "w",
    workflow_version: "v",
    status: "running",
    context: {},
    trigger: { type: "manual" },
    steps: {},
    error: null,
    output: null,
    created_at: T0,
    started_at: T0,
    finished_at: null,
    open: [],
    step_count: 0,
    seq: 1,
    ...more,
  };
}

function said(before: Run | undefined, after: Run): string[] {
  return differences(before, after).map((one) =>
    line(one, T0, 4, PLAIN).replace(/ +/g, " ").trim(),
  );
}

describe("the changes of a run", () => {
  it("given the first look, begin with pending", () => {
    const waiting = step({ status: "waiting", until: T2 });
    expect(said(undefined, run({ steps: { wait: waiting } }))).toEqual([
      "+0.00s run pending",
      "+0.00s run running",
      "+0.00s wait waiting for 2.00s",
    ]);
  });

  it("given the same run, are none", () => {
    const same = run({ steps: { wait: step({}) } });
    expect(said(same, same)).toEqual([]);
  });

  it("given a step's end and the run's in one decision, come in this order", () => {
    const before = run({ steps: { send: step({}) } });
    const done = step({ status: "completed", finished_at: T2 });
    const after = run({ status: "completed", finished_at: T2, steps: { send: done } });
    expect(said(before, after)).toEqual(["+2.00s send completed", "+2.00s run completed"]);
  });

  it("given a failed attempt, name the reason and the next try; then number the attempt", () => {
    const error = { kind: "http_status", message: "h answered 503" };
    const first = run({ steps: { send: step({}) } });
    const second = run({ steps: { send: step({ status: "waiting", error, until: T2 }) } });
    const third = run({ steps: { send: step({ attempt: 2, error }) } });
    expect(said(first, second)).toEqual([
      "send attempt 1 failed: h answered 503; next try at 2026-01-05 09:00:02 UTC",
    ]);
    expect(said(second, third)).toEqual(["send running (attempt 2)"]);
  });

  it("given a loop's next pass, number it", () => {
    const before = run({ steps: { ask: step({ status: "failed", finished_at: T0 }) } });
    const after = run({ steps: { ask: step({ iteration: 1, started_at: T2 }) } });
    expect(said(before, after)).toEqual(["+2.00s ask running (pass 2)"]);
  });

  it("given a failed run, say why", () => {
    const error = { kind: "network", message: "no such host", step_id: "send" };
    const failed = run({ status: "failed", finished_at: T2, error });
    expect(said(run({}), failed)).toEqual(["+2.00s run failed: no such host"]);
  });

  it("given a run that ended before the first look, tell the whole of it", () => {
    const done = run({ status: "completed", finished_at: T2 });
    expect(said(undefined, done)).toEqual([
      "+0.00s run pending",
      "+0.00s run running",
      "+2.00s run completed",
    ]);
  });
});

describe("tables", () => {
  it("given rows, align their columns and leave no trailing blanks", () => {
    expect(
      table(
        ["ID", "NAME"],
        [
          ["a", "long name"],
          ["bcd", ""],
        ],
        PLAIN,
      ),
    ).toBe("ID   NAME\na    long name\nbcd");
    expect(
      fields(
        [
          ["id", "1"],
          ["status", "x"],
          ["gone", undefined],
        ],
        PLAIN,
      ),
    ).toBe("id      1\nstatus  x");
  });

  it("given control characters, show them instead of obeying", () => {
    expect(printable("a\u001b[31mb\nc\u009b\u2028\t.")).toBe("a\\x1b[31mb\\nc\\x9b\\x2028 .");
    expect(table(["A"], [["\u001b]0;x\u0007"]], PLAIN)).toBe("A\n\\x1b]0;x\\x07");
  });
});

describe("times and values", () => {
  it("given ms, are short and in the unit that fits", () => {
    const times = [0, 15, 2_000, 12_340, 200_000, 7_500_000, 273_600_000];
    expect(times.map(seconds)).toEqual([
      "0.00s",
      "0.01s",
      "2.00s",
      "12.3s",
      "3m20s",
      "2h5m",
      "3d4h",
    ]);
  });

  it("given a span that has not ended, is empty", () => {
    expect(took({ started_at: T0, finished_at: T2 })).toBe("2.00s");
    expect(took({ started_at: T0, finished_at: null })).toBe("");
  });

  it("given a long value, is cut", () => {
    expect(brief({ a: 1 })).toBe('{"a":1}');
    expect(brief("x".repeat(500), 20)).toHaveLength(20);
  });
});

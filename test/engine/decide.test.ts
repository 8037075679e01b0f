// The life of a run, told as: given what happened, when this is asked, then these events follow.

import { describe, expect, it } from "vitest";
import { due, failure, given, output, RETRY, reminder, start, T0, workflow } from "./support.js";

describe("a run of two steps", () => {
  it("starts its first step in the decision that creates it", () => {
    expect(given(reminder).when(start)).toEqual([
      "run_created",
      "run_started",
      "step_started delay_step#0 attempt 1 until 2s",
    ]);
  });

  it("goes on to the next step in the decision that ends a step", () => {
    expect(given(reminder, start).when(due("delay_step#0"))).toEqual([
      "step_completed delay_step#0",
      "step_started send_reminder#0 attempt 1",
    ]);
  });

  it("completes with its last step, so that two steps cost three decisions", () => {
    const last = given(reminder, start, due("delay_step#0")).when(output("send_reminder#0"));
    expect(last).toEqual(['step_completed send_reminder#0 "ok"', "run_completed"]);
  });

  it("is written as one document that says what happened to each step", () => {
    const run = given(reminder, start, due("delay_step#0"), output("send_reminder#0")).state;
    expect(run).toMatchObject({
      workflow_id: "flow",
      workflow_version: "v1",
      status: "completed",
      created_at: "2026-01-01T00:00:00.000Z",
      started_at: "2026-01-01T00:00:00.000Z",
      finished_at: "2026-01-01T00:00:02.000Z",
      open: [],
      steps: {
        delay_step: { status: "completed", attempt: 1, iteration: 0 },
        send_reminder: { status: "completed", output: "ok", error: null },
      },
    });
  });

  it("fails where its outputs cannot be evaluated", () => {
    const outputs = { n: "${{ steps.a.output + 1.0 }}" };
    const run = given(workflow([{ id: "a" }], { outputs }), start);
    expect(run.when(output("a#0", "text"))).toContain("run_failed expression");
  });

  it("is refused a second start", () => {
    expect(given(reminder, start).when(start)).toMatch(/^already_started: /);
  });

  it("refuses a command before it is started", () => {
    expect(given(reminder).when({ type: "pause" })).toMatch(/^unknown_run: /);
  });

  it("refuses a context that its schema does not allow, and says where", () => {
    const context = { type: "object", properties: { n: { type: "number", default: 7 } } };
    const strict = workflow([{ id: "a" }], { context });
    expect(given(strict).when({ ...start, context: { n: "x" } })).toMatch(/^context_mismatch: /);
  });

  it("records the context with the schema's defaults", () => {
    const context = { type: "object", properties: { n: { type: "number", default: 7 } } };
    expect(given(workflow([{ id: "a" }], { context }), start).state.context).toEqual({ n: 7 });
  });
});

describe("a report", () => {
  it("that comes twice is refused the second time", () => {
    const run = given(reminder, start, due("delay_step#0"));
    expect(run.when(due("delay_step#0"))).toMatch(/^stale: /);
  });

  it("of an attempt that was given up is refused", () => {
    const flow = workflow([{ id: "a", retry: RETRY }]);
    const run = given(flow, start, failure("a#0"), due("a#0"));
    expect(run.when(output("a#0", "late", 1))).toMatch(/^stale: /);
    expect(run.when(output("a#0", "ok", 2))).toContain("run_completed");
  });

  it("for a run that has ended is refused", () => {
    const run = given(reminder, start, { type: "cancel" });
    expect(run.when(due("delay_step#0"))).toMatch(/^stale: /);
  });
});

describe("a step that fails", () => {
  it("fails the run, which names the step", () => {
    const run = given(workflow([{ id: "a" }, { id: "b" }]), start);
    expect(run.when(failure("a#0"))).toEqual(["step_failed a#0 network", "run_failed network"]);
    expect(run.state.error).toEqual({
      kind: "network",
      message: "no answer",
      step_id: "a",
      key: "a#0",
    });
  });

  it("is tried again after a delay that doubles, then fails for good", () => {
    const run = given(workflow([{ id: "a", retry: RETRY }]), start);
    expect(run.when(failure("a#0", 1))).toEqual([
      "step_attempt_failed a#0 attempt 1 until 2s network",
    ]);
    expect(run.when(due("a#0", 1))).toEqual(["step_started a#0 attempt 2"]);
    expect(run.when(failure("a#0", 2))).toEqual([
      "step_attempt_failed a#0 attempt 2 until 5s network",
    ]);
    run.and(due("a#0", 2));
    expect(run.when(failure("a#0", 3))).toEqual(["step_failed a#0 network", "run_failed network"]);
  });

  it.each([
    [0, "0.5s"],
    [0.5, "1s"],
    [0.75, "1.25s"],
  ])("is tried again after a pause that chance %d spreads to %s, on record", (chance, until) => {
    const flow = workflow([{ id: "a", retry: { ...RETRY, jitter: 0.5 } }]);
    const run = given(flow, start);
    run.now = T0;
    expect(run.when(failure("a#0", 1, "network", chance))).toEqual([
      `step_attempt_failed a#0 attempt 1 until ${until} network`,
    ]);
  });

  it("is tried again after max_delay at the latest", () => {
    const retry = { ...RETRY, max_delay_ms: 1500 };
    const run = given(workflow([{ id: "a", retry }]), start, failure("a#0"), due("a#0", 1));
    expect(run.when(failure("a#0", 2))).toEqual([
      "step_attempt_failed a#0 attempt 2 until 4.5s network",
    ]);
  });

  it("is not tried again for an expression that cannot be evaluated: it would be the same", () => {
    const run = given(workflow([{ id: "a", retry: RETRY }]), start);
    expect(run.when(failure("a#0", 1, "expression"))).toContain("run_failed expression");
  });

  it("is tried again without its if being asked once more", () => {
    const step = { id: "a", if: "!has(steps.a)", retry: RETRY };
    const run = given(workflow([step]), start, failure("a#0"));
    expect(run.when(due("a#0", 1))).toEqual(["step_started a#0 attempt 2"]);
  });

  it("asks retry.when about its own error, not one that was handled before", () => {
    const retry = { ...RETRY, when: 'error.kind == "timeout"' };
    const steps = [
      { id: "a", on_error: { continue: true as const } },
      { id: "b", retry },
    ];
    const run = given(workflow(steps), start, failure("a#0", 1, "timeout"));
    expect(run.when(failure("b#0", 1, "network"))).toContain("run_failed network");
  });

  it("goes to its on_error step, and the run can still complete", () => {
    const steps = [
      { id: "a", on_error: { next_step_id: "tell" }, next_step_id: null },
      { id: "tell" },
    ];
    const run = given(workflow(steps), start);
    expect(run.when(failure("a#0"))).toEqual([
      "step_failed a#0 handled by step network",
      "step_started tell#0 attempt 1",
    ]);
    expect(run.when(output("tell#0"))).toContain("run_completed");
  });

  it("continues with the output that on_error names", () => {
    const on_error = { continue: true as const, output: { sent: false } };
    const run = given(workflow([{ id: "a", on_error }, { id: "b" }]), start);
    expect(run.when(failure("a#0"))).toEqual([
      'step_failed a#0 handled by step network {"sent":false}',
      "step_started b#0 attempt 1",
    ]);
  });

  it("goes to the workflow's on_error; then the run has failed with the first reason", () => {
    const steps = [{ id: "a", next_step_id: null }, { id: "tell" }];
    const run = given(workflow(steps, { on_error: { next_step_id: "tell" } }), start);
    expect(run.when(failure("a#0"))).toEqual([
      "step_failed a#0 handled by workflow network",
      "step_started tell#0 attempt 1",
    ]);
    expect(run.when(output("tell#0"))).toEqual([
      'step_completed tell#0 "ok"',
      "run_failed network",
    ]);
    expect(run.state.error).toMatchObject({ step_id: "a" });
  });

  it("does not call the workflow's on_error for a failure in it", () => {
    const steps = [{ id: "a", next_step_id: null }, { id: "tell" }];
    const run = given(workflow(steps, { on_error: { next_step_id: "tell" } }), start);
    run.and(failure("a#0"));
    expect(run.when(failure("tell#0"))).toEqual([
      "step_failed tell#0 network",
      "run_failed network",
    ]);
    expect(run.state.error).toMatchObject({ step_id: "a" });
  });

  it("is not tried again when it was interrupted and may run at most once", () => {
    const flow = workflow([{ id: "a", retry: RETRY, delivery: "at_most_once" }]);
    expect(given(flow, start).when(failure("a#0", 1, "interrupted"))).toEqual([
      "step_failed a#0 interrupted",
      "run_failed interrupted",
    ]);
  });
});

describe("a loop", () => {
  const loop = workflow(
    [
      { id: "a", next_step_id: "b" },
      { id: "b", next_step_id: "a" },
    ],
    {
      max_steps: 3,
    },
  );

  it("numbers each pass of a step", () => {
    const run = given(loop, start, output("a#0"));
    expect(run.when(output("b#0"))).toEqual([
      'step_completed b#0 "ok"',
      "step_started a#1 attempt 1",
    ]);
    expect(run.state.steps.a).toMatchObject({ iteration: 1, status: "running", output: null });
  });

  it("fails at max_steps, and names the bound", () => {
    const run = given(loop, start, output("a#0"), output("b#0"));
    expect(run.when(output("a#1"))).toEqual([
      'step_completed a#1 "ok"',
      "step_failed b#1 max_steps",
      "run_failed max_steps",
    ]);
    expect(run.state.error?.message).toContain("max_steps = 3");
  });
});

describe("pause and resume", () => {
  it("lets a call end, and holds the next step until the run is resumed", () => {
    const run = given(workflow([{ id: "a" }, { id: "b" }]), start);
    expect(run.when({ type: "pause" })).toEqual(["run_paused"]);
    expect(run.when(output("a#0"))).toEqual(['step_completed a#0 "ok"', "step_queued b#0"]);
    expect(run.when({ type: "resume" })).toEqual(["run_resumed", "step_started b#0 attempt 1"]);
  });

  it("keeps a delay's time, and lets nothing come due meanwhile", () => {
    const run = given(reminder, start, { type: "pause" });
    expect(run.when(due("delay_step#0"))).toMatch(/^stale: /);
    expect(run.when({ type: "resume" })).toEqual(["run_resumed"]);
    expect(run.when(due("delay_step#0"))).toContain("step_started send_reminder#0 attempt 1");
  });

  it("completes on resuming, when the last step ended in the pause", () => {
    const run = given(workflow([{ id: "a" }]), start, { type: "pause" }, output("a#0"));
    expect(run.state.status).toBe("paused");
    expect(run.when({ type: "resume" })).toEqual(["run_resumed", "run_completed"]);
  });

  it("is refused where the status does not allow it", () => {
    expect(given(reminder, start).when({ type: "resume" })).toBe(
      "wrong_status: Run run_00000000000000000000000001 is running; it cannot be resumed now.",
    );
    const paused = given(reminder, start, { type: "pause" });
    expect(paused.when({ type: "pause" })).toMatch(/^wrong_status: /);
  });
});

describe("cancel", () => {
  it("closes what is open, in the same decision", () => {
    const run = given(reminder, start);
    expect(run.when({ type: "cancel", reason: "by hand" })).toEqual([
      "step_cancelled delay_step#0",
      "run_cancelled",
    ]);
    expect(run.state).toMatchObject({ status: "cancelled", open: [] });
    expect(run.state.error).toEqual({ kind: "cancelled", message: "by hand" });
  });

  it("is refused for a run that has ended", () => {
    const run = given(reminder, start, { type: "cancel" });
    expect(run.when({ type: "cancel" })).toMatch(/^wrong_status: /);
  });
});

describe("retry by hand", () => {
  it("goes on from the failed step, with the same key and a fresh budget of attempts", () => {
    const flow = workflow([{ id: "a" }, { id: "b", retry: { ...RETRY, max_attempts: 2 } }]);
    const run = given(flow, start, output("a#0"), failure("b#0", 1), due("b#0", 1));
    run.and(failure("b#0", 2));
    expect(run.state.status).toBe("failed");
    expect(run.when({ type: "retry" })).toEqual([
      "run_retried",
      "run_started",
      "step_reopened b#0",
      "step_started b#0 attempt 3",
    ]);
    expect(run.when(failure("b#0", 3))).toEqual([
      "step_attempt_failed b#0 attempt 3 until 7s network",
    ]);
    expect(run.state.steps.a).toMatchObject({ status: "completed", attempt: 1 });
    expect(run.state.started_at).toBe(new Date(T0).toISOString());
  });

  it("forgets why the run had failed", () => {
    const run = given(workflow([{ id: "a" }]), start, failure("a#0"), { type: "retry" });
    expect(run.state).toMatchObject({ status: "running", error: null, finished_at: null });
    run.and(output("a#0", "ok", 2));
    expect(run.state).toMatchObject({ status: "completed", error: null });
  });

  it("goes on from where a run was cancelled", () => {
    const run = given(reminder, start, { type: "cancel" });
    expect(run.when({ type: "retry" })).toEqual([
      "run_retried",
      "run_started",
      "step_reopened delay_step#0",
      "step_started delay_step#0 attempt 2 until 4s",
    ]);
  });

  it("goes on from the step that failed, not from the workflow's on_error", () => {
    const steps = [{ id: "a", next_step_id: null }, { id: "tell" }];
    const flow = workflow(steps, { on_error: { next_step_id: "tell" } });
    const run = given(flow, start, failure("a#0"), failure("tell#0"));
    expect(run.when({ type: "retry" })).toEqual([
      "run_retried",
      "run_started",
      "step_reopened a#0",
      "step_started a#0 attempt 2",
    ]);
  });

  it("counts max_steps afresh", () => {
    const flow = workflow([{ id: "a" }, { id: "b" }], { max_steps: 1 });
    const run = given(flow, start, output("a#0"));
    expect(run.state.error?.kind).toBe("max_steps");
    expect(run.when({ type: "retry" })).toContain("step_started b#0 attempt 1");
  });

  it("is refused for a run that completed", () => {
    const run = given(workflow([{ id: "a" }]), start, output("a#0"));
    expect(run.when({ type: "retry" })).toMatch(/^wrong_status: /);
  });
});

describe("a run's timeout", () => {
  const slow = workflow([{ id: "a" }], { timeout_ms: 1500 });
  const passed = due("", 0);

  it("is a deadline from the start on", () => {
    expect(given(slow).when(start)).toContain("run_started by 1.5s");
  });

  it("fails the run once it has passed, and not before", () => {
    const run = given(slow, start);
    expect(run.when(passed)).toMatch(/^stale: /);
    expect(run.when(passed)).toEqual(["step_cancelled a#0", "run_failed timeout"]);
    expect(run.state.error?.message).toBe("The run took longer than its timeout of 1.5 s.");
  });

  it("starts anew when the run is retried", () => {
    const run = given(slow, start, { type: "cancel" });
    expect(run.when({ type: "retry" })).toContain("run_started by 3.5s");
  });
});

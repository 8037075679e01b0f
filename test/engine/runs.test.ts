// Runs among runs: those that start each other, and those that share a concurrency group.

import { describe, expect, it } from "vitest";
import { childRunId } from "../../src/engine/child.js";
import { parseRunId } from "../../src/engine/ids.js";
import type { Run } from "../../src/engine/run.js";
import { type Answer, Simulation } from "../../src/engine/simulate.js";
import type { JsonObject } from "../../src/flow/json.js";
import type { Concurrency, Workflow } from "../../src/flow/workflow.js";
import { RETRY, T0, workflow } from "./support.js";

const A = "run_0000000000000000000000000a";
const B = "run_0000000000000000000000000b";
const C = "run_0000000000000000000000000c";
const OK: Answer = { after_ms: 1000, outcome: { type: "output", output: "ok" } };
const NO: Answer = {
  after_ms: 1000,
  outcome: { type: "failure", error: { kind: "network", message: "no answer" } },
};

function simulate(
  workflows: { [version: string]: Workflow },
  answers: Answer[] = [],
  seed = 1,
): Simulation {
  const left = [...answers];
  return new Simulation({
    seed,
    start_ms: T0,
    workflows: new Map(Object.entries(workflows)),
    answer: () => left.shift() ?? OK,
  });
}

function call(config: JsonObject, more: object = {}): Workflow {
  const step = {
    id: "sub",
    type: "workflow",
    config: { workflow_id: "child", ...config },
    ...more,
  };
  return workflow([step, { id: "after" }]);
}

const child: Workflow = {
  ...workflow([{ id: "work" }], { outputs: { n: "${{ context.n }}" } }),
  id: "child",
};

function runOf(sim: Simulation, id: string): Run {
  const run = sim.run(id);
  if (!run) throw new Error(`there is no run ${id}`);
  return run;
}

const childOf = (sim: Simulation): Run => runOf(sim, runOf(sim, A).steps.sub?.child_run_id ?? "");

describe("a workflow step", () => {
  it("starts a run of the other workflow, and waits for its outputs", () => {
    const sim = simulate({ v1: call({ context: { n: "${{ context.n }}" } }), v2: child });
    sim.start(A, "v1", { n: 7 });
    sim.drain();
    expect(childOf(sim)).toMatchObject({
      workflow_id: "child",
      status: "completed",
      context: { n: 7 },
      trigger: { type: "workflow", run_id: A, key: "sub#0", awaited: true, depth: 1 },
    });
    const output = { run_id: childOf(sim).id, output: { n: 7 } };
    expect(runOf(sim, A)).toMatchObject({ status: "completed", steps: { sub: { output } } });
  });

  it("goes on at once where the run is not awaited", () => {
    const sim = simulate({ v1: call({ await: false, context: { n: 1 } }), v2: child });
    sim.start(A, "v1");
    while (!sim.run(A)?.steps.after) sim.step();
    expect(childOf(sim).status).toBe("running");
    sim.drain();
    expect(childOf(sim).status).toBe("completed");
  });

  it("fails with the child's reason", () => {
    const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child }, [NO]);
    sim.start(A, "v1");
    sim.drain();
    expect(runOf(sim, A).error).toMatchObject({ kind: "workflow", step_id: "sub" });
    expect(runOf(sim, A).error?.message).toMatch(/^Run run_\w+ of workflow "child" is failed: no/);
  });

  it("fails for a workflow that is not there, and for a context that does not fit", () => {
    const alone = simulate({ v1: call({}) });
    alone.start(A, "v1");
    alone.drain();
    expect(runOf(alone, A).error?.message).toBe('There is no workflow "child".');
    const strict = { ...child, context: { type: "object", required: ["n"] } };
    const misfit = simulate({ v1: call({}), v2: strict });
    misfit.start(A, "v1");
    misfit.drain();
    expect(runOf(misfit, A).error?.message).toMatch(/^The context does not fit workflow "child"/);
  });

  it("cancels its child with the run", () => {
    const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child });
    sim.start(A, "v1");
    while (!sim.run(childRunId(A, "sub#0"))) sim.step();
    sim.dispatch({ type: "cancel", run_id: A, at: sim.now });
    sim.drain();
    expect(childOf(sim)).toMatchObject({
      status: "cancelled",
      steps: { work: { status: "cancelled" } },
    });
  });

  it("cancels a child that a crash has left without its parent", () => {
    // Some of these crashes lose the child's own cancelling, which was being written.
    for (let seed = 0; seed < 8; seed++) {
      const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child }, [], seed);
      sim.start(A, "v1");
      while (!sim.run(childRunId(A, "sub#0"))) sim.step();
      sim.dispatch({ type: "cancel", run_id: A, at: sim.now });
      while (sim.run(A)?.status !== "cancelled") sim.step();
      sim.crash();
      sim.drain();
      expect(childOf(sim).status).toBe("cancelled");
    }
  });

  it("leaves a child alone after a crash that it does not wait for", () => {
    const sim = simulate({ v1: call({ context: { n: 1 }, await: false }), v2: child });
    sim.start(A, "v1");
    while (!sim.run(childRunId(A, "sub#0"))) sim.step();
    sim.crash();
    sim.drain();
    expect(childOf(sim).status).toBe("completed");
  });

  it("does not cancel its child when the host goes down: both go on in its next life", () => {
    const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child });
    sim.start(A, "v1");
    while (sim.calls.length === 0) sim.step();
    sim.loop.stop();
    sim.drain();
    expect(childOf(sim).status).toBe("running");
    sim.crash();
    sim.drain();
    expect(runOf(sim, A).status).toBe("completed");
  });

  it("retried, retries the child from where it failed: one child, its key the same", () => {
    const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child }, [NO]);
    sim.start(A, "v1");
    sim.drain();
    const { id } = childOf(sim);
    sim.dispatch({ type: "retry", run_id: A, at: sim.now });
    sim.drain();
    expect(runOf(sim, A).status).toBe("completed");
    expect(childOf(sim)).toMatchObject({
      id,
      status: "completed",
      steps: { work: { attempt: 2 } },
    });
    expect(new Set(sim.calls.map((one) => one.idempotency_key)).size).toBe(2);
  });

  it("fails after a crash as its child had failed before it, which is not tried again", () => {
    // With this seed, the crash takes what the parent was about to record.
    const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child }, [NO], 2);
    sim.start(A, "v1");
    while (sim.run(childRunId(A, "sub#0"))?.status !== "failed") sim.step();
    sim.crash();
    expect(runOf(sim, A).status).toBe("running");
    sim.drain();
    expect(runOf(sim, A).status).toBe("failed");
    expect(childOf(sim)).toMatchObject({ status: "failed", steps: { work: { attempt: 1 } } });
    expect(sim.calls).toHaveLength(1);
  });

  it("retried, takes what its child has made since, when that was retried from a step", () => {
    const two = { ...workflow([{ id: "first" }, { id: "work" }]), id: "child" };
    const sim = simulate({ v1: call({}), v2: two }, [OK, NO]);
    sim.start(A, "v1");
    sim.drain();
    const { id } = childOf(sim);
    expect([runOf(sim, A).status, childOf(sim).status]).toEqual(["failed", "failed"]);
    sim.dispatch({ type: "retry", run_id: id, from: "first", at: sim.now });
    sim.drain();
    expect(childOf(sim)).toMatchObject({ status: "completed", steps: { first: { iteration: 1 } } });
    expect(runOf(sim, A).status).toBe("failed");
    const calls = sim.calls.length;
    sim.dispatch({ type: "retry", run_id: A, at: sim.now });
    sim.drain();
    expect(runOf(sim, A)).toMatchObject({ status: "completed", steps: { sub: { attempt: 2 } } });
    // What is after the sub-workflow alone.
    expect(sim.calls.slice(calls).map(({ step_id }) => step_id)).toEqual(["after"]);
  });

  it("retried from itself, starts another child: a new pass has a key of its own", () => {
    const sim = simulate({ v1: call({ context: { n: 1 } }), v2: child }, [NO]);
    sim.start(A, "v1");
    sim.drain();
    const { id } = childOf(sim);
    sim.dispatch({ type: "retry", run_id: A, from: "sub", at: sim.now });
    sim.drain();
    expect(runOf(sim, A)).toMatchObject({ status: "completed", steps: { sub: { iteration: 1 } } });
    expect(childOf(sim).id).not.toBe(id);
    expect(runOf(sim, id).status).toBe("failed");
  });

  it("is tried again by its own retry policy", () => {
    const sim = simulate({ v1: call({ context: { n: 1 } }, { retry: RETRY }), v2: child }, [NO]);
    sim.start(A, "v1");
    sim.drain();
    expect(runOf(sim, A)).toMatchObject({ status: "completed", steps: { sub: { attempt: 2 } } });
  });

  it("is tried again when its delay is over, and not when its timeout would have been", () => {
    const more = { retry: RETRY, timeout_ms: 3_600_000 };
    const sim = simulate({ v1: call({ context: { n: 1 } }, more), v2: child }, [NO]);
    sim.start(A, "v1");
    sim.drain();
    const { status, finished_at } = runOf(sim, A);
    expect(status).toBe("completed");
    expect(Date.parse(finished_at ?? "")).toBeLessThan(T0 + 60_000);
  });

  it("gives up at its timeout, and its child with it", () => {
    const slow = { after_ms: 20_000, outcome: OK.outcome };
    const sim = simulate({ v1: call({ context: { n: 1 } }, { timeout_ms: 5000 }), v2: child }, [
      slow,
    ]);
    sim.start(A, "v1");
    sim.drain();
    expect(runOf(sim, A).error).toMatchObject({ kind: "timeout", step_id: "sub" });
    expect(childOf(sim).status).toBe("cancelled");
  });

  it("cannot start runs without end", () => {
    const sim = simulate({ v1: { ...call({ workflow_id: "flow" }), id: "flow" } });
    sim.start(A, "v1");
    sim.drain();
    const failed = [...new Set(sim.journal.map(({ run_id }) => run_id))];
    expect(failed).toHaveLength(11);
    expect(runOf(sim, A).status).toBe("failed");
  });

  it("gives its child an id that is a run's, another one for each key", () => {
    const ids = new Set<string>();
    for (let n = 0; n < 2000; n++) ids.add(childRunId(A, `each#0/${n}/sub#0`));
    expect(ids.size).toBe(2000);
    for (const id of ids) expect(parseRunId(id)).toBe(id);
  });
});

describe("a concurrency group", () => {
  const grouped = (on_conflict: Concurrency["on_conflict"], limit = 1): Workflow =>
    workflow([{ id: "work" }], {
      concurrency: { group: "of ${{ context.who }}", limit, on_conflict },
    });

  function three(flow: Workflow): Simulation {
    const sim = simulate({ v1: flow });
    for (const id of [A, B, C]) sim.start(id, "v1", { who: "me" });
    return sim;
  }

  const statuses = (sim: Simulation) => [A, B, C].map((id) => sim.run(id)?.status);

  it("queues runs, and begins the oldest when a slot is free", () => {
    const sim = three(grouped("queue"));
    while (!sim.run(A)?.steps.work) sim.step();
    expect(statuses(sim)).toEqual(["running", "pending", "pending"]);
    while (sim.run(B)?.status !== "running") sim.step();
    expect(statuses(sim)).toEqual(["completed", "running", "pending"]);
    sim.drain();
    expect(statuses(sim)).toEqual(["completed", "completed", "completed"]);
  });

  it("lets as many run as its limit says, and other groups beside it", () => {
    const sim = three(grouped("queue", 2));
    sim.start("run_0000000000000000000000000d", "v1", { who: "you" });
    while (!sim.run(B)?.steps.work) sim.step();
    expect(statuses(sim)).toEqual(["running", "running", "pending"]);
    while (!sim.run("run_0000000000000000000000000d")?.steps.work) sim.step();
    expect(statuses(sim)).toEqual(["running", "running", "pending"]);
  });

  it("skips a run that finds no slot: it is on record, cancelled, with the reason", () => {
    const sim = three(grouped("skip"));
    sim.drain();
    expect(statuses(sim)).toEqual(["completed", "cancelled", "cancelled"]);
    expect(runOf(sim, B).error?.message).toBe(
      'Skipped: another run holds the concurrency group "of me".',
    );
  });

  it("cancels what was there before, where the newest counts", () => {
    const sim = three(grouped("cancel_running"));
    sim.drain();
    expect(statuses(sim)).toEqual(["cancelled", "cancelled", "completed"]);
    expect(runOf(sim, A).error?.message).toContain("took its place in the concurrency group");
  });

  it("lets a queued run be cancelled, and a retried one wait for its slot", () => {
    const sim = three(grouped("queue"));
    while (!sim.run(A)?.steps.work) sim.step();
    sim.dispatch({ type: "cancel", run_id: A, at: sim.now });
    while (sim.run(B)?.status !== "running") sim.step();
    sim.dispatch({ type: "retry", run_id: A, at: sim.now });
    while (sim.run(A)?.status !== "pending") sim.step();
    sim.drain();
    expect(statuses(sim)).toEqual(["completed", "completed", "completed"]);
    const order = [A, B, C].sort((a, b) =>
      (runOf(sim, a).finished_at ?? "") < (runOf(sim, b).finished_at ?? "") ? -1 : 1,
    );
    expect(order).toEqual([B, C, A]);
  });

  it("refuses a start whose group has no name", () => {
    const flow = workflow([{ id: "work" }], {
      concurrency: { group: "${{ context.who }}", limit: 1, on_conflict: "queue" },
    });
    const sim = simulate({ v1: flow });
    let answer: unknown;
    sim.start(A, "v1", {}, (result) => {
      answer = result;
    });
    sim.drain();
    expect(answer).toMatchObject({ refused: "context_mismatch" });
  });
});

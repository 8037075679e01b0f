// The control types, told as: given a workflow, when this is reported, then these events follow.

import { describe, expect, it } from "vitest";
import { effects } from "../../src/engine/effects.js";
import { waitingFor } from "../../src/engine/waiting-for.js";
import type { JsonObject } from "../../src/flow/json.js";
import {
  type Drawn,
  due,
  failure,
  foreach,
  given,
  output,
  parallel,
  RETRY,
  start,
  T0,
  workflow,
} from "./support.js";

const set = (id: string, values: JsonObject): Drawn => ({ id, type: "set", config: { values } });

describe("set", () => {
  it("takes no time: it is completed in the decision that reaches it", () => {
    const run = given(workflow([set("a", { n: "${{ context.n + 1.0 }}" }), { id: "b" }]));
    expect(run.when({ ...start, context: { n: 1 } })).toEqual([
      "run_created",
      "run_started",
      'step_completed a#0 {"n":2}',
      "step_started b#0 attempt 1",
    ]);
    expect(run.state.steps.a).toMatchObject({ attempt: 1, started_at: run.state.started_at });
  });

  it("fails with the reason, when its expression cannot be evaluated", () => {
    const run = given(workflow([set("a", { n: "${{ context.missing }}" })]), start);
    expect(run.state).toMatchObject({ status: "failed", error: { kind: "expression" } });
  });

  it("may be chained a thousand times, in records of a bounded size", () => {
    const steps = Array.from({ length: 1000 }, (_, n) => set(`s${n}`, { n }));
    const run = given(workflow(steps, { max_steps: 2000 }), start);
    expect(run.state.status).toBe("running");
    const [effect] = effects(run.flow, run.state);
    expect(effect).toMatchObject({ kind: "wait", attempt: 0 });
    for (let part = 0; run.state.status === "running" && part < 5; part++) {
      run.and(due(run.state.open[0] ?? "", 0));
    }
    expect(run.state).toMatchObject({
      status: "completed",
      steps: { s999: { output: { n: 999 } } },
    });
  });
});

describe("branch", () => {
  const cases = [
    { when: "context.n > 1.0", next_step_id: "many" },
    { when: "context.n > 0.0", next_step_id: "one" },
  ];
  const branch = { id: "a", type: "branch", config: { cases }, next_step_id: null };
  const ends = [
    { id: "many", next_step_id: null },
    { id: "one", next_step_id: null },
  ];
  const flow = workflow([branch, ...ends]);

  it("takes the first case that is true", () => {
    const run = given(flow).when({ ...start, context: { n: 5 } });
    expect(run).toContain("step_started many#0 attempt 1");
  });

  it("goes where otherwise says, when no case is true: here the run ends", () => {
    const run = given(flow).when({ ...start, context: { n: 0 } });
    expect(run).toContain("run_completed");
  });
});

describe("if", () => {
  it("skips a step whose condition is false, and goes on", () => {
    const run = given(workflow([{ id: "a", if: "context.dry" }, { id: "b" }]));
    expect(run.when({ ...start, context: { dry: false } })).toEqual([
      "run_created",
      "run_started",
      "step_skipped a#0",
      "step_started b#0 attempt 1",
    ]);
    expect(run.state.steps.a).toMatchObject({ status: "skipped", output: null });
  });
});

describe("fail", () => {
  it("ends the run with its message", () => {
    const step = { id: "a", type: "fail", config: { message: "no ${{ context.what }}" } };
    const run = given(workflow([step]), { ...start, context: { what: "money" } });
    expect(run.state.error).toMatchObject({ kind: "failed", message: "no money", step_id: "a" });
  });
});

describe("foreach", () => {
  const flow = workflow([
    foreach("each", [10, 20, 30], [{ id: "send" }], { max_parallel: 2, collect: "${{ it }}" }),
  ]);

  it("begins as many items as max_parallel allows", () => {
    expect(given(flow).when(start).slice(2)).toEqual([
      "step_started each#0 attempt 1",
      "body_started each#0",
      "step_queued each#0/0/send#0",
      "body_started each#0",
      "step_queued each#0/1/send#0",
      "step_started each#0/0/send#0 attempt 1",
      "step_started each#0/1/send#0 attempt 1",
    ]);
  });

  it("begins the next item when one ends, and keeps the results in the items' order", () => {
    const run = given(flow, start, output("each#0/1/send#0"));
    expect(run.state.open).toEqual(["each#0", "each#0/0/send#0", "each#0/2/send#0"]);
    run.and(output("each#0/2/send#0"), output("each#0/0/send#0"));
    expect(run.state.steps.each?.output).toEqual({ results: [10, 20, 30] });
    expect(run.state.status).toBe("completed");
  });

  it("gives each item its value and its index", () => {
    const config = { url: "http://127.0.0.1/", body: "${{ string(it_index) + it }}" };
    const named = workflow([foreach("each", ["x", "y"], [{ id: "send", config }])]);
    const [effect] = effects(named, given(named, start, output("each#0/0/send#0")).state);
    expect(effect?.kind === "call" ? effect.call().config.body : effect).toBe("1y");
  });

  it("of nothing completes at once", () => {
    const run = given(workflow([foreach("each", [], [{ id: "send" }])]), start);
    expect(run.state.steps.each?.output).toEqual({ results: [] });
  });

  it("fails for items that are no list", () => {
    const run = given(workflow([foreach("each", "${{ run.id }}", [{ id: "send" }])]), start);
    expect(run.state.error?.message).toBe(
      'The items of step "each" must be a list, and are string.',
    );
  });

  it("fails with the step that failed in it, and cuts the other items off", () => {
    const run = given(flow, start);
    expect(run.when(failure("each#0/1/send#0"))).toEqual([
      "step_failed each#0/1/send#0 network",
      "step_cancelled each#0/0/send#0",
      "step_failed each#0 network",
      "run_failed network",
    ]);
    expect(run.state.error).toMatchObject({ step_id: "send", key: "each#0/1/send#0" });
  });

  it("goes on from there when it is retried: what was done is not done again", () => {
    const run = given(flow, start, output("each#0/0/send#0"), failure("each#0/1/send#0"));
    run.and({ type: "retry" });
    expect(run.state.open).toEqual(["each#0", "each#0/1/send#0", "each#0/2/send#0"]);
    run.and(output("each#0/1/send#0", "ok", 2), output("each#0/2/send#0", "ok", 2));
    expect(run.state).toMatchObject({ status: "completed" });
    expect(run.state.steps.each?.output).toEqual({ results: [10, 20, 30] });
  });

  it("whose collect fails is retried with it alone, and fails again or ends", () => {
    const collect = "${{ steps.send.output.id }}";
    const flow = workflow([foreach("each", [1, 2], [{ id: "send" }], { collect })]);
    const run = given(flow, start, output("each#0/0/send#0"));
    expect(run.state.error).toMatchObject({ kind: "expression", step_id: "each" });
    expect(run.when({ type: "retry" })).toContain("run_failed expression");
  });

  it("may catch what fails in it with its own on_error", () => {
    const on_error = { continue: true as const, output: { results: [] } };
    const caught = { ...foreach("each", [1], [{ id: "send" }]), on_error };
    const run = given(workflow([caught, { id: "after" }]), start);
    expect(run.when(failure("each#0/0/send#0"))).toEqual([
      "step_failed each#0/0/send#0 network",
      'step_failed each#0 handled by step network {"results":[]}',
      "step_started after#0 attempt 1",
    ]);
  });

  it("whose failure was handled is not gone back into by a retry of what came after", () => {
    const each = foreach("each", ["x"], [{ id: "send" }]);
    const flow = workflow([{ ...each, on_error: { continue: true } }, { id: "last" }]);
    const run = given(flow, start, failure("each#0/0/send#0"), failure("last#0"));
    expect(run.when({ type: "retry" })).toEqual([
      "run_retried",
      "run_started",
      "step_reopened last#0",
      "step_started last#0 attempt 2",
    ]);
  });

  it("may hold another foreach, whose steps see both items", () => {
    const config = { url: "http://127.0.0.1/", body: "${{ string(it) + string(inner) }}" };
    const inner = foreach("inner_each", [7], [{ id: "send", config }], { as: "inner" });
    const nested = workflow([foreach("each", [1, 2], [inner])]);
    const run = given(nested, start, output("each#0/0/inner_each#0/0/send#0"));
    const [effect] = effects(nested, run.state);
    expect(effect?.key).toBe("each#0/1/inner_each#0/0/send#0");
    expect(effect?.kind === "call" ? effect.call().config.body : effect).toBe("27");
  });
});

describe("parallel", () => {
  const flow = workflow([
    parallel("both", { left: [{ id: "l" }], right: [{ id: "r" }] }),
    { id: "z" },
  ]);

  it("begins all branches, and goes on when the last has ended", () => {
    const run = given(flow, start);
    expect(run.state.open).toEqual(["both#0", "both#0/left/l#0", "both#0/right/r#0"]);
    expect(effects(flow, run.state).map(({ kind, key }) => `${kind} ${key}`)).toEqual([
      "call both#0/left/l#0",
      "call both#0/right/r#0",
    ]);
    expect(run.when(output("both#0/right/r#0"))).not.toContain("step_started z#0 attempt 1");
    expect(run.when(output("both#0/left/l#0"))).toContain("step_started z#0 attempt 1");
  });

  it("lets later steps read what its branches made", () => {
    const read = set("read", { l: "${{ steps.l.output }}" });
    const readable = workflow([parallel("both", { left: [{ id: "l" }] }), read]);
    const run = given(readable, start, output("both#0/left/l#0", "from left"));
    expect(run.state.steps.read?.output).toEqual({ l: "from left" });
  });

  it("is retried in the branch that failed; the other one keeps its result", () => {
    const run = given(flow, start, output("both#0/left/l#0"), failure("both#0/right/r#0"));
    run.and({ type: "retry" });
    expect(run.state.open).toEqual(["both#0", "both#0/right/r#0"]);
    expect(run.when(output("both#0/right/r#0", "ok", 2))).toContain("step_started z#0 attempt 1");
  });
});

describe("approval", () => {
  const ask = { id: "ask", type: "approval", config: { message: "go?", on_timeout: "reject" } };
  const flow = workflow([ask, { id: "go" }]);

  it("pauses the run until someone answers, and hands the answer on", () => {
    const run = given(flow, start);
    expect(run.state.status).toBe("paused");
    expect(effects(flow, run.state)).toEqual([{ kind: "listen", key: "ask#0", attempt: 1 }]);
    const yes = { type: "answer", approved: true, comment: "fine" } as const;
    expect(run.when(yes)).toEqual([
      'step_completed ask#0 {"approved":true,"comment":"fine","timed_out":false}',
      "step_started go#0 attempt 1",
      "run_resumed",
    ]);
  });

  it("records what the person is asked, with its expressions filled in", () => {
    const config = { message: "Pay ${{ context.n }}?" };
    const asking = workflow([{ ...ask, config, timeout_ms: 5000 }]);
    const run = given(asking, { ...start, context: { n: 480 } });
    expect(run.events.at(-2)).toMatchObject({ type: "step_started", message: "Pay 480?" });
    const [waits, ...others] = waitingFor(run.state);
    expect(waits).toMatchObject({ step_id: "ask", key: "ask#0", message: "Pay 480?" });
    expect([waits?.until, others]).toEqual([new Date(T0 + 5000).toISOString(), []]);
    run.and({ type: "answer", approved: true, comment: null });
    expect(run.state.steps.ask).toMatchObject({ status: "completed", message: "Pay 480?" });
    expect(waitingFor(run.state)).toEqual([]);
  });

  it.each([
    ["approve", "completed", { approved: true, comment: null, timed_out: true }],
    ["reject", "completed", { approved: false, comment: null, timed_out: true }],
    ["fail", "failed", null],
  ])("whose policy is %s is %s when its timeout has passed", (on_timeout, status, output) => {
    const config = { message: "go?", on_timeout };
    const timed = workflow([{ ...ask, config, timeout_ms: 5000 }]);
    const run = given(timed, start);
    expect(effects(timed, run.state)).toMatchObject([{ kind: "wait", key: "ask#0" }]);
    run.and(due("ask#0"));
    expect(run.state.steps.ask).toMatchObject({ status, output });
    expect(run.state.error?.kind).toBe(status === "failed" ? "timeout" : undefined);
  });

  it("refuses an answer that nobody waits for, and one that could mean two", () => {
    const answer = { type: "answer", approved: true, comment: null } as const;
    expect(given(workflow([{ id: "a" }]), start).when(answer)).toMatch(/^unknown_step: /);
    const two = workflow([parallel("p", { x: [{ ...ask, id: "x1" }], y: [{ ...ask, id: "y1" }] })]);
    const run = given(two, start);
    expect(run.when(answer)).toMatch(/^unknown_step: Several steps .* p#0\/x\/x1#0, p#0\/y\/y1#0/);
    run.and({ ...answer, step_id: "y1" });
    expect(run.state.status).toBe("paused");
    run.and({ ...answer, step_id: "p#0/x/x1#0" });
    expect(run.state.status).toBe("completed");
  });

  it("is not answered by resuming the run", () => {
    const message = given(flow, start).when({ type: "resume" });
    expect(message).toMatch(/^wrong_status: .*waits for a person's answer/);
  });

  it("may be held by hand as well: then the answer is kept, and nothing follows it yet", () => {
    const run = given(flow, start, { type: "pause" });
    expect(run.when({ type: "answer", approved: true, comment: null })).toEqual([
      'step_completed ask#0 {"approved":true,"comment":null,"timed_out":false}',
      "step_queued go#0",
    ]);
    expect(run.when({ type: "resume" })).toEqual(["run_resumed", "step_started go#0 attempt 1"]);
  });
});

describe("wait", () => {
  const flow = workflow([{ id: "w", type: "wait", config: { signal: "paid" } }]);
  const signal = { type: "signal", name: "paid", data: { amount: 7 } } as const;

  it("goes on with the signal's data", () => {
    const run = given(flow, start);
    expect(run.state.status).toBe("running");
    run.and(signal);
    expect(run.state).toMatchObject({
      status: "completed",
      steps: { w: { output: { amount: 7 } } },
      signals: [],
    });
  });

  it("takes a signal that came before it was reached", () => {
    const run = given(workflow([{ id: "a" }, ...flow.steps]), start, signal);
    expect(run.events.at(-1)).toMatchObject({ type: "signal_received", number: 1, name: "paid" });
    expect(run.state.signals).toEqual([{ name: "paid", data: { amount: 7 } }]);
    expect(run.when(output("a#0"))).toEqual([
      'step_completed a#0 "ok"',
      "step_started w#0 attempt 1",
      'step_completed w#0 {"amount":7}',
      "run_completed",
    ]);
  });

  it("takes the oldest of its name, and leaves the others for other steps", () => {
    const named = (name: string, data: number) => ({ type: "signal", name, data }) as const;
    const early = [named("other", 1), named("paid", 2), named("paid", 3)];
    const run = given(workflow([{ id: "a" }, ...flow.steps]), start, ...early, output("a#0"));
    expect(run.state.steps.w?.output).toBe(2);
    expect(run.state.signals).toEqual([
      { name: "other", data: 1 },
      { name: "paid", data: 3 },
    ]);
  });

  it("keeps a bounded number of signals that no step takes", () => {
    const run = given(workflow([{ id: "a" }]), start);
    for (let n = 0; n < 100; n++) run.and(signal);
    expect(run.when(signal)).toMatch(/^busy: /);
  });

  it("fails when its timeout passes without one", () => {
    const run = given(workflow([{ ...flow.steps[0], id: "w", timeout_ms: 1000 }]), start);
    expect(run.when(due("w#0"))).toContain("run_failed timeout");
  });
});

describe("a run's outputs", () => {
  it("are evaluated when it completes", () => {
    const outputs = { got: "${{ steps.a.output }}" };
    const run = given(workflow([{ id: "a" }], { outputs }), start, output("a#0", "all"));
    expect(run.state.output).toEqual({ got: "all" });
  });

  it("are null where they name a step that did not run", () => {
    const outputs = { got: "${{ steps.b.output }}", ran: "${{ steps.a.status }}" };
    const flow = workflow([{ id: "a", next_step_id: null }, { id: "b" }], { outputs });
    const run = given(flow, start, output("a#0"));
    expect(run.state.output).toEqual({ got: null, ran: "completed" });
  });
});

describe("a step's declared output", () => {
  it("is checked: another shape fails the step, and is not tried again", () => {
    const shape = { type: "object", required: ["id"] };
    const run = given(workflow([{ id: "a", output: shape, retry: RETRY }]), start);
    expect(run.when(output("a#0", "text"))).toEqual([
      "step_failed a#0 invalid_output",
      "run_failed invalid_output",
    ]);
  });
});

describe("retry.when", () => {
  it("decides, on the error, whether another attempt follows", () => {
    const retry = { ...RETRY, when: 'error.kind == "timeout"' };
    const run = given(workflow([{ id: "a", retry }]), start);
    expect(run.when(failure("a#0", 1, "timeout"))).toHaveLength(1);
    run.and(due("a#0", 1));
    expect(run.when(failure("a#0", 2, "network"))).toContain("run_failed network");
  });
});

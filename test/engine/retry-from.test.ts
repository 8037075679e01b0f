// Retry from a step that a person names, told as: given a run, when it is retried from there.

import { describe, expect, it } from "vitest";
import { failure, foreach, given, output, start, workflow } from "./support.js";

describe("retry from a step", () => {
  it("begins a new iteration of it, and what is before it is not run again", () => {
    const flow = workflow([{ id: "a" }, { id: "b" }, { id: "c" }]);
    const run = given(flow, start, output("a#0"), output("b#0"), failure("c#0"));
    expect(run.when({ type: "retry", from: "b" })).toEqual([
      "run_retried",
      "run_started",
      "step_started b#1 attempt 1",
    ]);
    expect(run.state.steps.b?.earlier).toMatchObject([{ iteration: 0, status: "completed" }]);
  });

  it("may stand in an item that was done, which is then at work again", () => {
    const flow = workflow([foreach("each", [1, 2], [{ id: "send" }, { id: "log" }]), { id: "z" }]);
    const done = ["send", "log"].flatMap((id) => [output(`each#0/0/${id}#0`)]);
    const run = given(flow, start, ...done, output("each#0/1/send#0"), failure("each#0/1/log#0"));
    run.and({ type: "retry", from: "each#0/0/log#0" });
    expect(run.state.open).toEqual(["each#0", "each#0/1/log#0", "each#0/0/log#1"]);
    run.and(output("each#0/0/log#1"));
    expect(run.state.open).toEqual(["each#0", "each#0/1/log#0"]);
    run.and(output("each#0/1/log#0", "ok", 2));
    expect(run.state.open).toEqual(["z#0"]);
  });

  it("is refused for a step that was never reached", () => {
    const run = given(workflow([{ id: "a" }, { id: "b" }]), start, failure("a#0"));
    expect(run.when({ type: "retry", from: "b" })).toMatch(/^unknown_step: /);
  });
});

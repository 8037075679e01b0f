// Retry from a step that a person names, told as: given a run, when it is retried from there.

import { describe, expect, it } from "vitest";
import { failure, foreach, given, output, parallel, start, workflow } from "./support.js";

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

  it("in a body whose failure was handled opens what was cut off beside it, too", () => {
    const both = parallel("both", { left: [{ id: "l" }], right: [{ id: "r" }] });
    const flow = workflow([{ ...both, on_error: { continue: true } }, { id: "z" }]);
    const failed = [output("both#0/left/l#0"), failure("both#0/right/r#0"), failure("z#0")];
    const run = given(flow, start, ...failed);
    run.and({ type: "retry", from: "both/left/l" });
    expect(run.state.open).toEqual(["both#0", "both#0/right/r#0", "both#0/left/l#1"]);
    run.and(output("both#0/left/l#1"), output("both#0/right/r#0", "ok", 2));
    expect(run.state.open).toEqual(["z#1"]);
  });

  it("fails at once where it must, and what is around it takes that in", () => {
    const never = { id: "never", type: "set", config: { values: { n: "${{ context.no }}" } } };
    const each = { ...foreach("each", [1], [never]), on_error: { continue: true as const } };
    const run = given(workflow([each, { id: "z" }]), start, failure("z#0"));
    expect(run.when({ type: "retry", from: "each/0/never" }).slice(-4)).toEqual([
      "step_started each#0 attempt 2",
      "step_failed each#0/0/never#1 expression",
      "step_failed each#0 handled by step expression",
      "step_started z#1 attempt 1",
    ]);
  });

  it("leaves what comes after its foreach closed until it is reached again", () => {
    const inner = foreach("inner", [1], [{ id: "send" }], { as: "one" });
    const flow = workflow([foreach("outer", [1], [inner, { id: "after" }])]);
    const send = "outer#0/0/inner#0/0/send";
    const run = given(flow, start, output(`${send}#0`), failure("outer#0/0/after#0"));
    run.and({ type: "retry", from: `${send}#0` });
    expect(run.state.open).toEqual(["outer#0", "outer#0/0/inner#0", `${send}#1`]);
    run.and(output(`${send}#1`), output("outer#0/0/after#1"));
    expect(run.state.status).toBe("completed");
  });

  it("is refused for a step that was never reached", () => {
    const run = given(workflow([{ id: "a" }, { id: "b" }]), start, failure("a#0"));
    expect(run.when({ type: "retry", from: "b" })).toMatch(/^unknown_step: /);
  });

  const inItem = workflow([foreach("each", [1, 2], [{ id: "send" }])]);

  it("may be named without passes: the latest ones are meant", () => {
    const run = given(inItem, start, failure("each#0/0/send#0"));
    run.and({ type: "retry", from: "each/0/send" });
    expect(run.state.open).toEqual(["each#0", "each#0/0/send#1"]);
  });

  it.each([
    "each#0/00/send#0",
    "each#0//send#0",
    "each#0/0x0/send",
    "each#00/0/send",
    "each#0/0/send#1",
    "each#1/0/send#0",
    "each#",
    "each/0",
    "each/0/",
    "/",
    "#",
  ])("is refused for %s, which is no key of the run", (from) => {
    const run = given(inItem, start, failure("each#0/0/send#0"));
    expect(run.when({ type: "retry", from })).toMatch(/^unknown_step: Run .* has not reached/);
  });

  it("says how to name a step in a foreach, and where a step of another run is", () => {
    const run = given(inItem, start, failure("each#0/0/send#0"));
    expect(run.when({ type: "retry", from: "send" })).toContain("as each#0/0/send#0.");
    const child = { id: "child", type: "workflow", config: { workflow_id: "other" } };
    const parent = given(workflow([child]), start, failure("child#0"));
    const id = parent.state.steps.child?.child_run_id;
    expect(parent.when({ type: "retry", from: "child/send" })).toContain(
      `started run ${id}: retry`,
    );
  });
});

// What a delay and a wait make of values that only the run knows, told as given, when, then.

import { describe, expect, it } from "vitest";
import { given, output, parallel, start, workflow } from "./support.js";

describe("delay", () => {
  it.each(["12/11/2030", "2030-01-31", "2030-01-31T09:00:00", "5", 5, null])(
    "until %s fails: a time without its offset would be guessed",
    (time) => {
      const config = { until: "${{ context.time }}" };
      const run = given(workflow([{ id: "a", type: "delay", config }]));
      run.and({ ...start, context: { time } });
      expect(run.state.error).toMatchObject({ kind: "value", step_id: "a" });
    },
  );

  it("until a time with its offset waits for it", () => {
    const config = { until: "${{ context.time }}" };
    const run = given(workflow([{ id: "a", type: "delay", config }]));
    run.and({ ...start, context: { time: "2026-01-01T02:00:00+01:00" } });
    expect(run.events.at(-1)).toMatchObject({ until: "2026-01-01T01:00:00.000Z" });
  });
});

describe("wait", () => {
  const wait = { type: "wait", config: { signal: "paid" } };
  const flow = workflow([{ ...wait, id: "w" }]);
  const signal = { type: "signal", name: "paid", data: { amount: 7 } } as const;

  it("is no wait for what is no signal's name: nobody could send it", () => {
    const config = { signal: "${{ context.name }}" };
    for (const name of ["two words", "", "approval:w#0", 7, null]) {
      const run = given(workflow([{ id: "w", type: "wait", config }]));
      run.and({ ...start, context: { name } });
      expect(run.state.error).toMatchObject({ kind: "value", step_id: "w" });
    }
  });

  it("fails for data that is not of its declared shape, and the next try hears a new one", () => {
    const declared = { type: "object", required: ["paid"] };
    const waits = workflow([{ id: "a" }, { ...flow.steps[0], id: "w", output: declared }]);
    const early = given(waits, start, signal, output("a#0"));
    const late = given(waits, start, output("a#0"), signal);
    for (const run of [early, late]) {
      expect(run.state.error).toMatchObject({ kind: "invalid_output", step_id: "w" });
      expect(run.state.signals).toEqual([]);
      run.and({ type: "retry" }, { ...signal, data: { paid: 7 } });
      expect(run.state).toMatchObject({ status: "completed", signals: [] });
    }
  });

  it("is gone on with by the oldest of several that wait for one signal", () => {
    const both = parallel("both", { x: [{ ...wait, id: "x1" }], y: [{ ...wait, id: "y1" }] });
    const run = given(workflow([both]), start, signal);
    expect(run.state.open).toEqual(["both#0", "both#0/y/y1#0"]);
  });
});

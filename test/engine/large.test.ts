// Large runs: what a decision writes stays small, what it was given stays as it was.

import { describe, expect, it } from "vitest";
import { decide } from "../../src/engine/decide.js";
import type { Decision } from "../../src/engine/event.js";
import { type Run, TRANSITIONS } from "../../src/engine/run.js";
import { random, Simulation } from "../../src/engine/simulate.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { EARLIER_ITERATIONS, MAX_EVENTS_PER_DECISION } from "../../src/limits.js";
import { drawAnswer, drawWorkflow } from "./generate.js";
import { RUN, start, T0, workflow } from "./support.js";

function whole(flow: Workflow, context: Run["context"] = {}) {
  const answer = () => ({ after_ms: 5, outcome: { type: "output", output: null } }) as const;
  const sim = new Simulation({ seed: 1, workflows: new Map([["v1", flow]]), answer });
  sim.start(RUN, "v1", context);
  sim.drain();
  return { run: sim.run(RUN), sizes: sim.journal.map((each) => JSON.stringify(each).length) };
}

describe("a large run", () => {
  it("of a foreach writes its items once, and little for each of them", () => {
    const items = Array.from({ length: 500 }, (_, n) => ({ n, text: "x".repeat(100) }));
    const body = workflow([{ id: "send" }]);
    const config = {
      ...{ items: "${{ context.items }}", as: "it", max_parallel: 100, collect: "${{ it.n }}" },
      ...{ entry_point: "send", steps: body.steps as never },
    };
    const flow = workflow([{ id: "each", type: "foreach", config }], { max_steps: 1000 });
    const { run, sizes } = whole(flow, { items });
    expect(run?.status).toBe("completed");
    expect(run?.output).toBeNull();
    expect(run?.steps.each?.output).toEqual({ results: items.map(({ n }) => n) });
    expect(Math.max(...sizes.slice(1, -1))).toBeLessThan(1000);
  });

  it("of a loop keeps its latest passes, and writes each in a record of one size", () => {
    const cases = [{ when: "steps.poll.iteration < 299.0", next_step_id: "poll" }];
    const again = { id: "again", type: "branch", config: { cases }, next_step_id: null };
    const { run, sizes } = whole(workflow([{ id: "poll" }, again], { max_steps: 1000 }));
    expect(run?.steps.poll?.iteration).toBe(299);
    expect(run?.steps.poll?.earlier).toHaveLength(EARLIER_ITERATIONS);
    expect(Math.max(...sizes)).toBeLessThan(1000);
    expect(JSON.stringify(run).length).toBeLessThan(5000);
  });
});

describe("a decision", () => {
  it("leaves the run that it was asked about as it was, whatever it does", () => {
    for (let seed = 0; seed < 150; seed++) {
      const chance = random(seed);
      const workflows = new Map([["v1", drawWorkflow(chance)]]);
      const sim = new Simulation({ seed, workflows, answer: (_, draw) => drawAnswer(draw) });
      const flow = workflows.get("v1") as Workflow;
      sim.start(RUN, "v1", { n: seed % 4 });
      for (let step = 0; step < 60 && sim.step(); step++) {
        const run = sim.run(RUN);
        if (run) frozen(run);
        if (run && TRANSITIONS[run.status].run_cancelled) {
          expect(() => decide(flow, run, { type: "cancel", run_id: RUN, at: T0 })).not.toThrow();
        }
      }
    }
  });

  it("is written whole in a bounded number of events", () => {
    const steps = Array.from({ length: 1200 }, (_, n) => ({
      id: `s${n}`,
      type: "set",
      config: {},
    }));
    const flow = workflow(steps, { max_steps: 2000 });
    const decided = decide(flow, null, { ...start, run_id: RUN, at: T0 }) as { decision: Decision };
    expect(decided.decision.events.length).toBeLessThan(MAX_EVENTS_PER_DECISION + 5);
  });
});

/** In strict mode a write to any part of it throws from now on. */
function frozen(value: unknown): void {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) frozen(part);
}

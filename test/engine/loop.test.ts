// The loop's promises to its callers, seen from outside: what is answered and started, and when.

import { describe, expect, it } from "vitest";
import type { Refusal } from "../../src/engine/command.js";
import type { Decision } from "../../src/engine/event.js";
import { Loop } from "../../src/engine/loop.js";
import type { Call, LoopPorts } from "../../src/engine/ports.js";
import type { Run } from "../../src/engine/run.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { RUN, start, T0, workflow } from "./support.js";

/** A host whose writes become durable one at a time, when the test says so. */
function stage(flow: Workflow, acts = true) {
  const writes: { decision: Decision; durable: (seq: number) => void }[] = [];
  const calls: Call[] = [];
  const stopped: string[] = [];
  let seq = 0;
  const ports: LoopPorts = {
    now: () => T0,
    random: () => 0.5,
    append: (decision, durable) => void writes.push({ decision, durable }),
    call: (call) => {
      calls.push(call);
      return () => void stopped.push(call.idempotency_key);
    },
    wait: () => () => {},
    published: () => {},
    stored: (_, found) => found(undefined),
    current: () => "v1",
    workflow: () => flow,
  };
  const loop = new Loop(ports, acts);
  const answers: (Run | Refusal)[] = [];
  const wish = (command: object) =>
    loop.dispatch({ run_id: RUN, at: T0, ...command } as never, (result) => answers.push(result));
  const sync = () => writes.shift()?.durable(++seq);
  return { loop, writes, calls, stopped, answers, wish, sync };
}

const oneCall = workflow([{ id: "a" }, { id: "b" }]);

describe("before a decision is durable", () => {
  it("its command is not answered, its run not shown, and its effect not started", () => {
    const { loop, answers, calls, wish, sync } = stage(oneCall);
    wish(start);
    expect([answers.length, calls.length, loop.get(RUN)]).toEqual([0, 0, undefined]);
    sync();
    expect(answers).toMatchObject([{ id: RUN, status: "running", seq: 1 }]);
    expect(calls).toHaveLength(1);
    expect(loop.get(RUN)).toMatchObject({ seq: 1 });
  });

  it("a refusal that rests on it is not given either: a power cut could make it wrong", () => {
    const { answers, wish, sync } = stage(oneCall);
    wish(start);
    sync();
    wish({ type: "cancel" });
    wish({ type: "cancel" });
    expect(answers).toHaveLength(1);
    sync();
    expect(answers.slice(1)).toMatchObject([{ status: "cancelled" }, { refused: "wrong_status" }]);
  });

  it("what it closes goes on, and what an earlier one wanted is not started any more", () => {
    const { calls, stopped, wish, sync } = stage(oneCall);
    wish(start);
    wish({ type: "cancel" });
    sync();
    expect(calls).toEqual([]);
    sync();
    expect([calls, stopped]).toEqual([[], []]);
  });

  it("a call in flight is stopped only once the cancel is durable", () => {
    const { stopped, wish, sync } = stage(oneCall);
    wish(start);
    sync();
    wish({ type: "cancel" });
    expect(stopped).toEqual([]);
    sync();
    expect(stopped).toEqual([`${RUN}/a#0`]);
  });
});

describe("commands of one run", () => {
  it("are decided in order without waiting for each other's writes", () => {
    const { writes, wish } = stage(oneCall);
    wish(start);
    wish({ type: "pause" });
    wish({ type: "resume" });
    const types = writes.map(({ decision }) => decision.events[0]?.type);
    expect(types).toEqual(["run_created", "run_paused", "run_resumed"]);
  });
});

describe("a loop that does not act", () => {
  it("takes commands, and starts nothing", () => {
    const { answers, calls, wish, sync } = stage(oneCall, false);
    wish(start);
    sync();
    expect([answers.length, calls.length]).toEqual([1, 0]);
  });
});

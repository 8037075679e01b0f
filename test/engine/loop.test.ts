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
  const asleep: Run[] = [];
  const waits: (() => void)[] = [];
  const writes: { decision: Decision; durable: (seq: number) => void }[] = [];
  const calls: Call[] = [];
  const stopped: string[] = [];
  const hooks: { published?(run: Run): void } = {};
  let seq = 0;
  const ports: LoopPorts = {
    now: () => T0,
    random: () => 0.5,
    append: (decision, durable) => void writes.push({ decision, durable }),
    call: (call) => {
      calls.push(call);
      return () => void stopped.push(call.idempotency_key);
    },
    wait: (_, due) => {
      waits.push(due);
      return () => void waits.splice(waits.indexOf(due), 1);
    },
    wake: () => asleep.pop(),
    published: (run) => hooks.published?.(run),
    stored: (_, found) => found(undefined),
    current: () => "v1",
    workflow: () => flow,
  };
  const loop = new Loop(ports, acts);
  const answers: (Run | Refusal)[] = [];
  const wish = (command: object) =>
    loop.dispatch({ run_id: RUN, at: T0, ...command } as never, (result) => answers.push(result));
  const sync = () => writes.shift()?.durable(++seq);
  return { loop, writes, calls, waits, asleep, stopped, answers, hooks, wish, sync };
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

describe("given a run that only waits", () => {
  const nap = workflow([{ id: "nap", type: "delay", config: { seconds: 9 } }, { id: "a" }]);

  function napping() {
    const staged = stage(nap);
    staged.wish(start);
    staged.sync();
    return { ...staged, run: staged.loop.get(RUN) as Run };
  }

  it("when it rests, then its timer is forgotten, and it is known when to wake it", () => {
    const { loop, run, waits } = napping();
    expect(loop.rest(run, T0 + 9_001)).toBeUndefined();
    expect(waits).toHaveLength(1);
    expect(loop.rest(run, T0 + 9_000)).toBe(T0 + 9_000);
    expect([waits, loop.get(RUN)]).toEqual([[], undefined]);
  });

  it("when it rests as soon as it is shown, then it is answered, and nothing waits for it", () => {
    const { loop, answers, asleep, waits, calls, hooks, wish, sync } = stage(nap);
    const untils: unknown[] = [];
    hooks.published = (run) => {
      asleep.push(run);
      untils.push(loop.rest(run, T0));
    };
    wish(start);
    sync();
    expect(untils).toEqual([T0 + 9_000]);
    expect(answers).toMatchObject([{ id: RUN, status: "running", seq: 1 }]);
    expect([waits, loop.get(RUN), loop.size]).toEqual([[], undefined, 0]);
    delete hooks.published;
    loop.wake(RUN);
    waits[0]?.();
    sync();
    expect([waits.length, calls.map(({ step_id }) => step_id)]).toEqual([0, ["a"]]);
  });

  it("when it is woken, then it waits as before, and goes on when it is due", () => {
    const { loop, run, asleep, waits, calls, sync } = napping();
    loop.rest(run, T0);
    asleep.push(run);
    expect([loop.wake(RUN), loop.get(RUN)]).toEqual([true, run]);
    expect(waits).toHaveLength(1);
    waits[0]?.();
    sync();
    expect(calls.map(({ step_id }) => step_id)).toEqual(["a"]);
  });

  it("when a command comes while it rests, then it is decided on what it was", () => {
    const { loop, run, asleep, answers, wish, sync } = napping();
    loop.rest(run, T0);
    wish({ type: "cancel" });
    expect(answers.at(-1)).toMatchObject({ refused: "unknown_run" });
    asleep.push(run);
    wish({ type: "cancel" });
    sync();
    expect(answers.at(-1)).toMatchObject({ status: "cancelled", context: run.context });
  });

  it("when it has changed, is changing, or calls, then it is kept", () => {
    const { loop, run, waits, wish, sync } = napping();
    wish({ type: "pause" });
    expect(loop.rest(run, T0)).toBeUndefined();
    sync();
    expect(loop.rest(run, T0)).toBeUndefined();
    wish({ type: "resume" });
    sync();
    waits.at(-1)?.();
    sync();
    expect(loop.rest(loop.get(RUN) as Run, T0)).toBeUndefined();
  });

  it("when it is held by hand, then a command alone can wake it", () => {
    const { loop, wish, sync } = napping();
    wish({ type: "pause" });
    sync();
    expect(loop.rest(loop.get(RUN) as Run, T0)).toBeNull();
  });
});

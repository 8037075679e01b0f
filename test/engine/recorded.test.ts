// A recorded case, played again, ends as the run did: whatever the run went through.

import { describe, expect, it } from "vitest";
import { stringify } from "yaml";
import { catalog } from "../../src/connectors/index.js";
import { recordedCase } from "../../src/engine/recorded.js";
import type { Run, StepState } from "../../src/engine/run.js";
import type { JsonObject } from "../../src/flow/json.js";
import { stage } from "./stage.js";

const url = "http://127.0.0.1:9/";
const OK = "{ output: { status: 200, body: { id: 7 } } }";

function record(flow: ReturnType<typeof stage>, body: string, guess: JsonObject = { status: 503 }) {
  const { run } = flow.play(body);
  if (!run) throw new Error("the run did not start");
  const recorded = recordedCase(run, flow.workflow, catalog, guess);
  const { name: _, ...rest } = recorded.case;
  const again = flow.play(stringify(rest, { aliasDuplicateObjects: false }).trimEnd());
  return { run, again, recorded: rest, assumed: recorded.assumed };
}

/** What a run's document says, without the times of what took none. */
function essence(run: Run | undefined) {
  const { status, error, output, context, trigger } = run ?? ({} as Run);
  return { status, error, output, context, trigger };
}

const send = stage(`id: send
triggers: [{ type: webhook, path: send }]
steps:
  - { id: send, type: webhook, retry: { max_attempts: 4, delay: 1s }, config: { url: ${url} } }
outputs: { id: "\${{ steps.send.output.body.id }}" }
`);

describe("a recorded case", () => {
  it("has the context, the time, what was answered, and what came of it", () => {
    const { recorded, assumed } = record(send, `context: { a: 1 }\nstubs: { send: ${OK} }`);
    expect(recorded).toEqual({
      at: "2026-01-01T00:00:00.000Z",
      context: { a: 1 },
      stubs: { send: { output: { status: 200, body: { id: 7 } } } },
      expect: { status: "completed", outputs: { id: 7 } },
    });
    expect(assumed).toEqual([]);
  });

  it("of failed attempts before the last assumes the reason, and says so", () => {
    const { recorded, assumed, again } = record(
      send,
      `stubs: { send: [{ error: { status: 500 } }, { error: {} }, ${OK}] }`,
    );
    expect(recorded.stubs).toEqual({
      send: [
        { error: { status: 503 } },
        { error: { status: 503 } },
        { output: { status: 200, body: { id: 7 } } },
      ],
    });
    expect(recorded.expect).toMatchObject({ attempts: { send: 3 } });
    expect(assumed).toEqual([
      'what was answered to the failed attempts of "send", which a run\'s document does not keep',
    ]);
    expect(again.said).toEqual([]);
  });

  it("of a step that was retried by hand leaves out the attempts before, and says so", () => {
    const { run } = record(send, `stubs: { send: [{ error: {} }, ${OK}] }`);
    const state = { ...run.steps.send, attempt: 3, attempts_before: 2 } as StepState;
    const retried = { ...run, steps: { send: state } };
    const recorded = recordedCase(retried, send.workflow, catalog, { status: 503 });
    expect(recorded.case.stubs).toMatchObject({ send: { output: { body: { id: 7 } } } });
    expect(recorded.case.expect).not.toHaveProperty("attempts");
    expect(recorded.assumed).toEqual([
      '"send" was retried by hand; its attempts before that are left out',
    ]);
  });

  it("of a trigger keeps what expressions may read, and not the key of the request", () => {
    const trigger = "trigger: { type: webhook, body: { b: 2 }, idempotency_key: k }";
    const { recorded } = record(send, `${trigger}\nstubs: { send: ${OK} }`);
    expect(recorded.trigger).toEqual({ type: "webhook", body: { b: 2 } });
  });
});

const everything = `id: all
on_error: { next_step_id: tell }
timeout: 30d
steps:
  - id: each
    type: foreach
    config:
      items: [1, 2, 3]
      max_parallel: 2
      steps: [{ id: item, type: webhook, config: { url: ${url} }, on_error: { continue: true } }]
      collect: \${{ steps.item.status }}
  - id: both
    type: parallel
    config:
      branches:
        left: { steps: [{ id: left, type: webhook, config: { url: ${url} } }] }
        right: { steps: [{ id: right, type: webhook, config: { url: ${url} } }] }
  - { id: ask, type: approval, timeout: 7d, config: { message: Sure?, on_timeout: reject } }
  - id: paid
    type: wait
    timeout: 7d
    config: { signal: paid }
    on_error: { continue: true }
    next_step_id: knock
  - id: knock
    type: webhook
    config: { url: ${url} }
    on_error: { next_step_id: pause }
    next_step_id: child
  - { id: pause, type: delay, config: { for: 1h }, next_step_id: knock }
  - { id: child, type: workflow, config: { workflow_id: child }, next_step_id: null }
  - { id: tell, type: set, config: { values: { told: true } } }
outputs:
  each: "\${{ steps.each.output.results }}"
  asked: "\${{ steps.ask.output }}"
  paid: "\${{ steps.paid.status }}"
  child: "\${{ steps.child.output.output }}"
`;
const all = stage(
  everything,
  `id: child
steps: [{ id: inner, type: webhook, config: { url: ${url} } }]
outputs: { x: "\${{ steps.inner.output.status }}" }
`,
);
const world = `stubs:
  item: [${OK}, { error: { status: 400 } }, ${OK}]
  left: { output: { status: 200, body: null }, after: 5s }
  right: ${OK}
  knock: [{ error: { status: 404 } }, { error: { status: 404 } }, ${OK}]
  child/inner: ${OK}
answers: { ask: { approved: true, comment: fine, after: 2d } }
signals: [{ name: paid, data: { by: ada }, after: 4d }]`;

describe("played again", () => {
  it.each([
    ["of every construct", world],
    ["in which nobody answered and nobody paid", world.replace(/\nanswers[\s\S]*/, "")],
    [
      "in which the workflow's on_error took over",
      world.replace(/right: .*/, "right: { error: {} }"),
    ],
    ["in which the sub-workflow failed", world.replace(/inner: .*/, "inner: { error: {} }")],
  ])("a run %s ends the same", (_, body) => {
    const { run, again } = record(all, `${body}\nexpect: {}`);
    expect(again.troubles).toEqual([]);
    expect(again.said).toEqual([]);
    expect(essence(again.run)).toEqual(essence(run));
  });

  it("a signal comes when it came, counted from the start of the run", () => {
    const { recorded } = record(all, `${world}\nexpect: {}`);
    expect(recorded.signals).toEqual([{ name: "paid", data: { by: "ada" }, after: "4d" }]);
  });

  it("a loop of a thousand passes is a few lines", () => {
    const flow = stage(`id: loop
max_steps: 2000
steps:
  - id: knock
    type: webhook
    config: { url: ${url} }
    on_error: { next_step_id: pause }
    next_step_id: null
  - { id: pause, type: delay, config: { for: 1h }, next_step_id: knock }
`);
    const { run, again, recorded } = record(flow, "stubs: { knock: { error: { status: 404 } } }");
    expect(run.error?.kind).toBe("max_steps");
    expect(again.said).toEqual([]);
    expect(Object.keys(recorded.stubs as object).length).toBeLessThan(15);
  });
});

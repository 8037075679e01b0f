// Each kind of expectation, once where it holds and once where it does not.

import { expect, it } from "vitest";
import { stage } from "./stage.js";

const OK = "{ output: { status: 200, body: { id: 7, tags: [a, b] } } }";

const flow = stage(`id: flow
steps:
  - { id: pause, type: delay, config: { seconds: 5 } }
  - id: each
    type: foreach
    config:
      items: [{ n: 1 }, { n: 2 }]
      steps:
        - id: send
          type: webhook
          retry: { max_attempts: 2, delay: 1s }
          config: { url: "http://127.0.0.1:9/", body: "\${{ item.n }}" }
  - { id: never, type: set, if: run.id == 'x', config: { values: { a: 1 } } }
outputs: { sent: 2, list: [1, { a: 1 }] }
`);
const good = `stubs: { send: [{ error: { status: 500 } }, ${OK}, ${OK}] }`;
const bad = "stubs: { send: { error: { status: 503, message: the other side is down } } }";

it.each([
  ["status", good, "{ status: completed }"],
  ["status of a failure", bad, "{ status: failed }"],
  ["error alone means failed", bad, "{ error: {} }"],
  ["path", good, "{ path: [pause, each, send, send] }"],
  ["elapsed", good, "{ elapsed: 6s }"],
  ["attempts, all items together", good, "{ attempts: { send: 3, pause: 1, never: 0 } }"],
  ["attempts of one instance", good, "{ attempts: { each#0/0/send#0: 2 } }"],
  ["error, a part of its message", bad, "{ error: { step_id: send, status: 503, message: down } }"],
  ["outputs, a part of a mapping", good, "{ outputs: { sent: 2 } }"],
  ["output is the same", good, "{ output: { list: [1, { a: 1 }] } }"],
  ["steps, one for every instance", good, "{ steps: { send: { output: { body: { id: 7 } } } } }"],
  ["steps, a list", good, "{ steps: { send: [{ attempt: 2 }, { attempt: 1 }] } }"],
  ["steps, skipped", good, "{ steps: { never: { status: skipped, output: null } } }"],
  ["calls, one for every call", good, '{ calls: { send: { url: "http://127.0.0.1:9/" } } }'],
  ["calls, a list", good, "{ calls: { send: [{ body: 1 }, { body: 1 }, { body: 2 }] } }"],
  ["nothing at all", good, "{}"],
])("given %s as expected, then the case passes", (_, stubs, expected) => {
  expect(flow.play(`${stubs}\nexpect: ${expected}`).said).toEqual([]);
});

it.each([
  ["status", good, "{ status: failed }", 'status: "failed" → "completed"'],
  ["nothing of a failure", bad, "{}", 'status: "completed" → "failed"'],
  ["an error that is not", good, "{ error: {} }", 'status: "failed" → "completed"'],
  [
    "path",
    good,
    "{ path: [pause, each] }",
    'path: ["pause","each"] → ["pause","each","send","send"]',
  ],
  ["elapsed", good, "{ elapsed: 1h }", 'elapsed: "1h" → "6s"'],
  ["no time", good, "{ elapsed: 0 }", 'elapsed: "0s" → "6s"'],
  ["no path", good, "{ path: [] }", 'path: [] → ["pause","each","send","send"]'],
  ["no outputs", good, "{ outputs: null }", 'outputs: null → {"sent":2,"list":[1,{"a":1}]}'],
  ["attempts", good, "{ attempts: { send: 2 } }", "attempts.send: 2 → 3"],
  ["error", bad, "{ error: { status: 500 } }", "error.status: 500 → 503"],
  [
    "an error's message",
    bad,
    "{ error: { message: asleep } }",
    'error.message: "asleep" → "the other side is down"',
  ],
  ["a value in outputs", good, "{ outputs: { sent: 3 } }", "outputs.sent: 3 → 2"],
  ["a key that is not in outputs", good, "{ outputs: { x: 1 } }", "outputs.x: 1 → nothing"],
  ["a value in a list", good, "{ outputs: { list: [1, { a: 2 }] } }", "outputs.list[1].a: 2 → 1"],
  ["a shorter list", good, "{ outputs: { list: [1] } }", 'outputs.list: [1] → [1,{"a":1}]'],
  [
    "a step's status",
    good,
    "{ steps: { never: { status: completed } } }",
    'steps.never.status: "completed" → "skipped"',
  ],
  ["how many instances", good, "{ steps: { send: [{}] } }", "steps.send: 1 → 2"],
  [
    "one of the instances",
    good,
    "{ steps: { send: { attempt: 2 } } }",
    "steps.send[1].attempt: 2 → 1",
  ],
  ["how many calls", good, "{ calls: { send: [{}, {}] } }", "calls.send: 2 → 3"],
  [
    "what one call was given",
    good,
    "{ calls: { send: [{}, {}, { body: 9 }] } }",
    "calls.send[2].body: 9 → 2",
  ],
  [
    "a step that was not reached",
    bad,
    "{ error: {}, steps: { never: {} } }",
    "steps.never: {} → nothing",
  ],
])("given another %s than expected, then the difference is told", (_, stubs, expected, said) => {
  expect(flow.play(`${stubs}\nexpect: ${expected}`).said).toEqual([said]);
});

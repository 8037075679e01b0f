// Test files: what they mean, and each mistake at its line and column, with the likely fix.

import { describe, expect, it } from "vitest";
import { catalog } from "../../src/connectors/index.js";
import { check } from "../../src/flow/check.js";
import { checkTestFile } from "../../src/flow/test-file.js";
import type { Workflow } from "../../src/flow/workflow.js";

const ORDERS = `id: orders
context: { type: object, properties: { amount: { type: number } } }
steps:
  - { id: send, type: webhook, config: { url: "http://127.0.0.1:9/" } }
  - { id: pause, type: delay, config: { seconds: 1 } }
  - { id: ask, type: approval, config: { message: Go on? } }
  - { id: paid, type: wait, config: { signal: payment } }
  - { id: hand_over, type: workflow, config: { workflow_id: stock } }
`;
const STOCK = `id: stock
steps: [{ id: pick, type: webhook, config: { url: "http://127.0.0.1:9/" } }]
`;

const workflows = new Map<string, Workflow | null>(
  [ORDERS, STOCK].map((text) => {
    const { workflow } = check(text, "w.yaml", catalog);
    return [workflow?.id ?? "", workflow];
  }),
).set("broken", null);

function read(text: string) {
  return checkTestFile(text, "a.test.yaml", { workflows, catalog });
}

/** The one diagnostic of a case that holds `body`; its line is counted from the case's own. */
function mistake(body: string): string[] {
  const { test, diagnostics } = read(`workflow: orders\ncases:\n  - name: n\n    ${body}\n`);
  expect(test).toBeNull();
  return diagnostics.map(({ line, column, message, kind, suggestion }) => {
    const place = `${line - 3}:${column}`;
    return `${place} ${message} [${kind}]${suggestion === undefined ? "" : ` ${suggestion}`}`;
  });
}

describe("a test file that is right", () => {
  it("gives its cases, with defaults and durations in ms", () => {
    const { test, diagnostics } = read(`workflow: orders
cases:
  - name: all of it
    context: { amount: 3 }
    at: 2030-01-31T09:00:00Z
    trigger: { type: webhook, body: { a: 1 } }
    stubs:
      send: [{ error: { status: 429, retry_after: 5s } }, { output: { status: 200 }, after: 500ms }]
      hand_over/pick: { output: { status: 200, body: null } }
    signals: [{ name: payment, data: 7, after: 3d }, { name: payment }]
    answers: { ask: [null, { approved: true, comment: fine, after: 1h }] }
    expect: { status: failed, elapsed: 1m, output: 4 }
  - name: only a name
`);
    expect(diagnostics).toEqual([]);
    expect([test?.file, test?.workflow_id]).toEqual(["a.test.yaml", "orders"]);
    expect(test?.cases[0]).toEqual({
      name: "all of it",
      line: 3,
      column: 11,
      context: { amount: 3 },
      at: Date.parse("2030-01-31T09:00:00Z"),
      trigger: { type: "webhook", body: { a: 1 } },
      maps: false,
      stubs: {
        send: [
          { after_ms: 0, error: { status: 429, retry_after_ms: 5_000 } },
          { after_ms: 500, output: { status: 200 } },
        ],
        "hand_over/pick": { after_ms: 0, output: { status: 200, body: null } },
      },
      signals: [
        { name: "payment", data: 7, after_ms: 259_200_000 },
        { name: "payment", data: null, after_ms: 0 },
      ],
      answers: { ask: [null, { approved: true, comment: "fine", after_ms: 3_600_000 }] },
      expect: { status: "failed", elapsed_ms: 60_000, outputs: 4 },
    });
    expect(test?.cases[1]).toMatchObject({
      context: {},
      at: Date.parse("2026-01-01T00:00:00Z"),
      trigger: { type: "manual" },
      stubs: {},
      expect: {},
    });
  });

  it("may point at one instance, and into the workflow that a step starts", () => {
    const stubs = ["send#1", "hand_over", "hand_over/pick", "each#0/3/send#0"];
    for (const address of stubs) {
      const text = `workflow: orders\ncases: [{ name: n, stubs: { ${address}: { error: {} } } }]\n`;
      expect(read(text).diagnostics).toEqual([]);
    }
  });

  it("may leave out of an answer what the workflow does not read", () => {
    const text =
      "workflow: orders\ncases: [{ name: n, stubs: { send: { output: { status: 200 } } } }]";
    expect(read(text).diagnostics).toEqual([]);
  });
});

describe("a mistake in a test file", () => {
  it.each([
    ["", "1:1 the file is empty; a test needs workflow and cases [type]"],
    ["# nothing\n", "1:1 the file is empty; a test needs workflow and cases [type]"],
    ["cases: [", "1:8 this [ is never closed [syntax]"],
    ["workflow: orders\n", '1:1 missing key "cases" [missing-key]'],
    ["workflow: orders\ncases: []\n", "2:1 must not be empty [value]"],
    [
      "workflow: ordrs\ncases: [{ name: n }]\n",
      '1:11 there is no workflow "ordrs" in this folder [workflow-ref] did you mean "orders"?',
    ],
    [
      "workflow: broken\ncases: [{ name: n }]\n",
      '1:11 the workflow "broken" has mistakes, so it cannot be tested [workflow-ref] ' +
        "flows validate shows them",
    ],
    [
      "workflow: orders\ncases: [{ name: n }, { name: n }]\n",
      '2:30 another case has the name "n" [value]',
    ],
  ])("%j", (text, said) => {
    const { test, diagnostics } = read(text);
    expect(test).toBeNull();
    const shown = diagnostics.map(({ line, column, message, kind, suggestion }) => {
      return `${line}:${column} ${message} [${kind}]${suggestion ? ` ${suggestion}` : ""}`;
    });
    expect(shown).toEqual([said]);
  });

  it.each([
    ["stub: {}", '1:5 unknown key "stub" [unknown-key] did you mean "stubs"?'],
    [
      "context: { amount: many }",
      '1:24 the context does not fit the workflow "orders": must be a number, not "many" ' +
        "[context-type]",
    ],
    [
      "stubs: { sned: { output: 1 } }",
      '1:14 there is no step "sned" in workflow "orders" [step-ref] did you mean "send"?',
    ],
    [
      "stubs: { hand_over/pik: { output: 1 } }",
      '1:14 there is no step "pik" in workflow "stock" [step-ref] did you mean "pick"?',
    ],
    [
      "stubs: { send/pick: { output: 1 } }",
      '1:14 there is no step "send" in workflow "orders" [step-ref]',
    ],
    ["stubs: { send: {} }", '1:14 missing key: "output" or "error" is needed [missing-key]'],
    ["stubs: { send: 3 }", "1:20 must be a mapping or a list, not 3 [type]"],
    [
      "stubs: { send: { output: { status: 200, bdy: 1 } } }",
      '1:45 not an answer to a step of type webhook: unknown key "bdy" [unknown-key] ' +
        'did you mean "body"?',
    ],
    [
      "stubs: { send: { error: {}, after: soon } }",
      "1:40 must be a duration (500ms, 5m, 1h30m, PT5M, P2D, or a number of seconds), " +
        'not "soon" [value]',
    ],
    [
      "stubs: { ask: { output: 1 } }",
      '1:14 "ask" is of type approval, which takes no stub [value] ' +
        "write what a person says under answers",
    ],
    [
      "stubs: { pause: { output: 1 } }",
      '1:14 "pause" is of type delay, which takes no stub [value] ' +
        "its time passes at once; leave the stub out",
    ],
    [
      "answers: { paid: { approved: true } }",
      '1:16 "paid" is of type wait; people answer steps of type approval [value]',
    ],
    ["answers: { ask: { comment: x } }", '1:16 missing key: "approved" is needed [missing-key]'],
    [
      "signals: [{ name: paymnt }]",
      '1:23 no step of "orders" waits for the signal "paymnt": they wait for "payment" [value] ' +
        'did you mean "payment"?',
    ],
    [
      "expect: { status: complete }",
      '1:23 must be "pending", "running", "paused", "completed", "failed" or "cancelled", ' +
        'not "complete" [value] did you mean "completed"?',
    ],
    [
      "expect: { path: [send, puase] }",
      '1:28 there is no step "puase" in workflow "orders" [step-ref] did you mean "pause"?',
    ],
    [
      "expect: { error: { step_id: sent } }",
      '1:33 there is no step "sent" in workflow "orders" [step-ref] did you mean "send"?',
    ],
    [
      "expect: { attempts: { sedn: 1 } }",
      '1:27 there is no step "sedn" in workflow "orders" [step-ref] did you mean "send"?',
    ],
    [
      "expect: { calls: { paid: [] } }",
      '1:24 "paid" is of type wait, which calls no one [value] expect its output under steps',
    ],
    ["expect: { output: 1, outputs: 1 }", '1:23 "output" and "outputs" exclude each other [value]'],
  ])("%s", (body, said) => {
    expect(mistake(body)).toEqual([said]);
  });
});

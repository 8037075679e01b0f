// Coverage: which steps and which arms the cases of a workflow reach, and what they leave out.

import { expect, it } from "vitest";
import { coverage } from "../../src/engine/coverage.js";
import { stage } from "./stage.js";

const url = "http://127.0.0.1:9/";
const flow = stage(`id: flow
context: { type: object, properties: { n: { type: number, default: 0 } } }
on_error: { next_step_id: tell }
steps:
  - id: split
    type: branch
    config:
      cases:
        - { when: context.n > 10, next_step_id: big }
        - { when: context.n > 5, next_step_id: small }
      otherwise: null
  - id: big
    type: parallel
    config: { branches: { a: { steps: [{ id: inner, type: set, config: { values: { a: 1 } } }] } } }
    next_step_id: small
  - id: small
    type: webhook
    if: context.n != 6
    config: { url: ${url} }
    on_error: { continue: true }
    next_step_id: last
  - { id: last, type: webhook, config: { url: ${url} }, next_step_id: null }
  - { id: tell, type: set, config: { values: { told: true } } }
`);
const OK = "{ output: { status: 200, body: null } }";

function covered(...cases: string[]) {
  return coverage(
    flow.workflow,
    cases.map((body) => flow.play(body).trace),
  );
}

const ARMS = [
  "split: case 1",
  "split: case 2",
  "split: otherwise",
  "small: if is true",
  "small: if is false",
  "small: on_error",
  "the workflow's on_error",
];

it("given no case, nothing is reached", () => {
  expect(covered()).toEqual({
    workflow_id: "flow",
    steps: {
      total: 6,
      reached: 0,
      missing: ["split", "big", "inner", "small", "last", "tell"],
    },
    arms: { total: 7, reached: 0, missing: ARMS },
  });
});

it("given one case, what it does not reach is missing, in the order of the file", () => {
  const { steps, arms } = covered(`context: { n: 11 }\nstubs: { small: ${OK}, last: ${OK} }`);
  expect(steps).toEqual({ total: 6, reached: 5, missing: ["tell"] });
  expect(arms.missing).toEqual([
    "split: case 2",
    "split: otherwise",
    "small: if is false",
    "small: on_error",
    "the workflow's on_error",
  ]);
});

it("given a case for each arm, nothing is missing", () => {
  const { steps, arms } = covered(
    "context: { n: 0 }",
    `context: { n: 6 }\nstubs: { last: ${OK} }`,
    `context: { n: 11 }\nstubs: { small: { error: {} }, last: { error: {} } }`,
  );
  expect([steps.missing, arms.missing]).toEqual([[], []]);
});

it("given runs of another workflow, they count for nothing", () => {
  const other = stage("id: other\nsteps: [{ id: big, type: delay, config: { seconds: 1 } }]\n");
  expect(coverage(flow.workflow, [other.play("context: {}").trace]).steps.reached).toBe(0);
});

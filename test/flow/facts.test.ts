// What is known to have happened before a step, over branches, loops, failures and parallels.

import { expect, test } from "vitest";
import { Facts } from "../../src/flow/facts.js";
import { Findings } from "../../src/flow/findings.js";
import { readFlowFile } from "../../src/flow/flow-file.js";
import { buildModel, stepsOf } from "../../src/flow/model.js";

/** `a+` visited and done, `a` visited alone, `!` something has failed. */
const before = (text: string, id: string) => {
  const root = readFlowFile(text, new Findings("w.yaml", text))!;
  const body = buildModel(root);
  const steps = [...stepsOf(body)];
  const known = new Facts(body).before(steps.find((step) => step.id === id)!);
  const seen = steps
    .filter((step) => known.visited(step))
    .map((step) => step.id + (known.done(step) ? "+" : ""));
  return [...seen, ...(known.failed() ? ["!"] : [])].join(" ");
};

const steps = (...lines: string[]) =>
  `steps:\n${lines.map((line) => `  - { ${line} }\n`).join("")}`;

test("given a chain, then all before a step is done", () => {
  const text = steps("id: a", "id: b", "id: c");
  expect(before(text, "a")).toBe("");
  expect(before(text, "c")).toBe("a+ b+");
});

test("given two arms, then behind them only what both have is known", () => {
  const text = steps(
    "id: x, type: branch, config: { cases: [{ when: y, next_step_id: l }], otherwise: r }",
    "id: l, next_step_id: end",
    "id: r, next_step_id: end",
    "id: end",
  );
  expect(before(text, "r")).toBe("x+");
  expect(before(text, "end")).toBe("x+");
});

test("given a loop, then its first pass has not seen what comes later in it", () => {
  const text = steps(
    "id: a",
    "id: head, next_step_id: look",
    "id: look, type: branch, config: { cases: [{ when: y, next_step_id: head }], otherwise: out }",
    "id: out",
  );
  expect(before(text, "head")).toBe("a+");
  expect(before(text, "out")).toBe("a+ head+ look+");
});

test("given a failure, then the step has been seen, is not done, and there is an error", () => {
  const text = steps(
    "id: a, on_error: { next_step_id: h }, next_step_id: null",
    "id: h, next_step_id: k",
    "id: k",
  );
  expect(before(text, "h")).toBe("a !");
  expect(before(text, "k")).toBe("a h+ !");
});

test("given the workflow's own on_error, then all that is known is that it had begun", () => {
  const list = steps("id: a", "id: b, next_step_id: null", "id: h");
  const text = `on_error: { next_step_id: h }\n${list}`;
  expect(before(text, "h")).toBe("a !");
});

test("given a parallel, then behind it both branches are done, and beside it none", () => {
  const branches =
    "{ l: { steps: [{ id: l1 }, { id: l2 }] }, r: { steps: [{ id: r1, next_step_id: null }] } }";
  const text = steps("id: a", `id: p, type: parallel, config: { branches: ${branches} }`, "id: z");
  expect(before(text, "l2")).toBe("a+ l1+");
  expect(before(text, "r1")).toBe("a+");
  expect(before(text, "z")).toBe("a+ p+ l1+ l2+ r1+");
});

test("given a foreach, then behind it nothing is known of what is inside", () => {
  const text = steps(
    "id: a",
    "id: f, type: foreach, config: { items: [1], steps: [{ id: i }, { id: j }] }",
    "id: z",
  );
  expect(before(text, "j")).toBe("a+ i+");
  expect(before(text, "z")).toBe("a+ f+");
});

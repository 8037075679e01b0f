// A workflow as a picture: every step and every way is in it, and no label can break it.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { check } from "../../src/flow/check.js";
import { dot, graphOf, mermaid } from "../../src/flow/graph.js";
import { whole } from "./whole.js";

const workflow = (text: string) => {
  const checked = check(text, "w.yaml", whole);
  expect(checked.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  return checked.workflow!;
};

const chase = workflow(readFileSync(new URL("ok/invoice_chase.yaml", import.meta.url), "utf8"));

test.each([
  ["mermaid", mermaid],
  ["dot", dot],
])("given the invoice chase, then its %s is the golden one", (name, draw) => {
  const golden = new URL(`graph/invoice_chase.${name}`, import.meta.url);
  if (process.env.UPDATE === "1") {
    writeFileSync(golden, draw(chase));
  }
  expect(draw(chase)).toBe(readFileSync(golden, "utf8"));
});

test("given loops, branches and errors, then each way is an edge", () => {
  const text = `
id: w
on_error: { next_step_id: tell }
steps:
  - id: poll
    type: http
    config: { url: "http://x.example" }
    on_error: { next_step_id: rest }
    next_step_id: look
  - id: look
    type: branch
    config:
      cases: [{ when: steps.poll.output.status == 200, next_step_id: null }]
      otherwise: rest
  - { id: rest, type: delay, config: { seconds: 1 }, next_step_id: poll }
  - { id: tell, type: fail, config: { message: gave up } }
`;
  expect(graphOf(workflow(text)).edges).toEqual([
    { from: "(start)", to: "poll", kind: "next" },
    { from: "poll", to: "look", kind: "next" },
    { from: "poll", to: "rest", kind: "on_error", label: "error" },
    { from: "look", to: "(end)", kind: "case", label: "steps.poll.output.status == 200" },
    { from: "look", to: "rest", kind: "otherwise", label: "else" },
    { from: "rest", to: "poll", kind: "next" },
    { from: "(start)", to: "tell", kind: "on_error", label: "any error" },
  ]);
});

test("given a name with markup and quotes, then it is text", () => {
  const nasty = workflow(`
id: w
name: 'a "b" <script>x</script> [c] {d} \\'
steps: [{ id: end, type: delay, config: { seconds: 1 } }]
`);
  expect(mermaid(nasty)).toBe(
    "flowchart TD\n" +
      '  n0(["a #34;b#34; #60;script#62;x#60;/script#62; #91;c#93; #123;d#125; #92;"])\n' +
      '  n1["end<br/>delay 1 s"]\n' +
      '  n2(["end"])\n' +
      "  n0 --> n1\n" +
      "  n1 --> n2\n",
  );
  expect(dot(nasty)).toContain('[label="a \\"b\\" <script>x</script> [c] {d} \\\\", shape=oval]');
});

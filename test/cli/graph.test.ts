// `flows graph`: which workflow is drawn, and in which of the formats.

import { expect, it } from "vitest";
import { place, reminder } from "./harness.js";

const GOOD = reminder("http://127.0.0.1:9/");

it("given an id, draws it in the format asked for, whatever other files hold", async () => {
  const { flows } = await place({ "flows/a.yaml": GOOD, "flows/b.yaml": "id: [" });
  for (const [format, begins] of [
    ["mermaid", "flowchart TD"],
    ["dot", 'digraph "reminder"'],
    ["svg", "<svg xmlns="],
  ]) {
    const { code, stdout, stderr } = await flows(["graph", "reminder", "--format", format!]);
    expect([code, stderr, stdout.startsWith(begins!)]).toEqual([0, "", true]);
    expect(stdout).toContain("delay_step");
  }
});

it("given an id that is not there: 3, and the nearest; a wrong file: 1, and why", async () => {
  const bad = GOOD.replace("type: delay", "type: dealy");
  const { flows } = await place({ "flows/a.yaml": bad });
  const unknown = await flows(["graph", "remindr"]);
  expect([unknown.code, unknown.stdout]).toEqual([3, ""]);
  expect(unknown.stderr).toContain('did you mean "reminder"?');
  const wrong = await flows(["graph", "reminder"]);
  expect([wrong.code, wrong.stdout]).toEqual([1, ""]);
  expect(wrong.stderr).toContain('did you mean "delay"?');
});

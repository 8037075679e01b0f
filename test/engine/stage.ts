// What the tests of rehearsals share: workflows from text, and a case that is played.

import { catalog } from "../../src/connectors/index.js";
import { type Difference, differences } from "../../src/engine/expectations.js";
import { type Rehearsal, rehearse } from "../../src/engine/rehearse.js";
import { check } from "../../src/flow/check.js";
import { checkTestFile } from "../../src/flow/test-file.js";
import type { Workflow } from "../../src/flow/workflow.js";

/** The first one is tested. */
export function stage(...texts: string[]): Stage {
  const workflows = new Map<string, Workflow>();
  for (const text of texts) {
    const { workflow, diagnostics } = check(text, "w.yaml", catalog);
    if (!workflow) throw new Error(JSON.stringify(diagnostics));
    workflows.set(workflow.id, workflow);
  }
  const [workflow] = workflows.values();
  if (!workflow) throw new Error("a stage needs a workflow");
  return { workflow, workflows, play: (body) => play(workflow, workflows, body) };
}

interface Stage {
  workflow: Workflow;
  workflows: ReadonlyMap<string, Workflow>;
  /** The lines of one case, without its name. */
  play(body: string): Played;
}

interface Played extends Rehearsal {
  differences: Difference[];
  /** `status: "completed" → "failed"`, as short as a test can be read. */
  said: string[];
}

function play(workflow: Workflow, workflows: Stage["workflows"], body: string): Played {
  const lines = body.split("\n").map((line) => `    ${line}`);
  const text = `workflow: ${workflow.id}\ncases:\n  - name: n\n${lines.join("\n")}\n`;
  const { test, diagnostics } = checkTestFile(text, "a.test.yaml", { workflows, catalog });
  const [one] = test?.cases ?? [];
  if (!one) throw new Error(JSON.stringify(diagnostics));
  const rehearsal = rehearse(one, { workflow, workflows, catalog });
  const found = differences(one, rehearsal);
  return { ...rehearsal, differences: found, said: found.map(inWords) };
}

function inWords({ at, expected, actual, message }: Difference): string {
  if (at === "") return message ?? "";
  return `${at}: ${JSON.stringify(expected)} → ${JSON.stringify(actual) ?? "nothing"}`;
}

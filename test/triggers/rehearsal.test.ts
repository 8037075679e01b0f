// Cases that say what happened: the workflow's own trigger makes the context, or says why not.

import { describe, expect, test } from "vitest";
import { DEFAULT_TEST_START, type TestCase } from "../../src/flow/test-case.js";
import type { Trigger, Workflow } from "../../src/flow/workflow.js";
import { triggeredCase } from "../../src/triggers/rehearsal.js";

const TRIGGERS: Trigger[] = [
  {
    type: "schedule",
    cron: "0 9 * * 1-5",
    timezone: "Europe/Paris",
    missed: "skip",
    context: { day: "${{ trigger.scheduled_at }}" },
  },
  { type: "webhook", path: "plain", respond: "accepted" },
  {
    type: "webhook",
    path: "mapped",
    respond: "accepted",
    context: { kind: "${{ trigger.headers['x-kind'] }}" },
  },
  {
    type: "workflow",
    workflow_id: "other",
    on: ["failed"],
    context: { why: "${{ trigger.error.message }}" },
  },
];

const WORKFLOW: Workflow = {
  id: "w",
  name: "w",
  entry_point: "a",
  steps: [{ id: "a", type: "set", config: { values: { a: 1 } }, next_step_id: null }],
  max_steps: 10,
  triggers: TRIGGERS,
};

function started(trigger: TestCase["trigger"], at = DEFAULT_TEST_START, workflow = WORKFLOW) {
  const blank = { stubs: {}, signals: [], answers: {}, expect: {}, name: "n", line: 1, column: 1 };
  const given = { ...blank, context: {}, at: Date.parse(at), trigger, maps: true };
  return triggeredCase(given, workflow);
}

describe("given a case that leaves its context to a trigger, when it is", () => {
  test("a schedule, then it begins at its first time, or at the one that it names", () => {
    const first = started({ type: "schedule" });
    expect(first).toMatchObject({ context: { day: "2026-01-01T08:00:00.000Z" } });
    const at = "2026-07-01T07:00:00Z";
    expect(started({ type: "schedule" }, at)).toMatchObject({ at: Date.parse(at) });
    expect(started({ type: "schedule" }, "2026-07-01T08:00:00Z")).toMatchObject({
      message: expect.stringContaining("it fires next at 2026-07-02T07:00:00.000Z"),
    });
  });

  test("a webhook, then the body is the context, or what the named one makes of it", () => {
    expect(started({ type: "webhook", body: { a: 1 } })).toMatchObject({ context: { a: 1 } });
    const named = { type: "webhook", path: "mapped", headers: { "X-Kind": "hi" } };
    expect(started(named)).toMatchObject({ context: { kind: "hi" } });
    expect(started({ type: "webhook", body: [] })).toMatchObject({ refused: "context_mismatch" });
  });

  test("the end of another run, then its error is read", () => {
    const error = { kind: "x", message: "broken" };
    const ended = { type: "workflow", status: "failed", error };
    expect(started(ended)).toMatchObject({ context: { why: "broken" } });
    expect(started({ type: "workflow", status: "completed" })).toMatchObject({
      message: 'Workflow "w" has no trigger that this would fire.',
    });
  });
});

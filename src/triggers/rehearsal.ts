// The start of a test's case that says what happened, and leaves the context to the trigger.

import type { Refusal } from "../engine/command.js";
import type { Run } from "../engine/run.js";
import type { TriggerRequest } from "../engine/runner.js";
import { lastFiring, nextFiring } from "../flow/cron.js";
import type { Json, JsonObject } from "../flow/json.js";
import { DEFAULT_TEST_START, type TestCase } from "../flow/test-case.js";
import type { Workflow } from "../flow/workflow.js";
import { scheduledStart, schedulesOf } from "./schedule.js";
import type { Served } from "./start.js";
import { startAfter } from "./successors.js";
import { webhookStart } from "./webhook.js";

/** The case as its trigger starts it; or why that starts nothing. */
export function triggeredCase(test: TestCase, workflow: Workflow): TestCase | Refusal {
  if (!test.maps) return test;
  const served = { workflow, version: workflow.id };
  const at = test.trigger.type === "schedule" ? firingOf(test, workflow) : test.at;
  if (typeof at !== "number") return at;
  const request = requestOf({ ...test, at }, served);
  if ("refused" in request) return request;
  const trigger = request.trigger as unknown as JsonObject;
  return { ...test, at, context: request.context, trigger };
}

function requestOf({ trigger, at }: TestCase, served: Served): TriggerRequest | Refusal {
  const { triggers = [] } = served.workflow;
  for (const each of triggers) {
    if (each.type === "webhook" && isMeant(trigger, "webhook", "path", each.path)) {
      const { headers, query, body = null } = trigger;
      const delivery = { headers: lowered(headers), query: textsOf(query), body };
      return webhookStart({ served, trigger: each }, delivery);
    }
    if (each.type === "workflow" && isMeant(trigger, "workflow", "workflow_id", each.workflow_id)) {
      const status = trigger.status ?? each.on[0];
      if (!(each.on as Json[]).includes(status ?? null)) continue;
      const { run_id = "run_11111111111111111111111111", outputs = null, error = null } = trigger;
      const ended = { id: run_id, workflow_id: each.workflow_id, status, output: outputs, error };
      const finished_at = new Date(at).toISOString();
      const run = { ...ended, finished_at, trigger: {} } as unknown as Run;
      return startAfter(served, each, each.workflow_id, run);
    }
  }
  const schedule = schedulesOf(served.workflow).find((each) => isSchedule(trigger, each.trigger));
  if (schedule !== undefined) return scheduledStart(served, schedule, at);
  const message = `Workflow "${served.workflow.id}" has no trigger that this would fire.`;
  return { refused: "context_mismatch", message };
}

/** A case that does not say when begins at the schedule's first time. */
function firingOf({ trigger, at }: TestCase, workflow: Workflow): number | Refusal {
  const line = schedulesOf(workflow).find((each) => isSchedule(trigger, each.trigger))?.trigger;
  if (line === undefined || lastFiring(line, at) === at) return at;
  const next = nextFiring(line, at);
  if (at === Date.parse(DEFAULT_TEST_START) && next !== null) return next;
  const when = next === null ? "never again" : `next at ${new Date(next).toISOString()}`;
  const times = `"${line.cron}" (${line.timezone}) does not fire at the case's time`;
  return { refused: "context_mismatch", message: `The schedule ${times}; it fires ${when}.` };
}

function isSchedule(trigger: JsonObject, { cron }: { cron: string }): boolean {
  return isMeant(trigger, "schedule", "cron", cron);
}

/** What the case does not name is not asked for: the first trigger of the type is meant. */
function isMeant(trigger: JsonObject, type: string, key: string, value: string): boolean {
  return trigger.type === type && (trigger[key] === undefined || trigger[key] === value);
}

function lowered(headers: Json | undefined): { [name: string]: string } {
  const texts = Object.entries(textsOf(headers));
  return Object.fromEntries(texts.map(([name, value]) => [name.toLowerCase(), value]));
}

function textsOf(given: Json | undefined): { [name: string]: string } {
  const entries = Object.entries((given ?? {}) as JsonObject);
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}

// Holds a rehearsal against what its test expects: each difference with its place.

import { canonicalJson } from "../flow/canonical.js";
import { durationText } from "../flow/duration.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { ByAddress, Expected, TestCase } from "../flow/test-case.js";
import { Facts } from "./facts.js";
import type { Rehearsal } from "./rehearse.js";
import type { Run } from "./run.js";
import { waitingFor } from "./waiting-for.js";

/** One thing that is not as expected. */
export interface Difference {
  /** `status`, `outputs.reminded[1]`, `calls.send_reminder[0].body`; empty: the case as a whole. */
  at: string;
  expected?: Json;
  /** Absent: there is none. */
  actual?: Json;
  /** What to know beside the two values. */
  message?: string;
}

/** None: the case passes. */
export function differences({ expect }: TestCase, rehearsal: Rehearsal): Difference[] {
  const { run, troubles } = rehearsal;
  const found: Difference[] = troubles.map((message) => ({ at: "", message }));
  if (run === undefined || rehearsal.halted) return found;
  const facts = new Facts(rehearsal);
  const { status, error } = expect;
  // A run that did something else than the test says is no success, whatever else is expected.
  const wanted = status ?? (error === undefined ? "completed" : "failed");
  if (wanted !== run.status) {
    found.push({ at: "status", expected: wanted, actual: run.status, ...because(run) });
  }
  found.push(...inTime(expect, facts), ...ofRun(expect, run, facts), ...bySteps(expect, facts));
  return found;
}

/** Why a run is in the status that nobody expected. */
function because(run: Run): { message?: string } {
  if (run.error) {
    const { step_id, message } = run.error;
    return { message: step_id === undefined ? message : `${step_id}: ${message}` };
  }
  const waiting = waitingFor(run).map(({ step_id, signal }) =>
    signal === undefined
      ? `${step_id} waits for a person: answers: { ${step_id}: { approved: true } }`
      : `${step_id} waits for a signal: signals: [{ name: ${signal} }]`,
  );
  return waiting.length === 0 ? {} : { message: waiting.join("; ") };
}

function inTime({ elapsed_ms }: Expected, { elapsed }: Facts): Difference[] {
  if (elapsed_ms === undefined || elapsed_ms === elapsed) return [];
  return [{ at: "elapsed", expected: durationText(elapsed_ms), actual: durationText(elapsed) }];
}

function ofRun(expect: Expected, run: Run, facts: Facts): Difference[] {
  const found: Difference[] = [];
  const { path, error, outputs } = expect;
  if (path !== undefined && !equal(path, facts.path)) {
    found.push({ at: "path", expected: path, actual: facts.path });
  }
  // Of a run that did not fail, its status says it all.
  if (error !== undefined && (run.error !== null || expect.status === run.status)) {
    const { message, ...rest } = error;
    const actual = run.error as unknown as Json;
    found.push(...subset("error", rest, actual));
    const said = run.error?.message;
    if (typeof message === "string" && said !== undefined && !said.includes(message)) {
      found.push({ at: "error.message", expected: message, actual: said });
    }
  }
  if (outputs !== undefined) found.push(...subset("outputs", outputs, run.output));
  return found;
}

function bySteps(expect: Expected, facts: Facts): Difference[] {
  const found: Difference[] = [];
  for (const [address, expected] of Object.entries(expect.attempts ?? {})) {
    const actual = facts.attempts(address);
    if (actual !== expected) found.push({ at: `attempts.${address}`, expected, actual });
  }
  found.push(
    ...each("steps", expect.steps, (address) => facts.instances(address) as unknown as Json[]),
    ...each("calls", expect.calls, (address) => facts.calls(address).map(({ config }) => config)),
  );
  return found;
}

/** A list must have as many entries as there are; one must hold for each, and there must be one. */
function each(
  what: string,
  expected: ByAddress<JsonObject> | undefined,
  actualOf: (address: string) => Json[],
): Difference[] {
  return Object.entries(expected ?? {}).flatMap(([address, wanted]) => {
    const actual = actualOf(address);
    const at = `${what}.${address}`;
    if (Array.isArray(wanted)) {
      if (wanted.length !== actual.length) {
        const counts = { expected: wanted.length, actual: actual.length };
        return [{ at, ...counts, message: `how many ${what === "calls" ? "calls" : "instances"}` }];
      }
      return wanted.flatMap((one, index) => subset(`${at}[${index}]`, one, actual[index]));
    }
    if (actual.length === 0) return [{ at, expected: wanted, message: NEVER }];
    const single = actual.length === 1;
    return actual.flatMap((one, index) => subset(single ? at : `${at}[${index}]`, wanted, one));
  });
}

const NEVER = "the run did not get there";

/** Of mappings, the keys that are named; lists in full, entry by entry. */
function subset(at: string, expected: Json, actual: Json | undefined): Difference[] {
  if (isObject(expected) && actual !== undefined && isObject(actual)) {
    return Object.entries(expected).flatMap(([key, value]) =>
      subset(`${at}.${key}`, value, Object.hasOwn(actual, key) ? actual[key] : undefined),
    );
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((value, index) => subset(`${at}[${index}]`, value, actual[index]));
  }
  if (actual !== undefined && equal(expected, actual)) return [];
  return [{ at, expected, ...(actual === undefined ? {} : { actual }) }];
}

function isObject(value: Json): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function equal(a: Json, b: Json): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

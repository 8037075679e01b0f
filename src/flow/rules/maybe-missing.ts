// Reads of steps that may not have run, or may have no output, on some way to the reader.

import { Facts, type Known } from "../facts.js";
import { get, type StepModel, stepsOf } from "../model.js";
import { placeInScalar } from "../scalar-text.js";
import { isVisible, type Use } from "../uses.js";
import type { Rule, Subject } from "./rule.js";

export const maybeMissing: Rule = {
  name: "maybe-missing",
  says: "A step is read only where it has run on every way, or behind a guard.",
  kinds: ["maybe-missing"],
  after: ["step-ref", "duplicate-id", "missing-key", "type", "step-type"],
  check(subject) {
    if (!subject.uses.some(({ checked }) => checked.reads.length > 0)) {
      return;
    }
    const facts = new Facts(subject.body);
    const byId = new Map([...stepsOf(subject.body)].map((step) => [step.id, step]));
    for (const use of subject.uses) {
      checkUse(subject, use, facts, byId);
    }
  },
};

function checkUse(
  subject: Subject,
  use: Use,
  facts: Facts,
  byId: ReadonlyMap<string, StepModel>,
): void {
  // An output of the run whose step has not run is null, by definition.
  if (use.step === undefined) {
    return;
  }
  const known = use.role === "collect" ? facts.atEnd(use.body) : facts.before(use.step);
  for (const read of use.checked.reads) {
    const why = read.guarded ? undefined : missing(read.root, read.path, use, known, byId);
    if (why !== undefined) {
      const place = placeInScalar(subject.text, use.node, read.start, read.end);
      subject.findings.add("maybe-missing", place, why.message, why.suggestion);
    }
  }
}

function missing(
  root: string,
  path: readonly string[],
  use: Use,
  known: Known,
  byId: ReadonlyMap<string, StepModel>,
): { message: string; suggestion: string } | undefined {
  if (root === "error") {
    const always = use.role === "retry" || use.role === "on_error" || known.failed();
    const message = "nothing may have failed here, and then there is no error";
    return always ? undefined : { message, suggestion: "guard it: has(error.message) ? … : …" };
  }
  const [id = "", part, inside] = path;
  const step = root === "steps" ? byId.get(id) : undefined;
  if (step === undefined || !isVisible(step, use.body)) {
    return undefined;
  }
  const itself = step === use.step && (use.role === "retry" || use.role === "on_error");
  if (!known.visited(step) && !itself) {
    const message = `step "${id}" may not have run here`;
    return { message, suggestion: `guard it: has(steps.${id}) ? … : …` };
  }
  if (part !== "output" || inside === undefined) {
    return undefined;
  }
  const guard = `guard it: steps.${id}.output != null ? … : …`;
  if (!known.done(step)) {
    const message = `step "${id}" may have failed here, and its output is then null`;
    return { message, suggestion: guard };
  }
  if (step.node.entries?.has("if")) {
    const message = `step "${id}" may be skipped, and its output is then null`;
    return { message, suggestion: guard };
  }
  const onError = get(step.node, "on_error");
  if (onError?.entries?.has("continue") && get(onError, "output") === undefined) {
    const message = `step "${id}" may fail and go on, and its output is then null`;
    return { message, suggestion: "give its on_error an output" };
  }
  return undefined;
}

// Expressions: they are CEL, they fit the types of what they read, and of where they stand.

import { isReservedName, NOT_KEPT, nameOf } from "../expression/index.js";
import type { Findings } from "../findings.js";
import { get, type StepModel, stepsOf } from "../model.js";
import { placeInScalar } from "../scalar-text.js";
import { foreachesAround, isVisible, type Use } from "../uses.js";
import type { Rule, Subject } from "./rule.js";

export const expressions: Rule = {
  name: "expressions",
  says: "Every expression is valid, names what exists, and gives what its place wants.",
  kinds: ["expression", "expression-type", "regex", "cost", "constant-condition", "value"],
  after: ["duplicate-id"],
  check(subject) {
    const byId = new Map([...stepsOf(subject.body)].map((step) => [step.id, step]));
    for (const use of subject.uses) {
      const hidden = checkVisible(subject, use, byId);
      if (use.role !== "trigger") {
        checkKept(subject, use);
      }
      for (const finding of use.checked.findings) {
        if (!hidden.some(({ start, end }) => finding.start < end && start < finding.end)) {
          const place = placeInScalar(subject.text, use.node, finding.start, finding.end);
          subject.findings.add(finding.kind, place, finding.message, finding.suggestion);
        }
      }
      if (use.misfit !== undefined) {
        const message = `must be ${nameOf(use.misfit)}, but it gives ${nameOf(use.checked.type)}`;
        subject.findings.add("expression-type", use.node, message);
      }
    }
    for (const step of stepsOf(subject.body)) {
      checkConstant(subject.findings, step);
      checkItemName(subject.findings, step);
    }
  },
};

/** Steps inside a foreach run once an item: from outside, there is no one of them to read. */
function checkVisible(subject: Subject, use: Use, byId: ReadonlyMap<string, StepModel>) {
  return use.checked.reads.filter(({ root, path, start, end }) => {
    const step = root === "steps" ? byId.get(path[0] ?? "") : undefined;
    if (step === undefined || isVisible(step, use.body)) {
      return false;
    }
    const place = placeInScalar(subject.text, use.node, start, end);
    const message = `step "${step.id}" is inside ${step.body.name} and runs once for each item`;
    const outer = [...foreachesAround(step.body)].at(-1)?.id ?? "";
    const suggestion = `collect its output, and read steps.${outer}.output.results`;
    subject.findings.add("step-ref", place, message, suggestion);
    return true;
  });
}

/** A run keeps of its trigger what is small; the rest is for the trigger's own context. */
function checkKept(subject: Subject, use: Use): void {
  for (const { root, path, start, end } of use.checked.reads) {
    const [name = ""] = root === "trigger" ? path : [];
    if (NOT_KEPT.has(name)) {
      const place = placeInScalar(subject.text, use.node, start, end);
      const message = `trigger.${name} is not kept with the run`;
      const suggestion = "read it in the trigger's context, and here what that makes of it";
      subject.findings.add("expression", place, message, suggestion);
    }
  }
}

function checkConstant(findings: Findings, step: StepModel): void {
  const condition = get(step.node, "if");
  if (typeof condition?.json === "boolean") {
    const outcome = condition.json ? "always runs" : "never runs";
    const message = `the condition is always ${condition.json}: the step ${outcome}`;
    findings.add("constant-condition", condition, message);
  }
}

function checkItemName(findings: Findings, step: StepModel): void {
  const as = step.type === "foreach" ? get(get(step.node, "config"), "as") : undefined;
  const name = as?.json;
  if (as === undefined || typeof name !== "string") {
    return;
  }
  if (isReservedName(name)) {
    findings.add("value", as, `"${name}" already means something in expressions`);
  }
  const outer = foreachesAround(step.body).find((around) => itemName(around) === name);
  if (outer !== undefined) {
    findings.add("value", as, `"${name}" is already the item of foreach "${outer.id}"`);
  }
}

export function itemName(foreach: StepModel): string {
  const as = get(get(foreach.node, "config"), "as")?.json;
  return typeof as === "string" ? as : "item";
}

// References to steps: whoever names a step names one of its own body.

import type { Place } from "../findings.js";
import { didYouMean } from "../mistakes.js";
import { type BodyModel, bodiesOf, stepsOf } from "../model.js";
import type { Rule, Subject } from "./rule.js";

export const stepRef: Rule = {
  name: "step-ref",
  says: "next_step_id, entry_point and on_error name steps of their own body.",
  kinds: ["step-ref"],
  after: ["duplicate-id"],
  check(subject) {
    for (const body of bodiesOf(subject.body)) {
      if (body.broken || body.steps.length === 0) {
        continue;
      }
      if (body.entryPoint !== undefined) {
        refer(subject, body, body.entryPoint.to, body.entryPoint.place);
      }
      if (body.onError !== undefined) {
        refer(subject, body, body.onError.to, body.onError.place);
      }
      for (const step of body.steps) {
        for (const edge of step.edges) {
          if (edge.to !== null && edge.kind !== "fall") {
            refer(subject, body, edge.to, edge.place);
          }
        }
      }
    }
  },
};

function refer(subject: Subject, body: BodyModel, id: string, place: Place): void {
  if (body.byId.has(id) || subject.findings.isFull) {
    return;
  }
  const elsewhere = [...stepsOf(subject.body)].find((step) => step.id === id);
  if (elsewhere !== undefined) {
    const message = `step "${id}" is in ${elsewhere.body.name}; jumps stay inside their body`;
    subject.findings.add("step-ref", place, message);
    return;
  }
  const inside = body.parent === undefined ? "" : ` in ${body.name}`;
  const message = `there is no step "${id}"${inside}`;
  subject.findings.add("step-ref", place, message, didYouMean(id, body.byId.keys()));
}

// Reachability: every step can be reached, and no one falls into another's target by accident.

import { type BodyModel, bodiesOf, type StepModel } from "../model.js";
import type { Rule } from "./rule.js";

export const unreachable: Rule = {
  name: "unreachable",
  says: "Every step can be reached from the entry of its body.",
  kinds: ["unreachable"],
  after: ["step-ref", "duplicate-id", "missing-key", "type", "step-type"],
  check({ body, findings }) {
    for (const each of bodiesOf(body)) {
      const reached = reachable(each);
      for (const step of each.steps) {
        if (!reached.has(step)) {
          const message = `no way leads to step "${step.id}"`;
          findings.add("unreachable", step.place, message);
        }
      }
    }
  },
};

export const fallThrough: Rule = {
  name: "fall-through",
  says: "A step without next_step_id is not followed by a step that others jump to.",
  kinds: ["fall-through"],
  after: ["step-ref", "duplicate-id", "missing-key", "type", "step-type"],
  check({ body, findings }) {
    for (const each of bodiesOf(body)) {
      for (const step of each.steps) {
        const fall = step.edges.find(({ kind }) => kind === "fall");
        const jumper = fall === undefined ? undefined : jumperTo(fall.to, step, each);
        if (jumper !== undefined) {
          const message = `"${step.id}" falls through into "${fall?.to}", which ${jumper} jumps to`;
          const suggestion = `write next_step_id: ${fall?.to}, or null to end here`;
          findings.add("fall-through", step.place, message, suggestion);
        }
      }
    }
  },
};

/** The steps that some way from the entry leads to; a failure may happen in any of them. */
export function reachable(body: BodyModel): ReadonlySet<StepModel> {
  const reached = new Set<StepModel>();
  const open = [body.entry, body.byId.get(body.onError?.to ?? "")];
  while (open.length > 0) {
    const step = open.pop();
    if (step !== undefined && !reached.has(step)) {
      reached.add(step);
      open.push(...step.edges.map(({ to }) => body.byId.get(to ?? "")));
    }
  }
  return reached;
}

function jumperTo(id: string | null, from: StepModel, body: BodyModel): string | undefined {
  if (id === null) {
    return undefined;
  }
  if (body.onError?.to === id) {
    return "on_error";
  }
  const jumper = body.steps.find(
    (step) => step !== from && step.edges.some(({ kind, to }) => kind !== "fall" && to === id),
  );
  return jumper === undefined ? undefined : `"${jumper.id}"`;
}

// Loops: each has a way out, and waits somewhere.

import { type BodyModel, bodiesOf, type Edge, type StepModel, stepsOf } from "../model.js";
import { reachable } from "./reach.js";
import type { Rule } from "./rule.js";

export const loops: Rule = {
  name: "loops",
  says: "Every loop has a way out, and a step that waits.",
  kinds: ["endless-loop", "busy-loop"],
  after: ["step-ref", "duplicate-id", "missing-key", "type", "step-type"],
  check({ body, findings }) {
    for (const each of bodiesOf(body)) {
      const steps = [...reachable(each)];
      const endless = new Set<StepModel>();
      for (const loop of loopsAmong(steps, each)) {
        if (!hasExit(loop)) {
          const edge = backEdge(loop);
          const message = `the loop ${path(loop)} has no way out`;
          findings.add("endless-loop", edge.place, message, "add a branch that leaves it");
          for (const step of loop) {
            endless.add(step);
          }
        }
      }
      const busy = steps.filter((step) => !waits(step) && !endless.has(step));
      for (const loop of loopsAmong(busy, each)) {
        const message = `the loop ${path(loop)} never waits`;
        findings.add("busy-loop", backEdge(loop).place, message, "add a delay step to it");
      }
    }
  },
};

const WAITING: ReadonlySet<string> = new Set(["delay", "wait", "approval", "workflow"]);

function waits(step: StepModel): boolean {
  return (
    WAITING.has(step.type) ||
    step.bodies.some((body) => [...stepsOf(body)].some(({ type }) => WAITING.has(type)))
  );
}

/** A way to the body's end, or to a step outside. */
function hasExit(loop: ReadonlySet<StepModel>): boolean {
  return [...loop].some(({ edges, body }) =>
    edges.some(({ to }) => to === null || !loop.has(body.byId.get(to) as StepModel)),
  );
}

/** The edge that closes the loop: the one that leads back the farthest. */
function backEdge(loop: ReadonlySet<StepModel>): Edge {
  const edges = [...loop].flatMap((step) =>
    step.edges.flatMap((edge) => {
      const target = step.body.byId.get(edge.to ?? "");
      return target !== undefined && loop.has(target)
        ? [{ edge, back: step.index - target.index }]
        : [];
    }),
  );
  edges.sort((a, b) => b.back - a.back);
  const [first] = edges;
  if (first === undefined) {
    throw new Error("a loop has an edge inside");
  }
  return first.edge;
}

function path(loop: ReadonlySet<StepModel>): string {
  const ids = [...loop].sort((a, b) => a.index - b.index).map(({ id }) => `"${id}"`);
  const shown = ids.length > 6 ? [...ids.slice(0, 5), "…"] : ids;
  return [...shown, ids[0]].join(" → ");
}

/**
 * Sets of steps that all lead to each other, a step that leads to itself included: Tarjan's
 * algorithm with a stack of its own, since a file may chain a thousand steps.
 */
function loopsAmong(steps: readonly StepModel[], body: BodyModel): ReadonlySet<StepModel>[] {
  const among = new Set(steps);
  const targets = (step: StepModel) =>
    step.edges
      .map(({ to }) => body.byId.get(to ?? ""))
      .filter((target) => target !== undefined && among.has(target)) as StepModel[];
  const order = new Map<StepModel, number>();
  const low = new Map<StepModel, number>();
  const stack: StepModel[] = [];
  const onStack = new Set<StepModel>();
  const found: ReadonlySet<StepModel>[] = [];
  for (const root of [...steps].sort((a, b) => a.index - b.index)) {
    const open = order.has(root) ? [] : [{ step: root, rest: targets(root) }];
    while (open.length > 0) {
      const { step, rest } = open[open.length - 1] as (typeof open)[number];
      if (!order.has(step)) {
        order.set(step, order.size);
        low.set(step, order.size - 1);
        stack.push(step);
        onStack.add(step);
      }
      const next = rest.pop();
      if (next === undefined) {
        open.pop();
        close(step, open.at(-1)?.step);
      } else if (!order.has(next)) {
        open.push({ step: next, rest: targets(next) });
      } else if (onStack.has(next)) {
        low.set(step, Math.min(low.get(step) ?? 0, order.get(next) ?? 0));
      }
    }
  }
  return found;

  function close(step: StepModel, parent: StepModel | undefined): void {
    if (low.get(step) === order.get(step)) {
      const members = new Set(stack.splice(stack.indexOf(step)));
      for (const member of members) {
        onStack.delete(member);
      }
      if (members.size > 1 || targets(step).includes(step)) {
        found.push(members);
      }
    }
    if (parent !== undefined) {
      low.set(parent, Math.min(low.get(parent) ?? 0, low.get(step) ?? 0));
    }
  }
}

// Workflows drawn from a seeded PRNG: chains of steps with every feature that the engine executes.

import type { Answer } from "../../src/engine/simulate.js";
import type { Step, Workflow } from "../../src/flow/workflow.js";
import { workflow } from "./support.js";

type Chance = () => number;

export function drawWorkflow(chance: Chance): Workflow {
  const count = 1 + Math.floor(chance() * 5);
  const ids = Array.from({ length: count }, (_, index) => `s${index}`);
  const steps = ids.map((id, index) => drawStep(id, index, ids, chance));
  return workflow(steps, {
    max_steps: 12,
    ...(chance() < 0.2 ? { timeout_ms: 20_000 } : {}),
    ...(chance() < 0.3 ? { on_error: { next_step_id: pick(ids, chance) } } : {}),
  });
}

function drawStep(id: string, index: number, ids: string[], chance: Chance) {
  const step: Partial<Step> & { id: string } = { id };
  if (chance() < 0.3) {
    step.type = "delay";
    step.config = { seconds: Math.floor(chance() * 4) };
  }
  if (chance() < 0.25) step.next_step_id = chance() < 0.3 ? null : pick(ids, chance);
  else step.next_step_id = ids[index + 1] ?? null;
  if (chance() < 0.4) step.retry = drawRetry(chance);
  if (chance() < 0.3) {
    const target = { next_step_id: pick(ids, chance) };
    step.on_error = chance() < 0.5 ? target : { continue: true, output: "given up" };
  }
  if (chance() < 0.2) step.delivery = "at_most_once";
  step.timeout_ms = 3000;
  return step;
}

function drawRetry(chance: Chance) {
  return {
    max_attempts: 1 + Math.floor(chance() * 3),
    delay_ms: Math.floor(chance() * 2000),
    backoff: pick(["constant", "linear", "exponential"] as const, chance),
    max_delay_ms: 3000,
    jitter: chance() < 0.5 ? 0 : 0.5,
  };
}

/** Mostly outputs, some failures, some answers that come after the time-out. */
export function drawAnswer(chance: Chance): Answer {
  const after_ms = Math.floor(chance() * (chance() < 0.1 ? 6000 : 800));
  if (chance() < 0.7) return { after_ms, outcome: { type: "output", output: after_ms } };
  const error = { kind: "network", message: "refused" };
  return { after_ms, outcome: { type: "failure", error } };
}

export function pick<T>(items: readonly T[], chance: Chance): T {
  return items[Math.floor(chance() * items.length)] as T;
}

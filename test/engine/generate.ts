// Workflows drawn from a seeded PRNG: bodies in bodies, with every construct the engine executes.

import type { Answer } from "../../src/engine/simulate.js";
import type { JsonObject } from "../../src/flow/json.js";
import type { Body, Concurrency, Step, Workflow } from "../../src/flow/workflow.js";

type Chance = () => number;

const MORE = "${{ context.n + 1.0 }}";
/** No run has it: the step fails. */
const MISSING = "${{ context.missing }}";

/** `child`: the id of a workflow that steps may start runs of. */
export function drawWorkflow(chance: Chance, id = "flow", child?: string): Workflow {
  const body = new Draw(chance, child).body(child ? 2 : 1, child ? 5 : 3);
  const ids = body.steps.map((step) => step.id);
  return {
    id,
    name: "Flow",
    ...body,
    ...(chance() < 0.3 ? { concurrency: drawConcurrency(chance) } : {}),
    max_steps: pick([12, 40], chance),
    ...(chance() < 0.2 ? { timeout_ms: 20_000 } : {}),
    ...(chance() < 0.3 ? { on_error: { next_step_id: pick(ids, chance) } } : {}),
    ...(chance() < 0.3 ? { outputs: { made_by: "${{ run.id }}" } } : {}),
  };
}

function drawConcurrency(chance: Chance): Concurrency {
  const on_conflict = pick(["queue", "skip", "cancel_running"] as const, chance);
  // A child never shares its parent's group: a parent would wait for one that waits for it.
  return {
    group: "group of ${{ workflow.id }}",
    limit: pick([1, 2], chance),
    on_conflict,
  };
}

class Draw {
  #steps = 0;

  constructor(
    readonly chance: Chance,
    readonly child?: string,
  ) {}

  body(depth: number, most: number): Body {
    const count = 1 + Math.floor(this.chance() * most);
    const ids = Array.from({ length: count }, () => `s${this.#steps++}`);
    const steps = ids.map((id, index) => this.step(id, index, ids, depth));
    return { entry_point: ids[0] ?? "", steps };
  }

  step(id: string, index: number, ids: string[], depth: number): Step {
    const { chance } = this;
    const [type, config] = this.#work(ids, depth);
    const next = ids[index + 1] ?? null;
    const jump = chance() < 0.2 ? (chance() < 0.3 ? null : pick(ids, chance)) : next;
    const step: Step = { id, type, config, next_step_id: type === "fail" ? null : jump };
    const mayFail = type === "webhook" || type === "workflow";
    if (mayFail && chance() < 0.4) step.retry = drawRetry(chance);
    if (chance() < 0.3) {
      const target = { next_step_id: pick(ids, chance) };
      step.on_error = chance() < 0.5 ? target : { continue: true, output: "given up" };
    }
    if (chance() < 0.15) step.if = pick(["true", "false", "context.n > 1.0"], chance);
    if (type === "webhook" && chance() < 0.2) step.delivery = "at_most_once";
    if (type === "webhook" && chance() < 0.1) step.output = { type: "number", maximum: 600 };
    const waits = type === "approval" || type === "wait" || type === "workflow";
    if (type === "webhook" || (waits && chance() < 0.5)) step.timeout_ms = 3000;
    return step;
  }

  #work(ids: string[], depth: number): [string, JsonObject] {
    const { chance } = this;
    const draw = chance();
    if (this.child && draw < 0.1) {
      const context = { n: "${{ context.n }}" };
      return ["workflow", { workflow_id: this.child, context, await: chance() < 0.7 }];
    }
    if (draw < 0.45) return ["webhook", { url: "http://127.0.0.1/", body: "${{ context.n }}" }];
    if (draw < 0.58) return ["delay", { seconds: Math.floor(chance() * 4) }];
    if (draw < 0.64) return ["set", { values: { n: chance() < 0.9 ? MORE : MISSING } }];
    if (draw < 0.68) return ["approval", { message: "go on?", on_timeout: this.#policy() }];
    if (draw < 0.72) return ["wait", { signal: pick(["red", "green"], chance) }];
    if (draw < 0.76) return ["fail", { message: "enough of ${{ context.n }}" }];
    if (draw < 0.82 || depth === 0) return ["branch", { cases: this.#cases(ids) }];
    return draw < 0.91 ? ["foreach", this.#foreach(depth)] : ["parallel", this.#parallel(depth)];
  }

  #policy(): string {
    return pick(["approve", "reject", "fail"], this.chance);
  }

  #cases(ids: string[]): JsonObject[] {
    const when = pick(["context.n > 1.0", "context.n == 0.0"], this.chance);
    return [{ when, next_step_id: pick([...ids, null], this.chance) }];
  }

  #foreach(depth: number): JsonObject {
    const list = Array.from({ length: Math.floor(this.chance() * 4) }, (_, n) => n);
    const items = this.chance() < 0.95 ? list : "${{ context.n }}";
    const max_parallel = pick([1, 2], this.chance);
    const as = `item${depth}`;
    const body = this.body(depth - 1, 2) as unknown as JsonObject;
    return { items, as, max_parallel, collect: `\${{ ${as} }}`, ...body };
  }

  #parallel(depth: number): JsonObject {
    const branches = { left: this.body(depth - 1, 2), right: this.body(depth - 1, 2) };
    return { branches: branches as unknown as JsonObject };
  }
}

function drawRetry(chance: Chance) {
  return {
    max_attempts: 1 + Math.floor(chance() * 3),
    delay_ms: Math.floor(chance() * 2000),
    backoff: pick(["constant", "linear", "exponential"] as const, chance),
    max_delay_ms: 3000,
    jitter: chance() < 0.5 ? 0 : 0.5,
    ...(chance() < 0.3 ? { when: 'error.kind == "network"' } : {}),
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

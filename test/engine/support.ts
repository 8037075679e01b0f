// What the engine's tests share: small workflows, and a run driven by commands alone.

import type { Command } from "../../src/engine/command.js";
import { isRefusal } from "../../src/engine/command.js";
import { decide } from "../../src/engine/decide.js";
import type { Event } from "../../src/engine/event.js";
import type { Run } from "../../src/engine/run.js";
import type { JsonObject } from "../../src/flow/json.js";
import type { Step, Workflow } from "../../src/flow/workflow.js";

export const T0 = Date.parse("2026-01-01T00:00:00.000Z");
export const RUN = "run_00000000000000000000000001";

export function workflow(steps: (Partial<Step> & { id: string })[], more: object = {}): Workflow {
  const filled = steps.map((step, index) => ({
    type: "webhook",
    config: step.type === "delay" ? { seconds: 2 } : { url: `http://127.0.0.1/${step.id}` },
    next_step_id: steps[index + 1]?.id ?? null,
    ...step,
  }));
  const entry_point = filled[0]?.id ?? "";
  return { id: "flow", name: "Flow", max_steps: 100, entry_point, steps: filled, ...more };
}

export type Drawn = Partial<Step> & { id: string };

/** A body in normal form, as it stands in a foreach's config or a parallel's branch. */
function body(steps: Drawn[]): JsonObject {
  const { entry_point, steps: filled } = workflow(steps);
  return { entry_point, steps: filled as unknown as JsonObject[] };
}

export function foreach(id: string, items: unknown, steps: Drawn[], more: JsonObject = {}): Drawn {
  const config = { items, as: "it", max_parallel: 1, ...more, ...body(steps) } as JsonObject;
  return { id, type: "foreach", config };
}

export function parallel(id: string, branches: { [name: string]: Drawn[] }): Drawn {
  const bodies = Object.entries(branches).map(([name, steps]) => [name, body(steps)]);
  return { id, type: "parallel", config: { branches: Object.fromEntries(bodies) } };
}

export const RETRY = {
  max_attempts: 3,
  delay_ms: 1000,
  backoff: "exponential",
  max_delay_ms: 60_000,
  jitter: 0,
} as const;

export const reminder = workflow([{ id: "delay_step", type: "delay" }, { id: "send_reminder" }]);

type Wish = Command extends infer C
  ? C extends Command
    ? Omit<C, "run_id" | "at">
    : never
  : never;

export const start = {
  type: "start",
  workflow_version: "v1",
  context: {},
  trigger: manual(),
} as const;

function manual(): { type: "manual" } {
  return { type: "manual" };
}

export function due(key: string, attempt = 1): Wish {
  return { type: "report", key, attempt, outcome: { type: "due" }, chance: 0.5 };
}

export function output(key: string, value = "ok", attempt = 1): Wish {
  return { type: "report", key, attempt, outcome: { type: "output", output: value }, chance: 0.5 };
}

export function failure(key: string, attempt = 1, kind = "network", chance = 0.5): Wish {
  const error = { kind, message: "no answer" };
  return { type: "report", key, attempt, outcome: { type: "failure", error }, chance };
}

/** Applies wishes one second apart; each must be accepted. */
export function given(flow: Workflow, ...wishes: Wish[]): Given {
  return new Given(flow).and(...wishes);
}

export class Given {
  run: Run | null = null;
  events: Event[] = [];
  now = T0;

  constructor(readonly flow: Workflow) {}

  and(...wishes: Wish[]): this {
    for (const wish of wishes) {
      const answer = this.when(wish);
      if (typeof answer === "string") throw new Error(answer);
    }
    return this;
  }

  /** The new events as short lines, or the refusal as `kind: sentence`. */
  when(wish: Wish): string[] | string {
    const command = { ...wish, run_id: RUN, at: this.now } as Command;
    const decided = decide(this.flow, this.run, command);
    this.now += 1000;
    if (isRefusal(decided)) return `${decided.refused}: ${decided.message}`;
    this.run = decided.run;
    this.events.push(...decided.decision.events);
    return decided.decision.events.map(line);
  }

  get state(): Run {
    if (!this.run) throw new Error("the run was not started");
    return this.run;
  }
}

/** `step_started send#0 attempt 2`; times are relative to T0 in seconds. */
function line(event: Event): string {
  const words: string[] = [event.type];
  if ("key" in event) words.push(event.key);
  if ("attempt" in event) words.push(`attempt ${event.attempt}`);
  if ("until" in event && event.until) words.push(`until ${seconds(event.until)}`);
  if ("deadline_at" in event && event.deadline_at) words.push(`by ${seconds(event.deadline_at)}`);
  if ("handled" in event && event.handled) words.push(`handled by ${event.handled}`);
  if ("error" in event) words.push(event.error.kind);
  if ("output" in event && event.output !== null) words.push(JSON.stringify(event.output));
  return words.join(" ");
}

function seconds(iso: string): string {
  return `${(Date.parse(iso) - T0) / 1000}s`;
}

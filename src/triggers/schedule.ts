// The `schedule` trigger: which firings a workflow has, and what each of them starts.

import type { Refusal } from "../engine/command.js";
import { Heap } from "../engine/heap.js";
import type { TriggerRequest } from "../engine/runner.js";
import { nextFiring } from "../flow/cron.js";
import type { ScheduleTrigger, Workflow } from "../flow/workflow.js";
import { type Served, startOf } from "./start.js";

/** One schedule of one workflow. */
export interface Schedule {
  workflow_id: string;
  trigger: ScheduleTrigger;
  /** The same as long as the line and the zone are: `0 9 * * 1-5 Europe/Paris`. */
  name: string;
}

export function schedulesOf({ id, triggers = [] }: Workflow): Schedule[] {
  const seen = new Map<string, number>();
  return triggers.flatMap((trigger): Schedule[] => {
    if (trigger.type !== "schedule") return [];
    const line = `${trigger.cron.trim().replace(/\s+/g, " ")} ${trigger.timezone}`;
    const count = (seen.get(line) ?? 0) + 1;
    seen.set(line, count);
    // Two of one line, with other contexts, are two schedules.
    const name = count === 1 ? line : `${line} ${count}`;
    return [{ workflow_id: id, trigger, name }];
  });
}

/** What a firing starts. Told twice, it still starts one run. */
export function scheduledStart(
  served: Served,
  { trigger, name }: Schedule,
  at: number,
): TriggerRequest | Refusal {
  const scheduled_at = new Date(at).toISOString();
  const { cron, timezone } = trigger;
  const kept = { type: "schedule", scheduled_at, cron, timezone } as const;
  return startOf(served, {
    name: `schedule "${cron}"`,
    context: trigger.context ?? {},
    values: kept,
    kept,
    // With blanks: no client can send such a key, so none takes a firing's place.
    key: `schedule ${name} ${scheduled_at}`,
  });
}

/** One row of a listing. */
export interface Firing {
  /** ISO, UTC. */
  at: string;
  workflow_id: string;
  cron: string;
  timezone: string;
}

/** Every firing from `from` on and before `to`, in order; at most `limit`. */
export function firingsBetween(
  workflows: readonly Workflow[],
  from: number,
  to: number,
  limit: number,
): { firings: Firing[]; is_cut: boolean } {
  const firings: Firing[] = [];
  const due = new Heap<Schedule>();
  const push = (schedule: Schedule, after: number): void => {
    const next = nextFiring(schedule.trigger, after);
    if (next !== null && next < to) due.push(next, schedule);
  };
  for (const schedule of workflows.flatMap(schedulesOf)) push(schedule, from - 1);
  for (;;) {
    const at = due.least;
    const schedule = due.pop();
    if (at === undefined || schedule === undefined) return { firings, is_cut: false };
    if (firings.length === limit) return { firings, is_cut: true };
    const { workflow_id, trigger } = schedule;
    const { cron, timezone } = trigger;
    firings.push({ at: new Date(at).toISOString(), workflow_id, cron, timezone });
    push(schedule, at);
  }
}

// The clockwork: fires every schedule when its time comes, once, also across crashes, downtimes and
// clocks that jump. It reads no clock and writes no disk; its ports do.

import { isRefusal, type Refusal } from "../engine/command.js";
import type { Triggered, TriggerRequest } from "../engine/runner.js";
import { lastFiring, nextFiring } from "../flow/cron.js";
import { SCHEDULE_GRACE_MS, SCHEDULE_RETRY_MS } from "../limits.js";
import type { Mark, Marks } from "./marks.js";
import { type Schedule, scheduledStart, schedulesOf } from "./schedule.js";
import { refusalText, type Served } from "./start.js";

export interface ClockworkPorts {
  /** ms since 1970. */
  now(): number;
  /** Calls back at `until` (ms) or after it. The answer forgets it. */
  wait(until: number, due: () => void): () => void;
  /** Resolves once the run is on disk, or refused. The same key starts one run. */
  start(request: TriggerRequest): Promise<Triggered | Refusal>;
  marks: Marks;
  /** For people: what was left out or refused. */
  tell(workflowId: string, message: string): void;
}

interface Entry {
  served: Served;
  schedule: Schedule;
  /** A firing is being started: the next look follows it. */
  isStarting: boolean;
  forget: () => void;
}

export class Clockwork {
  readonly #entries = new Map<string, Entry>();
  #isStopped = false;
  /** ms: what the clock has said last. */
  #latest = 0;

  constructor(readonly ports: ClockworkPorts) {}

  /** Fires these workflows' schedules from now on, and no others. */
  follow(workflows: Iterable<Served>): void {
    if (this.#isStopped) return;
    const wanted = new Map<string, Pick<Entry, "served" | "schedule">>();
    for (const served of workflows) {
      for (const schedule of schedulesOf(served.workflow)) {
        wanted.set(keyOf(schedule), { served, schedule });
      }
    }
    for (const [key, entry] of this.#entries) {
      if (wanted.has(key)) continue;
      entry.forget();
      this.#entries.delete(key);
    }
    this.ports.marks.keep("schedule", new Set(wanted.keys()));
    for (const [key, { served, schedule }] of wanted) this.#add(key, served, schedule);
  }

  /** To be called now and then: what waits for a time is of no use when the clock was set back. */
  checkClock(): void {
    const now = this.ports.now();
    if (now < this.#latest) {
      for (const [key, entry] of this.#entries) {
        entry.forget();
        this.#look(key, entry);
      }
    }
    this.#latest = now;
  }

  stop(): void {
    this.#isStopped = true;
    for (const { forget } of this.#entries.values()) forget();
    this.#entries.clear();
  }

  #add(key: string, served: Served, schedule: Schedule): void {
    const known = this.#entries.get(key);
    if (known !== undefined) {
      // Another context or another `missed`; its times are the same.
      known.served = served;
      known.schedule = schedule;
      return;
    }
    const { marks } = this.ports;
    // What is new has missed nothing.
    if (marks.get(key) === undefined) marks.set(key, { until: iso(this.ports.now()) });
    const entry: Entry = { served, schedule, isStarting: false, forget: () => {} };
    this.#entries.set(key, entry);
    this.#look(key, entry);
  }

  /** Starts what has come due since the mark: the last firing alone; then waits for the next. */
  #look(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry || entry.isStarting) return;
    const { ports } = this;
    const now = ports.now();
    const { trigger } = entry.schedule;
    const mark = ports.marks.get(key);
    const until = Math.min(Date.parse(mark?.until ?? iso(now)), now);
    // A clock that was set back is believed; what fired before is told apart by its key.
    if (mark && Date.parse(mark.until) > now) this.#mark(key, { ...mark, until: iso(now) });
    const due = lastFiring(trigger, now);
    if (due === null || due <= until) {
      const next = nextFiring(trigger, now);
      entry.forget = next === null ? () => {} : ports.wait(next, () => this.#look(key, entry));
    } else if (trigger.missed === "skip" && now - due > SCHEDULE_GRACE_MS) {
      const why = `The schedule "${trigger.cron}" missed its time ${iso(due)}, and skips it.`;
      ports.tell(entry.schedule.workflow_id, why);
      this.#mark(key, { until: iso(due) });
      this.#look(key, entry);
    } else {
      entry.isStarting = true;
      void this.#start(key, entry, due);
    }
  }

  async #start(key: string, entry: Entry, due: number): Promise<void> {
    const { ports } = this;
    const request = scheduledStart(entry.served, entry.schedule, due);
    const result = isRefusal(request) ? request : await ports.start(request);
    entry.isStarting = false;
    if (this.#isStopped) return;
    if (isRefusal(result)) {
      const { workflow_id, trigger } = entry.schedule;
      const message = refusalText(result);
      const what = `The schedule "${trigger.cron}" could not start the run of ${iso(due)}`;
      ports.tell(workflow_id, `${what}: ${message}`);
      const refused = { at: iso(due), message };
      if (result.refused === "busy") {
        const before = ports.marks.get(key)?.until ?? iso(due - 1);
        this.#mark(key, { until: before, refused });
        const again = ports.now() + SCHEDULE_RETRY_MS;
        entry.forget = ports.wait(again, () => this.#look(key, entry));
        return;
      }
      this.#mark(key, { until: iso(due), refused });
    } else {
      this.#mark(key, { until: iso(due) });
    }
    this.#look(key, entry);
  }

  /** What is gone has no mark any more. */
  #mark(key: string, mark: Mark): void {
    if (this.#entries.has(key)) this.ports.marks.set(key, mark);
  }
}

function keyOf({ workflow_id, name }: Schedule): string {
  return `schedule ${workflow_id} ${name}`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

// When a cron line fires, in its time zone: a function of the line and the time it is asked from.

import { Cron } from "croner";
import { MAX_CRON_LINES } from "../limits.js";
import { Cache } from "./expression/cache.js";

export interface CronLine {
  cron: string;
  /** An IANA name. */
  timezone: string;
}

/** ms: the first firing after `at`; null: there is none. Throws for what is no cron line. */
export function nextFiring(line: CronLine, at: number): number | null {
  return cronOf(line).nextRun(new Date(at))?.getTime() ?? null;
}

/** ms: the last firing at or before `at`; null: there is none. */
export function lastFiring(line: CronLine, at: number): number | null {
  return (
    cronOf(line)
      .previousRuns(1, new Date(at + 1))[0]
      ?.getTime() ?? null
  );
}

const lines = new Cache<Cron>(MAX_CRON_LINES);

/**
 * A line that names its hours and minutes keeps its place in the day: what falls into the hour that
 * is skipped in spring fires right after it, and what falls into the one that autumn repeats fires
 * once. A line with `*` or a step there goes by the hours that pass.
 */
function cronOf({ cron, timezone }: CronLine): Cron {
  return lines.get(`${timezone} ${cron}`, () => {
    return new Cron(cron, {
      timezone,
      paused: true,
      mode: "5-part",
      fixedTimeRule: "no-wildcard",
    });
  });
}

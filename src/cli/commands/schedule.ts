// `flows schedule`: every firing of every schedule between two times, from the flow files alone.

import { checkFolder } from "../../flow/check.js";
import { parseDuration } from "../../flow/duration.js";
import { DEFAULT_SCHEDULE_MS, MAX_LISTED_FIRINGS } from "../../limits.js";
import { type Firing, firingsBetween } from "../../triggers/schedule.js";
import { EXIT, type ExitCode } from "../exit.js";
import { findFlowFiles } from "../flow-files.js";
import { type Common, type Options, quoted, usage } from "../options.js";
import { stepTypes } from "../step-types.js";
import { table } from "../table.js";
import { moment } from "../words.js";

export async function schedule(common: Common, _: string[], options: Options): Promise<ExitCode> {
  const { output, flows } = common;
  const from = timeOf("--from", options.from as string | undefined, Date.now(), Date.now());
  const to = timeOf("--to", options.to as string | undefined, from, from + DEFAULT_SCHEDULE_MS);
  if (to <= from) throw usage("--to must be later than --from.");
  const found = await findFlowFiles([flows], common);
  const { catalog } = await stepTypes(flows, []);
  const checked = checkFolder(found.files, catalog);
  const workflows = checked.flatMap(({ workflow }) => workflow ?? []);
  const { firings, is_cut } = firingsBetween(workflows, from, to, MAX_LISTED_FIRINGS);
  const span = { from: iso(from), to: iso(to) };
  if (output.json) output.value({ ...span, is_cut, firings });
  else if (firings.length > 0) output.result(table(HEAD, firings.map(row), output.colors));
  else output.say(`Nothing fires between ${moment(span.from)} and ${moment(span.to)} UTC.`);
  if (is_cut) output.say(`There are more than ${MAX_LISTED_FIRINGS}: ask for a shorter time.`);
  const broken = found.diagnostics.length + checked.length - workflows.length;
  if (broken === 0) return EXIT.done;
  output.say("Some flow files have errors, and are left out: flows validate shows them.");
  return EXIT.failed;
}

const HEAD = ["TIME (UTC)", "WORKFLOW", "LOCAL TIME", "TIME ZONE", "CRON"];

function row({ at, workflow_id, timezone, cron }: Firing): string[] {
  return [moment(at), workflow_id, localTime(at, timezone), timezone, cron];
}

/** `Thu 2026-03-26 09:00` on the clocks of that zone; Swedes write times as they sort. */
function localTime(at: string, timezone: string): string {
  const time = new Date(at);
  const day = new Intl.DateTimeFormat("en", { timeZone: timezone, weekday: "short" }).format(time);
  const style = { dateStyle: "short", timeStyle: "short" } as const;
  return `${day} ${new Intl.DateTimeFormat("sv", { ...style, timeZone: timezone }).format(time)}`;
}

/** A date, a time with its offset, or a duration from `base` on. */
function timeOf(option: string, text: string | undefined, base: number, otherwise: number): number {
  if (text === undefined) return otherwise;
  const duration = parseDuration(text);
  if (duration !== undefined) return base + duration;
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const time = isTime ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const like = "2026-03-29, 2026-03-29T09:00Z, or a duration such as 7d";
  throw usage(`${option} wants a time like ${like}, not ${quoted(text)}.`);
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

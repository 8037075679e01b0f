// Schedules: the cron line can be read and comes due at some time, in a zone that exists.

import { nextFiring } from "../cron.js";
import type { Findings } from "../findings.js";
import { didYouMean, show } from "../mistakes.js";
import { get } from "../model.js";
import type { TextNode } from "../tree.js";
import type { Rule } from "./rule.js";

export const schedule: Rule = {
  name: "schedule",
  says: "A schedule comes due at some time, in a time zone that exists.",
  kinds: ["cron", "timezone"],
  after: [],
  check({ root, findings }) {
    for (const trigger of get(root, "triggers")?.items ?? []) {
      if (get(trigger, "type")?.json !== "schedule") {
        continue;
      }
      const timezone = get(trigger, "timezone");
      const known = timezone === undefined || checkTimezone(findings, timezone);
      const cron = get(trigger, "cron");
      if (typeof cron?.json === "string") {
        const zone = known && typeof timezone?.json === "string" ? timezone.json : "UTC";
        checkCron(findings, cron, cron.json, zone);
      }
    }
  },
};

/** From here on times are tried: a leap year, so that the 29th of February is soon. */
const FROM = Date.UTC(2024, 0, 1);

function checkCron(findings: Findings, node: TextNode, line: string, timezone: string): void {
  const fields = line.trim().split(/\s+/).length;
  if (fields !== 5) {
    const message = `a cron line has 5 fields (minute hour day month weekday), not ${fields}`;
    findings.add("cron", node, message);
    return;
  }
  try {
    if (nextFiring({ cron: line, timezone }, FROM) === null) {
      findings.add("cron", node, `${show(line)} never fires`);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `not a cron line: ${why.replace(/^CronPattern: /, "")}`;
    findings.add("cron", node, message);
  }
}

/** True: it exists, or is no text, which others say. */
function checkTimezone(findings: Findings, node: TextNode): boolean {
  const name = node.json;
  if (typeof name !== "string" || isTimezone(name)) {
    return true;
  }
  const message = `there is no time zone ${show(name)}; IANA names it as Europe/Paris or UTC`;
  findings.add("timezone", node, message, didYouMean(name, zones()));
  return false;
}

let known: ReadonlySet<string> | undefined;

/** The names that are written today; older ones that still mean them are found by trying. */
function zones(): ReadonlySet<string> {
  known ??= new Set(["UTC", ...Intl.supportedValuesOf("timeZone")]);
  return known;
}

function isTimezone(name: string): boolean {
  // An offset is no zone: it does not know summer time.
  if (zones().has(name) || !/^[A-Za-z]/.test(name)) {
    return zones().has(name);
  }
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

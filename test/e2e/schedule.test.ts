// Schedules through the built command: what was missed starts once, also when it is killed midway.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { place, serve } from "../cli/harness.js";

/** Due at midnight, UTC: never while this test runs, but for the marks that it writes. */
const NIGHTLY = `id: nightly
context:
  type: object
  required: [day]
  properties: { day: { type: string, format: date-time } }
triggers:
  - type: schedule
    cron: "0 0 * * *"
    context: { day: "\${{ trigger.scheduled_at }}" }
steps:
  - { id: nap, type: delay, config: { seconds: 1 } }
`;

const KEY = "schedule nightly 0 0 * * * UTC";
const MISSED = JSON.stringify({ [KEY]: { until: "2026-01-01T00:00:00.000Z" } });
const MIDNIGHT = `${new Date().toISOString().slice(0, 10)}T00:00:00.000Z`;

describe("given a schedule whose time was missed, when the server comes up", () => {
  it("then one run starts, goes on after kill -9, and is not started again", async () => {
    const here = await place({ "flows/nightly.yaml": NIGHTLY, ".workflows/triggers.json": MISSED });
    const marks = join(here.dir, ".workflows", "triggers.json");
    const first = await serve(here);
    const [started] = await runs(first.url, 1);
    first.child.kill("SIGKILL");
    await first.done;
    // As if it had been killed before it could mark what it had started.
    await writeFile(marks, MISSED);
    const second = await serve(here);
    const ended = await until(second.url, started?.id ?? "");
    expect(ended).toMatchObject({
      status: "completed",
      context: { day: MIDNIGHT },
      trigger: { type: "schedule", scheduled_at: MIDNIGHT, cron: "0 0 * * *", timezone: "UTC" },
    });
    expect(await runs(second.url, 1)).toHaveLength(1);
    const shown = await here.flows(["show", ended.id]);
    const time = MIDNIGHT.slice(0, 19).replace("T", " ");
    expect(shown.stdout).toContain(`trigger   schedule: ${time} UTC, by 0 0 * * * in UTC`);
    await expect
      .poll(async () => JSON.parse(await readFile(marks, "utf8"))[KEY].until)
      .toBe(MIDNIGHT);
  });

  it("then a start that is refused is told, and stands in flows list and in health", async () => {
    const broken = NIGHTLY.replace("format: date-time", "maxLength: 3");
    const here = await place({ "flows/nightly.yaml": broken, ".workflows/triggers.json": MISSED });
    const server = await serve(here);
    await server.said(/could not start the run of .*at most 3/);
    const health = await fetch(`${server.url}/health`);
    expect(await health.json()).toMatchObject({
      status: "degraded",
      refused_starts: [{ workflow_id: "nightly", at: MIDNIGHT }],
    });
    server.child.kill("SIGTERM");
    await server.done;
    const listed = await here.flows(["list"]);
    expect(listed.stderr).toContain(
      `nightly: its schedule "0 0 * * * UTC" started no run for ${MIDNIGHT}: ` +
        'The context does not fit workflow "nightly".',
    );
  });
});

describe("flows schedule", () => {
  it("lists each firing of all flow files in order, with the local time", async () => {
    const zone = NIGHTLY.replace("id: nightly", "id: paris").replace(
      'cron: "0 0 * * *"',
      'cron: "30 2 * * *"\n    timezone: Europe/Paris',
    );
    const here = await place({ "flows/nightly.yaml": NIGHTLY, "flows/paris.yaml": zone });
    const asked = ["schedule", "--from", "2026-03-28", "--to", "2d"];
    const shown = await here.flows(asked);
    expect(
      shown.stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["TIME (UTC)", "WORKFLOW", "LOCAL TIME", "TIME ZONE", "CRON"],
      ["2026-03-28 00:00:00", "nightly", "Sat 2026-03-28 00:00", "UTC", "0 0 * * *"],
      ["2026-03-28 01:30:00", "paris", "Sat 2026-03-28 02:30", "Europe/Paris", "30 2 * * *"],
      ["2026-03-29 00:00:00", "nightly", "Sun 2026-03-29 00:00", "UTC", "0 0 * * *"],
      ["2026-03-29 01:00:00", "paris", "Sun 2026-03-29 03:00", "Europe/Paris", "30 2 * * *"],
    ]);
    const json = JSON.parse((await here.flows([...asked, "--json"])).stdout);
    expect(json).toMatchObject({ from: "2026-03-28T00:00:00.000Z", is_cut: false });
    expect(json.firings).toHaveLength(4);
    const wrong = await here.flows(["schedule", "--from", "tomorrow"]);
    expect(wrong).toMatchObject({ code: 2 });
    expect(wrong.stderr).toContain("--from wants a time like 2026-03-29");
  });
});

async function runs(url: string, count: number): Promise<Run[]> {
  for (;;) {
    const answer = await fetch(`${url}/api/runs?workflow_id=nightly`);
    const page = (await answer.json()) as { runs: Run[] };
    if (page.runs.length >= count) return page.runs;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function until(url: string, id: string): Promise<Run> {
  for (;;) {
    const run = (await (await fetch(`${url}/api/runs/${id}`)).json()) as Run;
    if (run.finished_at !== null) return run;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

// `flows demo`: works from any folder, leaves the flow files alone, and ends with the run's result.

import { readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { type Done, later, lines, place } from "./harness.js";

/** The demo keeps its folder for people to look at; a test does not. */
function sweep({ stdout }: Done): string {
  const file = /^\/.+\.json$/m.exec(stdout)?.[0] ?? "";
  later(() => rm(dirname(dirname(dirname(file))), { recursive: true, force: true }));
  return file;
}

describe("flows demo", () => {
  it("given nothing, shows each change, what was received and the run's file: 0", async () => {
    const before = await readFile("flows/invoice_reminder.yaml", "utf8");
    const { flows } = await place();
    const done = await flows(["demo", "--delay", "0.2"]);
    const file = sweep(done);
    expect([done.code, done.stderr]).toEqual([0, ""]);
    expect(done.stdout).toMatch(
      new RegExp(
        [
          "202  {.*pending",
          "run +pending",
          "run +running",
          "delay_step +waiting",
          "delay_step +completed",
          "send_reminder +running",
          "send_reminder +completed",
          "run +completed",
          "POST /notify",
        ].join("[\\s\\S]+"),
      ),
    );
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      workflow_id: "invoice_reminder",
      status: "completed",
    });
    expect(await readFile("flows/invoice_reminder.yaml", "utf8")).toBe(before);
  });

  it("given an address that leads nowhere, shows the run fail with its reason: 1", async () => {
    const { flows } = await place();
    const done = await flows(["demo", "--delay", "0", "--url", "http://bad.host.invalid/x"]);
    sweep(done);
    expect(done.code).toBe(1);
    expect(done.stdout).toMatch(/run +failed: .*bad\.host\.invalid/);
  });

  it("given --json, prints one change a line", async () => {
    const { flows } = await place();
    const { code, stdout } = await flows(["demo", "--delay", "0", "--json"]);
    expect(code).toBe(0);
    const changes = lines(stdout) as { id: string; run: { status: string } }[];
    expect(changes.at(-1)?.run.status).toBe("completed");
  });

  it("given an interrupt: 130", async () => {
    const here = await place();
    const running = here.start(["demo", "--delay", "60"]);
    await running.said(/delay_step +waiting/);
    running.child.kill("SIGINT");
    const done = await running.done;
    sweep(done);
    expect(done.code).toBe(130);
  });
});

// `flows trigger` where no server runs: the command takes the store, and runs it to its end.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { place, reminder, subscriber } from "./harness.js";

describe("flows trigger without a server", () => {
  it("given a workflow, runs it to its end: result on stdout, changes on stderr, 0", async () => {
    const { url, bodies } = await subscriber();
    const { flows } = await place({ "flows/reminder.yaml": reminder(url) });
    const { code, stdout, stderr } = await flows(["trigger", "reminder", "--set", "invoice=42"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^status +completed$/m);
    expect(stderr).toMatch(/run +running[\s\S]+delay_step +completed[\s\S]+send +completed/);
    expect(stderr).not.toContain("\u001b");
    expect(bodies).toEqual([{ invoice: 42 }]);
  });

  it("given --json, prints the run's document alone, as it is in the store", async () => {
    const { url } = await subscriber();
    const { dir, flows } = await place({ "flows/reminder.yaml": reminder(url) });
    const { stdout } = await flows(["trigger", "reminder", "--json"]);
    const run = JSON.parse(stdout) as Run;
    expect(run.status).toBe("completed");
    const file = await readFile(join(dir, ".workflows/runs", `${run.id}.json`), "utf8");
    expect(JSON.parse(file)).toEqual(run);
  });

  it("given a webhook that is refused, says where and why: 1", async () => {
    const { url } = await subscriber(404);
    const { flows } = await place({ "flows/reminder.yaml": reminder(url) });
    const { code, stdout } = await flows(["trigger", "reminder"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^status +failed$/m);
    expect(stdout).toMatch(/^error +send: 127\.0\.0\.1:\d+ answered 404/m);
  });

  it("given an unknown workflow, names the nearest: 3, and nothing is started", async () => {
    const { flows } = await place({ "flows/reminder.yaml": reminder("http://127.0.0.1:9/") });
    const { code, stdout, stderr } = await flows(["trigger", "remindr"]);
    expect([code, stdout]).toEqual([3, ""]);
    expect(stderr).toContain('There is no workflow "remindr".');
    expect(stderr).toContain('did you mean "reminder"?');
    expect((await flows(["trigger", "../../etc/passwd"])).code).toBe(3);
    expect(JSON.parse((await flows(["runs", "--json"])).stdout)).toMatchObject({ runs: [] });
  });

  it("given a context that does not fit, says where: 2", async () => {
    const { flows } = await place({ "flows/reminder.yaml": reminder("http://127.0.0.1:9/") });
    const { code, stderr } = await flows(["trigger", "reminder", "--set", "invoice=soon"]);
    expect(code).toBe(2);
    expect(stderr).toContain("/invoice:");
    expect(stderr).toContain("--set key=value");
  });

  it("given a workflow whose file is wrong, says so: 1", async () => {
    const bad = reminder("http://127.0.0.1:9/").replace("type: webhook", "type: webhok");
    const { flows } = await place({ "flows/reminder.yaml": bad });
    const { code, stderr } = await flows(["trigger", "reminder"]);
    expect(code).toBe(1);
    expect(stderr).toContain("flows validate");
  });

  it("given a context from stdin or a file, with values set over it, sends these", async () => {
    const { url, bodies } = await subscriber();
    const { flows, write } = await place({ "flows/reminder.yaml": reminder(url) });
    await write("context.json", '{"invoice": 1, "note": "file"}');
    await flows(["trigger", "reminder", "--context", "@context.json", "--set", "invoice=2"]);
    await flows(["trigger", "reminder", "--context", "-"], { input: '{"invoice": 3}' });
    expect(bodies).toEqual([{ invoice: 2, note: "file" }, { invoice: 3 }]);
  });

  it("given a --timeout that is too short: 124, and the run goes on with flows watch", async () => {
    const { url, bodies } = await subscriber();
    const { flows } = await place({ "flows/reminder.yaml": reminder(url, 1.5) });
    const waited = await flows(["trigger", "reminder", "--wait", "--timeout", "200ms"]);
    expect(waited.code).toBe(124);
    const id = waited.stdout.trim();
    expect(waited.stderr).toContain(`flows watch ${id}`);
    expect(bodies).toEqual([]);

    const watched = await flows(["watch", id]);
    expect(watched.code).toBe(0);
    expect(watched.stdout).toMatch(/run +completed/);
    expect(bodies).toEqual([{}]);
  });

  it("given an interrupt: 130, and the run is kept for the next owner of the store", async () => {
    const { url, bodies } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 1.5) });
    const running = here.start(["trigger", "reminder"]);
    await running.said(/delay_step +waiting/);
    running.child.kill("SIGINT");
    const { code, stdout, stderr } = await running.done;
    expect(code).toBe(130);
    const id = stdout.trim();
    expect(stderr).toContain("has not ended");
    expect((await here.flows(["show", id])).stdout).toMatch(/^status +running$/m);
    expect((await here.flows(["watch", id])).code).toBe(0);
    expect(bodies).toHaveLength(1);
  });

  it("given another command meanwhile, answers it; the run is the same run", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 30) });
    const running = here.start(["trigger", "reminder"]);
    const [id = ""] = await running.said(/run_[0-9a-z]{26}/);
    await running.said(/delay_step +waiting/);
    const shown = await here.flows(["show", id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id, status: "running" });
    expect((await here.flows(["cancel", id])).stdout).toBe(`${id} cancelled\n`);
    expect((await running.done).code).toBe(1);
  });
});

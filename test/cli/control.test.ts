// `flows cancel`, `pause`, `resume`, `retry`: beside a server, and without one.

import { describe, expect, it } from "vitest";
import { type Place, place, reminder, serve, subscriber } from "./harness.js";

async function started(here: Place): Promise<string> {
  return (await here.flows(["trigger", "reminder"])).stdout.trim();
}

describe("wishes about a run beside a server", () => {
  it("given pause and resume, the run is paused, then running", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 30) });
    await serve(here);
    const id = await started(here);
    expect((await here.flows(["pause", id])).stdout).toBe(`${id} paused\n`);
    expect((await here.flows(["resume", id])).stdout).toBe(`${id} running\n`);
    const again = await here.flows(["resume", id]);
    expect([again.code, again.stdout]).toEqual([1, ""]);
    expect(again.stderr).toMatch(/running/);
  });

  it("given cancel with a reason, the run has ended; a second one is refused: 1", async () => {
    const { url, bodies } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 30) });
    await serve(here);
    const id = await started(here);
    const { stdout } = await here.flows(["cancel", id, "--reason", "paid", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ id, status: "cancelled" });
    expect((await here.flows(["cancel", id])).code).toBe(1);
    expect((await here.flows(["watch", id])).code).toBe(1);
    expect(bodies).toEqual([]);
  });

  it("given retry of a failed run, goes on from the failed step with the same key", async () => {
    const { url, keys } = await subscriber(500, 200);
    const here = await place({ "flows/reminder.yaml": reminder(url) });
    await serve(here);
    const { stdout } = await here.flows(["trigger", "reminder", "--wait", "--json"]);
    const { id } = JSON.parse(stdout) as { id: string };
    expect((await here.flows(["retry", id])).stdout).toBe(`${id} running\n`);
    expect((await here.flows(["watch", id])).code).toBe(0);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
  });
});

describe("wishes about a run without a server", () => {
  it("given retry, the run goes on here, to its end", async () => {
    const { url, bodies } = await subscriber(500, 200);
    const here = await place({ "flows/reminder.yaml": reminder(url) });
    const failed = await here.flows(["trigger", "reminder", "--json"]);
    expect(failed.code).toBe(1);
    const { id } = JSON.parse(failed.stdout) as { id: string };
    const { code, stdout } = await here.flows(["retry", id]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^status +completed$/m);
    expect(bodies).toHaveLength(2);
  });

  it("given cancel and pause, does just that; no step is started meanwhile", async () => {
    const { url, bodies } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 0.5) });
    const waited = await here.flows(["trigger", "reminder", "--wait", "--timeout", "100ms"]);
    const id = waited.stdout.trim();
    expect((await here.flows(["pause", id])).stdout).toBe(`${id} paused\n`);
    expect((await here.flows(["runs"])).stdout).toContain("paused");
    expect((await here.flows(["cancel", id])).stdout).toBe(`${id} cancelled\n`);
    expect((await here.flows(["retry", id])).code).toBe(0);
    expect(bodies).toHaveLength(1);
  });
});

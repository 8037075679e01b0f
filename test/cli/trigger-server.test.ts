// Commands beside a running server: they talk to it, and never wait for its lock.

import { describe, expect, it } from "vitest";
import { lines, place, reminder, serve, subscriber } from "./harness.js";

describe("commands beside a running server", () => {
  it("given trigger, prints the run's id and does not wait: 0", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 30) });
    await serve(here);
    const { code, stdout, stderr } = await here.flows(["trigger", "reminder"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^run_[0-9a-z]{26}\n$/);
    expect(stderr).toContain(`flows watch ${stdout.trim()}`);
    const shown = await here.flows(["show", stdout.trim(), "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ status: "running", workflow_id: "reminder" });
  });

  it("given trigger, loads what talks to the server, and nothing of the host", async () => {
    const here = await place({ "flows/reminder.yaml": reminder("http://127.0.0.1:9/", 30) });
    await serve(here);
    const { code, stderr } = await here.flows(["trigger", "reminder"], {
      env: { NODE_DEBUG: "esm,module" },
    });
    expect(code).toBe(0);
    expect(stderr).toContain("cli/commands/trigger.js");
    expect(stderr).not.toMatch(
      /hosts\/local\/host\.js|flow\/check\.js|node_modules\/(?:ajv|yaml|undici)/,
    );
  });

  it("given trigger --wait, follows the run; its result decides the exit code", async () => {
    const { url } = await subscriber(200, 500);
    const here = await place({ "flows/reminder.yaml": reminder(url) });
    await serve(here);
    const first = await here.flows(["trigger", "reminder", "--wait", "--json"]);
    expect(first.code).toBe(0);
    expect(JSON.parse(first.stdout)).toMatchObject({ status: "completed" });
    const second = await here.flows(["trigger", "reminder", "--wait"]);
    expect(second.code).toBe(1);
    expect(second.stdout).toMatch(/answered 500/);
  });

  it("given a --timeout that is too short: 124, and the run goes on at the server", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 1.5) });
    await serve(here);
    const waited = await here.flows(["trigger", "reminder", "--wait", "--timeout", "200ms"]);
    expect(waited.code).toBe(124);
    expect(waited.stderr).toContain("goes on at the server");
    const watched = await here.flows(["watch", waited.stdout.trim(), "--json"]);
    expect(watched.code).toBe(0);
    const changes = lines(watched.stdout) as { run: { status: string } }[];
    expect(changes.at(-1)?.run.status).toBe("completed");
  });

  it("given one --idempotency-key twice, starts one run; with another context: 2", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 30) });
    await serve(here);
    const args = ["trigger", "reminder", "--idempotency-key", "k1"];
    const [first, second] = [await here.flows(args), await here.flows(args)];
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toContain("had been started before");
    const other = await here.flows([...args, "--set", "invoice=1"]);
    expect(other.code).toBe(2);
    expect(other.stderr).toContain("another --idempotency-key");
  });

  it("given unknown ids: 3, with the nearest", async () => {
    const here = await place({ "flows/reminder.yaml": reminder("http://127.0.0.1:9/") });
    await serve(here);
    const workflow = await here.flows(["trigger", "reminer"]);
    expect([workflow.code, workflow.stdout]).toEqual([3, ""]);
    expect(workflow.stderr).toContain('did you mean "reminder"?');
    const gone = `run_${"0".repeat(26)}`;
    for (const args of [
      ["show", gone],
      ["watch", gone],
      ["cancel", gone],
      ["show", "../x"],
    ]) {
      const { code, stderr } = await here.flows(args);
      expect([args[0], code]).toEqual([args[0], 3]);
      expect(stderr).toContain("There is no");
    }
  });

  it("given list, sync and runs, prints tables, and with --json what the API says", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url) });
    const server = await serve(here);
    await here.write("flows/broken.yaml", reminder(url).replace("type: webhook", "type: webhok"));
    const synced = await here.flows(["sync"]);
    expect(synced.code).toBe(1);
    const { code, stdout } = await here.flows(["list", "--json"]);
    expect(code).toBe(0);
    const api = (await (await fetch(`${server.url}/api/workflows`)).json()) as object;
    expect(JSON.parse(stdout)).toEqual({ ...api, refused_starts: [] });
    const table = await here.flows(["list"]);
    expect(table.stdout).toMatch(/^ID +NAME +VERSION +FILE +CHECK$/m);
    expect(table.stderr).toContain("broken.yaml:");

    await here.flows(["trigger", "reminder", "--wait"]);
    const runs = await here.flows(["runs", "--workflow", "reminder", "--status", "completed"]);
    expect(runs.stdout).toMatch(/^run_\S+ +reminder +completed /m);
    const none = await here.flows(["runs", "--status", "failed", "--json"]);
    expect(JSON.parse(none.stdout)).toEqual({ runs: [], next_cursor: null });
  });

  it("given a token, only commands that have it get in: 4 without", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url) });
    const env = { FLOWS_TOKEN: "a-token-that-is-long-enough" };
    await serve(here, [], env);
    const without = await here.flows(["runs"]);
    expect([without.code, without.stdout]).toEqual([4, ""]);
    expect(without.stderr).toContain("FLOWS_TOKEN");
    expect((await here.flows(["runs", "--json"], { env })).code).toBe(0);
    expect((await here.flows(["trigger", "reminder", "--wait"], { env })).code).toBe(0);
  });

  it("given a second serve on the store, refuses and names the first: 4", async () => {
    const here = await place();
    const { url } = await serve(here);
    const { code, stderr } = await here.flows(["serve", "--port", "0"]);
    expect(code).toBe(4);
    expect(stderr).toContain(url);
  });

  it("given a port that is taken, says which: 1", async () => {
    const { url } = await subscriber();
    const here = await place();
    const { code, stderr } = await here.flows(["serve", "--port", new URL(url).port]);
    expect(code).toBe(1);
    expect(stderr).toContain(new URL(url).port);
  });

  it("given SIGTERM, ends in good order: 0; its runs go on at the next start", async () => {
    const { url, bodies } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 1) });
    const first = await serve(here);
    const { stdout } = await here.flows(["trigger", "reminder"]);
    first.child.kill("SIGTERM");
    expect((await first.done).code).toBe(0);
    const second = await serve(here);
    const watched = await here.flows(["watch", stdout.trim()]);
    expect(watched.code).toBe(0);
    expect(bodies).toHaveLength(1);
    second.child.kill("SIGINT");
    const { code, stderr } = await second.done;
    expect(code).toBe(0);
    for (const line of lines(stderr)) expect(line).toHaveProperty("msg");
  });

  it("given a watch when the server is killed, ends with clear words: 4", async () => {
    const { url } = await subscriber();
    const here = await place({ "flows/reminder.yaml": reminder(url, 30) });
    const server = await serve(here);
    const { stdout } = await here.flows(["trigger", "reminder"]);
    const watching = here.start(["watch", stdout.trim()]);
    await watching.said(/delay_step +waiting/);
    server.child.kill("SIGKILL");
    const { code, stderr } = await watching.done;
    expect(code).toBe(4);
    expect(stderr).toContain(`The server at ${server.url} does not answer`);
  });
});

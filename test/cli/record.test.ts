// `flows record`: a real run becomes a test that passes, with its secrets taken out.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Place, place, reminder, subscriber } from "./harness.js";

async function runOf(here: Place, context: object): Promise<string> {
  const { stdout } = await here.flows([
    "trigger",
    "reminder",
    "--context",
    JSON.stringify(context),
  ]);
  const id = /run_\w{26}/.exec(stdout)?.[0];
  if (id === undefined) throw new Error(stdout);
  return id;
}

describe("flows record", () => {
  it("given a run that completed after a failure, prints a test that passes", async () => {
    const { url } = await subscriber(500, 200);
    const flow = reminder(url).replace(
      "  - id: send\n",
      "  - id: send\n    retry: { delay: 0.1 }\n",
    );
    const here = await place({ "flows/a.yaml": flow });
    const id = await runOf(here, { invoice: 7, api_token: "very-secret-thing" });
    const { code, stdout, stderr } = await here.flows(["record", id]);
    expect([code, stderr]).toEqual([0, expect.stringContaining("Assumed: ")]);
    expect(stdout).toContain("workflow: reminder\n");
    expect(stdout).toContain("api_token: REDACTED\n");
    expect(stdout).not.toContain("very-secret");

    await here.write("flows/a.test.yaml", stdout);
    const tested = await here.flows(["test"]);
    expect([tested.code, tested.stderr]).toEqual([0, "1 case: 1 passed, 0 failed.\n"]);
  });

  it("given a run that failed, and -o, writes the file, and overwrites none", async () => {
    const { url } = await subscriber(404);
    const here = await place({ "flows/a.yaml": reminder(url) });
    const id = await runOf(here, {});
    const first = await here.flows(["record", id, "-o", "flows/a.test.yaml"]);
    expect([first.code, first.stdout]).toEqual([0, ""]);
    expect(await readFile(join(here.dir, "flows/a.test.yaml"), "utf8")).toContain("status: 404");
    expect((await here.flows(["test"])).code).toBe(0);

    const second = await here.flows(["record", id, "-o", "flows/a.test.yaml"]);
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining("is there already")]);
  });

  it("given a workflow that changed since, says so; where the test does not pass: 1", async () => {
    const { url } = await subscriber(200);
    const here = await place({ "flows/a.yaml": reminder(url) });
    const id = await runOf(here, {});
    await here.write("flows/a.yaml", `${reminder(url)}outputs: { is: new }\n`);
    const same = await here.flows(["record", id]);
    expect([same.code, same.stderr]).toEqual([0, expect.stringContaining("The run is of version")]);
    await here.write("flows/a.yaml", reminder(url).replaceAll("send", "sent"));
    const other = await here.flows(["record", id]);
    expect(other.code).toBe(1);
    expect(other.stderr).toContain("does not pass as it stands");
    expect(other.stderr).toContain("the run came to send, and the test does not");
  });

  it("given no such run: 3; given one that was cancelled: 1", async () => {
    const here = await place({ "flows/a.yaml": reminder("http://127.0.0.1:9/", 60) });
    const none = await here.flows(["record", "run_00000000000000000000000001"]);
    expect(none.code).toBe(3);
    const run = here.start(["trigger", "reminder"]);
    const [id] = await run.said(/run_\w{26}/);
    await here.flows(["cancel", id]);
    await run.done;
    const { code, stdout, stderr } = await here.flows(["record", id]);
    expect([code, stdout, stderr]).toEqual([1, "", expect.stringContaining("is cancelled")]);
  });
});

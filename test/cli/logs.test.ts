// `flows logs`, and who lets shell steps run: the server, or the command that drives the run.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LogLine } from "../../src/engine/runner.js";
import { lines, place, serve } from "./harness.js";

const CHATTY = `id: chatty
steps:
  - { id: note, type: log, config: { message: begin, level: warn, data: { n: 1 } } }
  - { id: talk, type: shell, config: { script: "echo one; echo two >&2" } }
  - { id: hold, type: wait, config: { signal: go } }
  - { id: bye, type: log, config: { message: end } }
`;

describe("flows logs beside a server that allows shell steps", () => {
  it("shows what was written; with -f, what is written to the run's end", async () => {
    const here = await place({ "flows/chatty.yaml": CHATTY });
    const { url } = await serve(here, ["--allow-shell"]);
    const id = (await here.flows(["trigger", "chatty"])).stdout.trim();
    const following = here.start(["logs", id, "-f", "--json"]);
    await following.said(/"text":"two"/);
    const shown = await here.flows(["logs", id]);
    expect(shown.stdout).toMatch(/^\S+ {2}note {12}warn {4}begin \{"n":1\}$/m);
    expect(shown.stdout).toMatch(/^\S+ {2}talk {12}stderr {2}two$/m);
    await here.flows(["signal", id, "go"]);
    const { code, stdout } = await following.done;
    const texts = (lines(stdout) as LogLine[]).map(({ text }) => text);
    expect([code, texts[0], texts.at(-1)]).toEqual([0, "begin", "end"]);
    expect(texts.sort()).toEqual(["begin", "end", "one", "two"]);

    const one = await here.flows(["logs", id, "--step", "talk", "--json"]);
    expect((lines(one.stdout) as LogLine[]).map(({ stream }) => stream).sort()).toEqual([
      "stderr",
      "stdout",
    ]);
    const page = await fetch(`${url}/api/runs/${id}/logs?limit=1&step=bye`);
    expect(await page.json()).toMatchObject({
      lines: [{ text: "end", key: "bye#0" }],
      more: false,
    });
    const wrong = await fetch(`${url}/api/runs/${id}/logs?after=-1`);
    expect(wrong.status).toBe(400);
    const none = await here.flows(["logs", "run_00000000000000000000000000"]);
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining("There is no run")]);

    const definition = {
      id: "evil",
      steps: [{ id: "x", type: "shell", config: { script: "id" } }],
    };
    const put = await fetch(`${url}/api/workflows`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(definition),
    });
    expect(put.status).toBe(422);
    expect(await put.json()).toMatchObject({ diagnostics: [{ kind: "step-type", line: 4 }] });
    expect(readdirSync(join(here.dir, "flows"))).toEqual(["chatty.yaml"]);
  });
});

describe("a shell step, without a server", () => {
  const flow = "id: one\nsteps: [{ id: a, type: shell, config: { command: [echo, hi] } }]\n";

  it("given no --allow-shell, fails and says how to allow it; given it, runs", async () => {
    const here = await place({ "flows/one.yaml": flow });
    const refused = await here.flows(["trigger", "one"]);
    expect(refused.code).toBe(1);
    expect(refused.stdout).toMatch(/shell do not run here: start flows with --allow-shell/);
    const { code, stdout } = await here.flows(["trigger", "one", "--allow-shell", "--json"]);
    expect(code).toBe(0);
    const { id, steps } = JSON.parse(stdout);
    expect(steps.a.output).toMatchObject({ exit_code: 0, stdout: "hi\n" });
    expect((await here.flows(["logs", id])).stdout).toMatch(/a +stdout {2}hi\n$/);
  });
});

// A real server in real trouble: it dies in the middle of a write, its disk fails, it is stopped.

import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { ended, later, type Place, place, reminder, serve, subscriber } from "../cli/harness.js";

/** Times as many: `npm run soak` asks for more. */
const SOAK = Number(process.env.SOAK ?? 1);
/** Calls that write or sync, in which to die; a simulated disk dies in each of the first 300. */
const DEADLY = SOAK > 1 ? Array.from({ length: 300 }, (_, n) => n + 1) : [17, 40, 131, 300];
const FAULTS = pathToFileURL(resolve("test/e2e/faults.mjs")).href;

function fault(what: string): NodeJS.ProcessEnv {
  return { FAULT: what, NODE_OPTIONS: `--import ${FAULTS}` };
}

describe("a server that dies in one of its first calls that write or sync", () => {
  const given = "loses no acknowledged run, and repeats no step that was done";
  it(given, { timeout: 240_000 + DEADLY.length * 15_000 }, async () => {
    const heard = await subscriber(200);
    for (const n of DEADLY) {
      const here = await place({ "flows/reminder.yaml": reminder(heard.url, 0.02) });
      const acknowledged = await livesUntilItDies(here, fault(`kill:${n}`));
      const next = await serve(here);
      const done = new Set(heard.keys);
      for (const id of acknowledged) {
        expect(await ended(next.url, id), `killed in call ${n}`).toMatchObject({
          status: "completed",
          steps: { send: { attempt: 1 } },
        });
      }
      const keys = heard.keys.filter((key) => !done.has(key));
      expect(new Set(keys).size, "none is called twice by the second server").toBe(keys.length);
      await stop(next);
    }
    for (const key of new Set(heard.keys)) {
      expect(heard.keys.filter((other) => other === key).length).toBeLessThanOrEqual(2);
    }
  });
});

describe("a server whose disk fails", () => {
  it.each([
    ["refuses a write of the journal", "eio:7", "i/o error"],
    ["writes less than it was told to", "short:7", "bytes were written"],
  ])("%s: it ends loudly, and the next start has all", async (_name, what, reason) => {
    const heard = await subscriber(200);
    const here = await place({ "flows/reminder.yaml": reminder(heard.url, 0.02) });
    const server = here.start(["serve", "--port", "0"], fault(what));
    const [url] = await server.said(/^http:\S+$/m);
    const acknowledged: string[] = [];
    await load(url, acknowledged);
    const { code, stderr } = await server.done;
    expect(code).toBe(1);
    expect(stderr).toMatch(/flows: The disk failed while writing .*00000001\.jsonl/);
    expect(stderr).toContain(reason);
    expect(acknowledged.length).toBeGreaterThan(0);
    const next = await serve(here);
    for (const id of acknowledged) {
      expect(await ended(next.url, id)).toMatchObject({ status: "completed" });
    }
  });
});

describe("a server whose folder of documents is deleted under it", () => {
  it("goes on, and what changes from then on has its document", async () => {
    const heard = await subscriber(200);
    const here = await place({ "flows/reminder.yaml": reminder(heard.url, 0.2) });
    const server = await serve(here);
    const before = await trigger(server.url);
    rmSync(join(here.dir, ".workflows", "runs"), { recursive: true });
    expect(await ended(server.url, before)).toMatchObject({ status: "completed" });
    const after = await trigger(server.url);
    expect(await ended(server.url, after)).toMatchObject({ status: "completed" });
    const { code, stderr } = await stop(server);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("disk failed")]);
    for (const id of [before, after]) {
      expect(existsSync(join(here.dir, ".workflows", "runs", `${id}.json`)), id).toBe(true);
    }
  });
});

describe("a store of another version of the program", () => {
  it("is refused by every command with one sentence, and left as it is", async () => {
    const here = await place({ "flows/reminder.yaml": reminder("http://127.0.0.1:9/", 0) });
    expect((await here.flows(["sync"])).code).toBe(0);
    writeFileSync(join(here.dir, ".workflows", "store.json"), '{"format":7}\n');
    for (const args of [["serve", "--port", "0"], ["runs"]]) {
      const { code, stdout, stderr } = await here.flows(args);
      expect([args, code === 0, stdout]).toEqual([args, false, ""]);
      expect(stderr).toMatch(/store\.json has format 7, and this program reads format 3/);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
  });
});

describe("a server that is stopped, and not dead (SIGSTOP)", () => {
  it("keeps its store: commands wait for it, and are served once it goes on", async () => {
    const heard = await subscriber(200);
    const here = await place({ "flows/reminder.yaml": reminder(heard.url, 0.3) });
    const server = await serve(here);
    const id = await trigger(server.url);
    server.child.kill("SIGSTOP");
    const asking = here.start(["show", id, "--json"]);
    let isAnswered = false;
    void asking.done.then(() => {
      isAnswered = true;
    });
    await pause(1_500);
    expect(isAnswered).toBe(false);
    server.child.kill("SIGCONT");
    const { code, stdout } = await asking.done;
    expect([code, (JSON.parse(stdout) as Run).id]).toEqual([0, id]);
    expect(await ended(server.url, id)).toMatchObject({ status: "completed" });
    expect(heard.keys).toEqual([`${id}/send#0`]);
  });
});

/** Triggers runs until the server is gone; answers those that were acknowledged. */
async function livesUntilItDies(here: Place, env: NodeJS.ProcessEnv): Promise<string[]> {
  const server = here.start(["serve", "--port", "0"], env);
  later(async () => void server.child.kill("SIGKILL"));
  const acknowledged: string[] = [];
  // It may die before it listens.
  const said = await server.said(/^http:\S+$/m).catch(() => undefined);
  if (said) await load(said[0], acknowledged);
  await server.done;
  expect(server.child.signalCode).toBe("SIGKILL");
  return acknowledged;
}

async function load(url: string, acknowledged: string[]): Promise<void> {
  const one = async (): Promise<void> => {
    for (;;) {
      const id = await trigger(url).catch(() => undefined);
      if (id === undefined) return;
      acknowledged.push(id);
    }
  };
  await Promise.all([one(), one(), one(), one()]);
}

async function trigger(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/workflows/reminder/trigger`, { method: "POST" });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { run_id: string }).run_id;
}

async function stop(server: Awaited<ReturnType<typeof serve>>) {
  server.child.kill("SIGTERM");
  return server.done;
}

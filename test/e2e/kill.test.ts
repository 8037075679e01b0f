// kill -9 at the worst moments: nothing acknowledged is lost, and no completed step runs again.
// The same under load, two hundred times, is in kill-often.test.ts.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { ended, later, place, reminder, serve, subscriber } from "../cli/harness.js";

describe("a server that is killed", () => {
  it("in mid-delay: the run goes on at the next start, and keeps its time", async () => {
    const heard = await subscriber(200);
    const here = await place({ "flows/reminder.yaml": reminder(heard.url, 1.5) });
    const first = await serve(here);
    const id = await trigger(first.url);
    const before = await run(first.url, id);
    await kill(first);
    const second = await serve(here);
    const after = await ended(second.url, id);
    expect(after.status).toBe("completed");
    expect(before.steps.delay_step?.until).toBeDefined();
    const due = Date.parse(before.steps.delay_step?.until ?? "");
    expect(Date.parse(after.steps.delay_step?.finished_at ?? "")).toBeGreaterThanOrEqual(due);
    expect(after.steps.delay_step?.started_at).toBe(before.steps.delay_step?.started_at);
    expect(heard.keys).toEqual([`${id}/send#0`]);
  });

  it("in mid-webhook: it is sent again, with the same key, as the same attempt", async () => {
    const silent = await receiver();
    const here = await place({ "flows/reminder.yaml": reminder(silent.url, 0) });
    const first = await serve(here);
    const id = await trigger(first.url);
    await silent.received(1);
    await kill(first);
    silent.answer(200);
    const second = await serve(here);
    const after = await ended(second.url, id);
    expect(after).toMatchObject({ status: "completed", steps: { send: { attempt: 1 } } });
    expect(silent.keys).toEqual([`${id}/send#0`, `${id}/send#0`]);
  });

  it("in mid-webhook that may be sent once: it is not sent again, and says so", async () => {
    const silent = await receiver();
    const once = `${reminder(silent.url, 0)}    delivery: at_most_once\n`;
    const here = await place({ "flows/reminder.yaml": once });
    const first = await serve(here);
    const id = await trigger(first.url);
    await silent.received(1);
    await kill(first);
    silent.answer(200);
    const second = await serve(here);
    const after = await ended(second.url, id);
    expect(after).toMatchObject({
      status: "failed",
      error: { kind: "interrupted", step_id: "send" },
    });
    expect(silent.keys).toHaveLength(1);
  });

  it("leaves every acknowledged run as a document that anyone can read", async () => {
    const heard = await subscriber(200);
    const here = await place({ "flows/reminder.yaml": reminder(heard.url, 0) });
    const first = await serve(here);
    const id = await trigger(first.url);
    await kill(first);
    const second = await serve(here);
    await ended(second.url, id);
    second.child.kill("SIGTERM");
    expect((await second.done).code).toBe(0);
    const shown = await here.flows(["show", id, "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ id, status: "completed" });
  });
});

type Server = Awaited<ReturnType<typeof serve>>;

async function kill(server: Server): Promise<void> {
  server.child.kill("SIGKILL");
  await server.done;
}

async function trigger(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/workflows/reminder/trigger`, { method: "POST" });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { run_id: string }).run_id;
}

async function run(url: string, id: string): Promise<Run> {
  const answer = await fetch(`${url}/api/runs/${id}`);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Run;
}

/** Keeps every request waiting, until it is told what to answer from then on. */
async function receiver() {
  const keys: string[] = [];
  const waiting: ServerResponse[] = [];
  let status: number | undefined;
  const server = createServer((request, response) => {
    keys.push(String(request.headers["idempotency-key"]));
    if (status === undefined) waiting.push(response);
    else response.writeHead(status).end();
  });
  await new Promise<void>((resolved) => server.listen(0, "127.0.0.1", resolved));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    keys,
    answer(next: number): void {
      status = next;
    },
    async received(count: number): Promise<void> {
      while (keys.length < count) await pause(5);
    },
  };
}

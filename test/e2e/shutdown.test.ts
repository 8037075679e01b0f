// SIGTERM: what is under way ends and is kept, nothing new begins, and the next start goes on.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { later, place, serve } from "../cli/harness.js";

it("a step that is under way ends, and its answer is kept; the next one is not begun", async () => {
  const slow = await slowSubscriber();
  const here = await place({ "flows/two.yaml": two(slow.url) });
  const server = await serve(here);
  const id = await triggered(server.url);
  const [first] = await slow.received(1);
  server.child.kill("SIGTERM");
  await server.said(/stopping/);
  first?.end("{}");
  expect((await server.done).code).toBe(0);
  const shown = await here.flows(["show", id, "--json"]);
  const run = JSON.parse(shown.stdout) as Run;
  expect(run).toMatchObject({ status: "running", steps: { one: { status: "completed" } } });
  expect(slow.keys).toEqual([`${id}/one#0`]);
});

it("a step that takes too long is broken off, and repeated by the next start", async () => {
  const slow = await slowSubscriber();
  const here = await place({ "flows/two.yaml": two(slow.url) });
  const server = await serve(here, ["--shutdown-timeout", "50ms"]);
  const id = await triggered(server.url);
  await slow.received(1);
  server.child.kill("SIGTERM");
  const { code, stderr } = await server.done;
  expect([code, stderr]).toEqual([0, expect.stringMatching(/"steps":1.*broken off/)]);
  await serve(here);
  await slow.received(2);
  expect(slow.keys).toEqual([`${id}/one#0`, `${id}/one#0`]);
});

async function triggered(url: string): Promise<string> {
  const answer = await fetch(`${url}/api/workflows/two/trigger`, { method: "POST" });
  return ((await answer.json()) as { run_id: string }).run_id;
}

async function slowSubscriber() {
  const keys: string[] = [];
  const waiting: ServerResponse[] = [];
  const server = createServer((request, response) => {
    keys.push(String(request.headers["idempotency-key"]));
    waiting.push(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  const received = async (count: number) => {
    while (waiting.length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    return waiting;
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, keys, received };
}

function two(url: string): string {
  return `id: two
steps:
  - { id: one, type: webhook, config: { url: "${url}" } }
  - { id: two, type: webhook, config: { url: "${url}" } }
`;
}

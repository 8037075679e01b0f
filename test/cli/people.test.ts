// What people do to a run beside a server: answer, send signals, go back; and what they are shown.

import { expect, it } from "vitest";
import { place, serve, subscriber } from "./harness.js";

const PAY = `id: pay
context:
  type: object
  properties: { who: { type: string }, amount: { type: number } }
  required: [who, amount]
steps:
  - id: ask
    type: approval
    config: { message: "Pay \${{ context.amount }} to \${{ context.who }}?" }
  - { id: paid, type: wait, config: { signal: money_is_there } }
outputs: { yes: "\${{ steps.ask.output.approved }}", from: "\${{ steps.paid.output }}" }
`;

const BATCH = `id: batch
steps:
  - id: each
    type: foreach
    config:
      items: [1, 2]
      as: n
      max_parallel: 2
      steps:
        - id: pay_one
          type: workflow
          config: { workflow_id: pay, context: { who: "e\${{ n }}", amount: "\${{ n }}" } }
      collect: \${{ steps.pay_one.output.output.yes }}
outputs: { all: "\${{ steps.each.output.results }}" }
`;

const SEND_EACH = (url: string) => `id: send_each
steps:
  - id: each
    type: foreach
    config:
      items: [a, b]
      as: it
      steps:
        - { id: name, type: set, config: { values: { text: "\${{ it }}" } } }
        - { id: send, type: webhook, config: { url: "${url}", body: { it: "\${{ it }}" } } }
`;

it("given approvals and waits, people are told what is asked, and how to go on", async () => {
  const here = await place({ "flows/pay.yaml": PAY });
  const api = apiOf(await serve(here));
  const context = { who: "Ada", amount: 480 };
  const [id, other] = [await api.start("pay", context), await api.start("pay", context)];
  const asked = await here.flows(["show", id]);
  expect(asked.stdout).toMatch(/^ask asks: Pay 480 to Ada\?$/m);
  expect(asked.stderr).toContain(`flows approve ${id} ask`);
  expect(asked.stderr).toContain(`flows reject ${id} ask`);
  const listed = await here.flows(["runs"]);
  expect(listed.stdout).toMatch(new RegExp(`${id} .* paused .*ask: Pay 480 to Ada\\?`));

  expect((await here.flows(["reject", other, "--comment", "no"])).stdout).toMatch(/running/);
  expect(await api.run(other)).toMatchObject({
    steps: { ask: { message: "Pay 480 to Ada?", output: { approved: false, comment: "no" } } },
  });
  expect((await here.flows(["approve", id, "ask"])).stdout).toBe(`${id} running\n`);
  const again = await here.flows(["approve", id]);
  expect([again.code, again.stderr]).toEqual([
    3,
    expect.stringContaining("no step of it waits for an answer"),
  ]);

  const waits = await here.flows(["show", id]);
  expect(waits.stdout).toMatch(/^paid waits for the signal money_is_there$/m);
  expect(waits.stderr).toContain(`flows signal ${id} money_is_there`);
  await here.flows(["signal", id, "money_is_there", "--data", '{"bank": 1}']);
  const output = { yes: true, from: { bank: 1 } };
  expect(await api.run(id)).toMatchObject({ status: "completed", output });
}, 120_000);

it("given a run that starts runs, each shows the other, and a signal may come early", async () => {
  const here = await place({ "flows/pay.yaml": PAY, "flows/batch.yaml": BATCH });
  const api = apiOf(await serve(here));
  const parent = await api.start("batch", {});
  const { steps } = (await api.run(parent)) as unknown as Batch;
  const children = steps.each.items.map((item) => item.steps.pay_one.child_run_id);
  expect((await here.flows(["show", parent])).stdout).toContain(`runs ${children[1]}`);
  expect((await here.flows(["show", children[1] ?? ""])).stdout).toMatch(
    new RegExp(`^trigger +workflow: step each#0/1/pay_one#0 of ${parent}$`, "m"),
  );
  for (const [index, child] of children.entries()) {
    await api.post(`runs/${child}/signal`, { name: "money_is_there" });
    await api.post(`runs/${child}/${index === 0 ? "approve" : "reject"}`, {});
  }
  const watched = await here.flows(["watch", parent, "--json"]);
  expect([watched.code, watched.stdout]).toEqual([0, expect.stringContaining("[true,false]")]);
}, 120_000);

it("given a child that is cancelled, its parent fails, and a retry goes on with it", async () => {
  const one_by_one = BATCH.replace("      max_parallel: 2\n", "");
  const here = await place({ "flows/pay.yaml": PAY, "flows/batch.yaml": one_by_one });
  const api = apiOf(await serve(here));
  const parent = await api.start("batch", {});
  const { steps } = (await api.run(parent)) as unknown as Batch;
  const child = steps.each.items[0]?.steps.pay_one.child_run_id ?? "";
  await api.post(`runs/${child}/cancel`, { reason: "not now" });
  const failed = await here.flows(["watch", parent]);
  expect([failed.code, (await api.run(parent)).status]).toEqual([1, "failed"]);
  expect((await here.flows(["show", parent])).stdout).toMatch(/^each +failed .* not now$/m);

  await api.post(`runs/${child}/retry`, {});
  await api.post(`runs/${child}/approve`, {});
  await api.post(`runs/${child}/signal`, { name: "money_is_there" });
  expect((await here.flows(["watch", child])).code).toBe(0);
  await api.post(`runs/${parent}/retry`, {});
  const table = async () => (await here.flows(["show", parent])).stdout;
  await expect.poll(table, { timeout: 20_000 }).toMatch(/^each +running .* 1 of 2 done$/m);
}, 120_000);

it("given retry --from an item's step, goes on there and does nothing before it", async () => {
  const { url, bodies } = await subscriber(200, 500, 200);
  const here = await place({ "flows/send_each.yaml": SEND_EACH(url) });
  const api = apiOf(await serve(here));
  const failed = await here.flows(["trigger", "send_each", "--wait", "--json"]);
  const { id } = JSON.parse(failed.stdout) as { id: string };
  expect((await here.flows(["show", id])).stdout).toMatch(/^each#0\/1\/send#0 +failed/m);
  expect((await here.flows(["retry", id, "--from", "each#0/7/send#0"])).code).toBe(3);
  await here.flows(["retry", id, "--from", "each#0/1/send#0"]);
  expect((await here.flows(["watch", id])).code).toBe(0);
  expect(bodies).toEqual([{ it: "a" }, { it: "b" }, { it: "b" }]);
  expect(await api.run(id)).toMatchObject({
    steps: { each: { iteration: 0, items: [{}, { steps: { name: { iteration: 0 } } }] } },
  });
}, 120_000);

interface Batch {
  steps: { each: { items: { steps: { pay_one: { child_run_id: string } } }[] } };
}

/** The server's own API: cheaper than a process for what is only to be there. */
function apiOf({ url }: { url: string | undefined }) {
  const ask = async (path: string, init?: RequestInit) => {
    const answer = await fetch(`${url}/api/${path}`, init);
    return (await answer.json()) as { [key: string]: unknown };
  };
  const headers = { "content-type": "application/json" };
  const post = (path: string, body: object) =>
    ask(path, { method: "POST", headers, body: JSON.stringify(body) });
  return {
    post,
    run: (id: string) => ask(`runs/${id}`),
    start: async (workflow: string, context: object) =>
      String((await post(`workflows/${workflow}/trigger`, { context })).run_id),
  };
}

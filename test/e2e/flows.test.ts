// Every flow in flows/ does what its first lines say, against a real receiver, by the real command.

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { ended, later, type Place, place, serve } from "../cli/harness.js";

interface Scenario {
  context: object;
  /** The statuses that a path answers, one a request; then 200. */
  statuses?: { [path: string]: number[] };
  /** What a path answers, as JSON. */
  bodies?: { [path: string]: unknown };
  /** What a person does, when the run waits for one. */
  wish?: string[];
  /** The paths that are asked, in order; in `anyOrder`, those that go out side by side. */
  asked: string[];
  anyOrder?: true;
  status: Run["status"];
}

const mail = ["/mail/welcome", "/mail/tips", "/mail/how-is-it-going"];
const warehouse = "/warehouse/orders";
const ready = "/reports/ready";

const invoices = (count: number): unknown => ({
  invoices: Array.from({ length: count }, (_, n) => ({ id: `I-${n}` })),
});
const billing = "/billing/invoices?status=overdue&region=eu";
const reminders = "/mail/reminders";

const SCENARIOS: { [flow: string]: { [when: string]: Scenario } } = {
  invoice_reminder: {
    "waits, then reminds": { context: { invoice: 42 }, asked: ["/notify"], status: "completed" },
    "fails when nobody takes the reminder": {
      context: {},
      statuses: { "/notify": [500] },
      asked: ["/notify"],
      status: "failed",
    },
  },
  disk_space: {
    "tells the team of a disk that is fuller than it may be": {
      context: { limit: 1 },
      asked: ["/chat"],
      status: "completed",
    },
    "fails where there is nothing to look at": {
      context: { folder: "/no/such/folder" },
      asked: [],
      status: "failed",
    },
  },
  order_handoff: {
    "hands the order to warehouse and accounting": {
      context: { order_id: "A-1" },
      asked: [warehouse, "/accounting/orders"],
      status: "completed",
    },
    "calls people when the warehouse stays away": {
      context: { order_id: "A-1" },
      statuses: { [warehouse]: [503, 503, 503, 503] },
      asked: [warehouse, warehouse, warehouse, warehouse, "/on-call"],
      status: "completed",
    },
    "does without accounting": {
      context: { order_id: "A-1" },
      statuses: { "/accounting/orders": [500, 500, 500] },
      asked: [warehouse, "/accounting/orders", "/accounting/orders", "/accounting/orders"],
      status: "completed",
    },
  },
  invoice_chase: {
    "reminds each customer and tells the team": {
      context: {},
      bodies: { [billing]: invoices(2) },
      asked: [billing, "/chat", "/ledger", reminders, reminders],
      anyOrder: true,
      status: "completed",
    },
    "asks a person when the list is long, and takes no for an answer": {
      context: {},
      bodies: { [billing]: invoices(4) },
      wish: ["reject"],
      asked: [billing],
      status: "completed",
    },
    "tells the people on call when billing is down": {
      context: {},
      statuses: { [billing]: [503, 503, 503] },
      asked: [billing, billing, billing, "/on-call"],
      status: "failed",
    },
  },
  expense_approval: {
    "pays a small expense at once": {
      context: { employee: "Ada", amount: 20 },
      asked: ["/payments"],
      status: "completed",
    },
    "pays a large one when it is approved": {
      context: { employee: "Ada", amount: 480 },
      wish: ["approve"],
      asked: ["/payments"],
      status: "completed",
    },
    "fails when it is not": {
      context: { employee: "Ada", amount: 480 },
      wish: ["reject"],
      asked: [],
      status: "failed",
    },
  },
  order_to_cash: {
    "hands the order over when it is paid": {
      context: { order_id: "A-1" },
      wish: ["signal", "paid"],
      asked: ["/mail/invoices", warehouse, "/accounting/orders"],
      status: "completed",
    },
  },
  report_when_ready: {
    "knocks until the report is ready": {
      context: {},
      statuses: { [ready]: [404, 404] },
      asked: ["/reports", ready, ready, ready, "/chat"],
      status: "completed",
    },
  },
  welcome_series: {
    "sends three messages": {
      context: { email: "ada@example.com" },
      asked: mail,
      status: "completed",
    },
    "sends one again that failed": {
      context: { email: "ada@example.com" },
      statuses: { "/mail/tips": [500] },
      asked: ["/mail/welcome", "/mail/tips", "/mail/tips", "/mail/how-is-it-going"],
      status: "completed",
    },
  },
};

it("every flow that a user can start from has a scenario", () => {
  const flows = readdirSync("flows").filter((file) => /(?<!\.test)\.ya?ml$/.test(file));
  expect(Object.keys(SCENARIOS).sort()).toEqual(flows.map((file) => file.split(".")[0]).sort());
});

describe.each(Object.entries(SCENARIOS))("%s", (flow, scenarios) => {
  it.each(Object.entries(scenarios))("%s", async (_, scenario) => {
    const asked = receiver.play(scenario);
    const context = JSON.stringify(scenario.context);
    const { stdout, stderr } = await here.flows(["trigger", flow, "--context", context]);
    const id = stdout.trim();
    expect(id, stderr).toMatch(/^run_/);
    if (scenario.wish) await wishWhenAsked(id, scenario.wish);
    expect(await ended(url, id)).toMatchObject({ status: scenario.status });
    expect(scenario.anyOrder ? asked.sort() : asked).toEqual(scenario.asked);
  });
});

/** One server for all: each scenario ends before the next one begins. */
let here: Place;
let url: string;
let receiver: Awaited<ReturnType<typeof openReceiver>>;

beforeAll(async () => {
  receiver = await openReceiver();
  here = await place(flowsAskingAt(receiver.at));
  url = (await serve(here, ["--allow-shell"])).url;
});

/** All of them: a flow may start runs of another one. */
function flowsAskingAt(address: string): { [file: string]: string } {
  const files = readdirSync("flows").filter((file) => /(?<!\.test)\.ya?ml$/.test(file));
  const texts = files.map((file) => [
    `flows/${file}`,
    readFileSync(`flows/${file}`, "utf8").replaceAll("127.0.0.1:8001", address),
  ]);
  return Object.fromEntries(texts);
}

async function wishWhenAsked(id: string, [wish, ...rest]: string[]): Promise<void> {
  for (;;) {
    const answer = await fetch(`${url}/api/runs/${id}`);
    const { steps } = (await answer.json()) as Run;
    if (Object.values(steps).some((step) => step.signal !== undefined)) break;
    await pause(20);
  }
  const done = await here.flows([wish ?? "", id, ...rest]);
  expect(done.code, done.stderr).toBe(0);
}

async function openReceiver() {
  let scenario: Pick<Scenario, "statuses" | "bodies"> = {};
  let asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const earlier = asked.filter((other) => other === path).length;
    asked.push(path);
    const status = scenario.statuses?.[path]?.[earlier] ?? 200;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(scenario.bodies?.[path] ?? {}));
  });
  await new Promise<void>((resolved) => server.listen(0, "127.0.0.1", resolved));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    at: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Answers as the scenario says, from now on; what it returns fills with what is asked. */
    play(next: Scenario): string[] {
      scenario = next;
      asked = [];
      return asked;
    },
  };
}

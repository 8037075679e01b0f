// Every flow in flows/ does what its first lines say, against a real receiver, by the real command.

import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { Run } from "../../src/engine/run.js";
import { later, place } from "../cli/harness.js";

interface Scenario {
  context: object;
  /** The statuses that a path answers, one a request; then 200. */
  statuses?: { [path: string]: number[] };
  /** The paths that are asked, in order. */
  asked: string[];
  status: Run["status"];
}

const mail = ["/mail/welcome", "/mail/tips", "/mail/how-is-it-going"];
const warehouse = "/warehouse/orders";
const ready = "/reports/ready";

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
    const heard = await receiver(scenario.statuses ?? {});
    const text = readFileSync(`flows/${flow}.yaml`, "utf8");
    const here = await place({
      [`flows/${flow}.yaml`]: text.replaceAll("127.0.0.1:8001", heard.at),
    });
    const context = JSON.stringify(scenario.context);
    const done = await here.flows(["trigger", flow, "--context", context, "--json"]);
    expect(JSON.parse(done.stdout), done.stderr).toMatchObject({ status: scenario.status });
    expect(heard.asked).toEqual(scenario.asked);
  });
});

async function receiver(statuses: { [path: string]: number[] }) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    const earlier = asked.filter((other) => other === path).length;
    asked.push(path);
    response.writeHead(statuses[path]?.[earlier] ?? 200).end();
  });
  await new Promise<void>((resolved) => server.listen(0, "127.0.0.1", resolved));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  return { at: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

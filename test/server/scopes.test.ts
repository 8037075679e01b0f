// Who may do what: every route against every scope, and how often one client may ask.

import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Scope } from "../../src/engine/runner.js";
import { Rate } from "../../src/server/rate.js";
import { ROUTES } from "../../src/server/routes.js";
import { startTest, type TestServer } from "./test-server.js";

const SCOPES = ["read", "trigger", "admin"] as const;

/** What each route asks for, written down a second time: a new route must be thought about. */
const ASKED: { [route: string]: Scope } = {
  "POST /api/workflows": "admin",
  "POST /api/sync": "admin",
  "POST /api/workflows/{id}/trigger": "trigger",
  "POST /api/runs/{run_id}/cancel": "trigger",
  "POST /api/runs/{run_id}/pause": "trigger",
  "POST /api/runs/{run_id}/resume": "trigger",
  "POST /api/runs/{run_id}/retry": "trigger",
  "POST /api/runs/{run_id}/signal": "trigger",
  "POST /api/runs/{run_id}/approve": "trigger",
  "POST /api/runs/{run_id}/reject": "trigger",
};

const made = new Map<string, { name: string; scope: Scope }>();
const tokens = { find: (token: string) => made.get(token), count: () => made.size };
const all = () => {
  for (const scope of SCOPES) made.set(`the-${scope}-token`, { name: scope, scope });
};

let server: TestServer;
beforeAll(async () => {
  all();
  server = await startTest({ tokens });
});
afterAll(() => server.close());

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe("a route", () => {
  const rows = ROUTES.flatMap((route) => SCOPES.map((scope) => ({ route, scope })));

  it.each(rows)("$route.method $route.path, with the scope $scope", async ({ route, scope }) => {
    const asked = ASKED[`${route.method} ${route.path}`] ?? "read";
    if (route.method === "GET") expect(asked).toBe("read");
    if (route.scope === "public") return;
    expect(route.scope).toBe(asked);
    const path = route.path.replace(/\{\w+\}/g, "x");
    const reply = await server.send(route.method, path, { headers: bearer(`the-${scope}-token`) });
    const may = SCOPES.indexOf(scope) >= SCOPES.indexOf(asked);
    if (may) expect([401, 403]).not.toContain(reply.status);
    else expect([reply.status, reply.body.kind]).toEqual([403, "forbidden"]);
  });

  it("that there is not is told only to those who may read", async () => {
    expect((await server.get("/nothing")).status).toBe(401);
    expect((await server.get("/nothing", bearer("the-read-token"))).status).toBe(404);
    expect((await server.send("DELETE", "/health")).status).toBe(401);
  });

  it("says in the document what it asks for", async () => {
    const { body } = await server.get("/openapi.json", bearer("the-read-token"));
    const paths = body.paths as { [path: string]: { [method: string]: { "x-scope": string } } };
    expect(paths["/api/sync"]?.post?.["x-scope"]).toBe("admin");
    expect(paths["/health"]?.get?.["x-scope"]).toBe("read");
  });
});

describe("a token", () => {
  it("counts from the moment it is made to the moment it is revoked", async () => {
    made.set("a-new-token", { name: "new", scope: "read" });
    expect((await server.get("/health", bearer("a-new-token"))).status).toBe(200);
    made.delete("a-new-token");
    expect((await server.get("/health", bearer("a-new-token"))).status).toBe(401);
  });

  it("is asked for as soon as there is one, also on this machine, and after the last", async () => {
    made.clear();
    const open = await startTest({ tokens });
    expect((await open.get("/health")).status).toBe(200);
    all();
    expect((await open.get("/health")).status).toBe(401);
    made.clear();
    expect((await open.get("/health")).status).toBe(401);
    await open.close();
    all();
  });

  it("is enough to listen for other machines; without any, that is refused", async () => {
    const other = await startTest({ host: "0.0.0.0", tokens });
    await other.close();
    const none = { find: () => undefined, count: () => 0 };
    await expect(startTest({ host: "0.0.0.0", tokens: none })).rejects.toThrow(
      /flows token create/,
    );
  });
});

describe("a definition that is put", () => {
  it.each([
    ["127.0.0.1", true],
    ["0.0.0.0", false],
  ])("at a server on %s, may call private hosts: %s", async (host, private_hosts) => {
    all();
    const server = await startTest({ host, tokens });
    const put = vi.spyOn(server.host.workflows, "put");
    await server.post("/api/workflows", { id: "a" }, bearer("the-admin-token"));
    expect(put).toHaveBeenCalledWith({ id: "a" }, { private_hosts });
    await server.close();
  });
});

describe("a client that asks too often", () => {
  it("is told to wait, on every route, and is let in again", async () => {
    const busy = await startTest({ limits: { loopback_rate: { per_second: 5, burst: 3 } } });
    const replies = await Promise.all(Array.from({ length: 30 }, () => busy.get("/nothing")));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(refused[0]?.body.kind).toBe("too_many_requests");
    expect(refused[0]?.headers["retry-after"]).toBe("1");
    const status = async () => (await busy.get("/health")).status;
    await expect.poll(status, { timeout: 10_000 }).toBe(200);
    await busy.close();
  });

  it("has a bucket of its own, that fills with time", () => {
    const rate = new Rate({ per_second: 2, burst: 3 });
    const take = (client: string, ms: number) => rate.take(client, ms);
    expect([1, 2, 3, 4].map(() => take("1.2.3.4", 0))).toEqual([true, true, true, false]);
    expect(take("1.2.3.5", 0)).toBe(true);
    expect([499, 1_000, 1_000, 1_000].map((ms) => take("1.2.3.4", ms))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it("is one client with all the addresses of its network", () => {
    const rate = new Rate({ per_second: 1, burst: 2 });
    const same = ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0::3"];
    expect(same.map((address) => rate.take(address, 0))).toEqual([true, true, false]);
    expect(rate.take("2001:db8:0:1::1", 0)).toBe(true);
  });
});

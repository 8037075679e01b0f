// Every route of the table, as a client sees it.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REMINDER } from "./memory-host.js";
import { startTest, type TestServer } from "./test-server.js";

const TRIGGER = "/api/workflows/invoice_reminder/trigger";

let server: TestServer;
beforeAll(async () => {
  server = await startTest();
});
afterAll(() => server.close());

describe("POST /api/workflows", () => {
  const definition = { id: "made_here", name: "Made here", steps: REMINDER.steps };

  it("creates a flow file, and says where the workflow is", async () => {
    const reply = await server.post("/api/workflows", definition);
    expect(reply.status).toBe(201);
    expect(reply.headers.location).toBe("/api/workflows/made_here");
    expect(reply.body).toMatchObject({ id: "made_here", valid: true });
    expect((await server.get(reply.headers.location!)).status).toBe(200);
  });

  it("updates one that exists", async () => {
    await server.post("/api/workflows", definition);
    const reply = await server.post("/api/workflows", { ...definition, name: "Another" });
    expect(reply.status).toBe(200);
    expect(reply.body.name).toBe("Another");
  });

  it("answers a definition with errors with its diagnostics", async () => {
    const reply = await server.post("/api/workflows", { id: "half" });
    expect(reply.status).toBe(422);
    expect(reply.body.kind).toBe("invalid_definition");
    expect(reply.body.diagnostics).toMatchObject([{ kind: "missing-key", line: 1 }]);
    expect((await server.get("/api/workflows/half")).status).toBe(404);
  });

  it("wants a body", async () => {
    const reply = await server.post("/api/workflows");
    expect(reply.status).toBe(400);
    expect(reply.body.detail).toContain("A body is wanted");
  });
});

describe("GET /api/workflows", () => {
  it("lists what is served, without the definitions", async () => {
    const { body } = await server.get("/api/workflows");
    const listed = (body.workflows as object[])[0]!;
    expect(listed).toMatchObject({ id: "invoice_reminder", file: "invoice_reminder.yaml" });
    expect(listed).not.toHaveProperty("workflow");
  });

  it("shows one with its definition", async () => {
    const { status, body } = await server.get("/api/workflows/invoice_reminder");
    expect(status).toBe(200);
    expect(body.workflow).toMatchObject({ entry_point: "delay_step" });
  });

  it("knows no workflow that is not there", async () => {
    const { status, body } = await server.get("/api/workflows/constructor");
    expect([status, body.kind]).toEqual([404, "unknown_workflow"]);
  });

  it("reads the folder again when asked to", async () => {
    const { status, body } = await server.post("/api/sync");
    expect(status).toBe(200);
    expect(body.workflows).toBeInstanceOf(Array);
  });
});

describe("POST /api/workflows/{id}/trigger", () => {
  it("starts a run with a context", async () => {
    const reply = await server.post(TRIGGER, { context: { invoice: 42 } });
    expect(reply.status).toBe(202);
    const { run_id, ...rest } = reply.body;
    expect(rest).toEqual({ status: "running" });
    expect(reply.headers.location).toBe(`/api/runs/${run_id}`);
    const run = await server.get(reply.headers.location!);
    expect(run.body).toMatchObject({ id: run_id, context: { invoice: 42 } });
  });

  it.each([
    ["no body", undefined],
    ["an empty object", {}],
    ["an empty context", { context: {} }],
  ])("starts a run with %s", async (_, json) => {
    expect((await server.post(TRIGGER, json)).status).toBe(202);
  });

  it("gives the same run for the same idempotency key, with 200", async () => {
    const headers = { "idempotency-key": "order-7" };
    const first = await server.post(TRIGGER, { context: { invoice: 7 } }, headers);
    const second = await server.post(TRIGGER, { context: { invoice: 7 } }, headers);
    expect([first.status, second.status]).toEqual([202, 200]);
    expect(second.body.run_id).toBe(first.body.run_id);
    expect(second.headers.location).toBe(first.headers.location);
  });

  it("refuses the same idempotency key with another context", async () => {
    const headers = { "idempotency-key": "order-8" };
    await server.post(TRIGGER, { context: { invoice: 8 } }, headers);
    const { status, body } = await server.post(TRIGGER, { context: { invoice: 9 } }, headers);
    expect([status, body.kind]).toEqual([422, "idempotency_mismatch"]);
  });

  it("says what of a context does not fit", async () => {
    const { status, body } = await server.post(TRIGGER, { context: { invoice: "seven" } });
    expect([status, body.kind]).toEqual([422, "context_mismatch"]);
    expect(body.errors).toMatchObject([{ path: "/invoice" }]);
  });

  it("knows no workflow that is not there", async () => {
    const { status, body } = await server.post("/api/workflows/nothing/trigger");
    expect([status, body.kind]).toEqual([404, "unknown_workflow"]);
  });

  it("says why a workflow whose file was never valid takes no runs", async () => {
    const diagnostic = {
      ...{ file: "broken.yaml", line: 2, column: 1, end_line: 2, end_column: 4 },
      ...({ kind: "syntax", severity: "error", message: "no YAML" } as const),
    };
    const broken = { version: null, workflow: null, valid: false, diagnostics: [diagnostic] };
    server.host.serve({ ...REMINDER, id: "broken" }, broken);
    const { status, body } = await server.post("/api/workflows/broken/trigger");
    expect([status, body.kind]).toEqual([409, "invalid_workflow"]);
    expect(body.diagnostics).toEqual([diagnostic]);
  });
});

describe("POST /api/workflows/{id}/trigger?wait=", () => {
  it("answers with the run when it ends", async () => {
    const waiting = server.post(`${TRIGGER}?wait=30s`, { context: { invoice: 1 } });
    const run_id = await untilWatched(server);
    server.host.finish(run_id);
    const { status, body, headers } = await waiting;
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: run_id, status: "completed" });
    expect(headers.location).toBe(`/api/runs/${run_id}`);
  });

  it("answers 202 when the time is up, and the run goes on", async () => {
    const { status, body } = await server.post(`${TRIGGER}?wait=20ms`);
    expect([status, body.status]).toEqual([202, "running"]);
    expect(server.host.status(body.run_id as string)).toBe("running");
  });

  it("answers at once for a run that an earlier request started and that has ended", async () => {
    const headers = { "idempotency-key": "done" };
    const first = await server.post(TRIGGER, {}, headers);
    server.host.finish(first.body.run_id as string);
    const { status, body } = await server.post(`${TRIGGER}?wait=5m`, {}, headers);
    expect([status, body.id, body.status]).toEqual([200, first.body.run_id, "completed"]);
  });

  it.each(["", "soon", "-1s", "6m", "30", "9".repeat(20)])("refuses wait=%s", async (wait) => {
    const before = server.host.kept.size;
    const { status, body } = await server.post(`${TRIGGER}?wait=${wait}`);
    expect([status, body.kind]).toEqual([400, "invalid_request"]);
    expect(server.host.kept.size).toBe(before);
  });
});

describe("GET /api/runs", () => {
  it("lists runs newest first, page by page", async () => {
    const other = await startTest();
    const started = [await other.trigger(), await other.trigger(), await other.trigger()];
    const first = await other.get("/api/runs?limit=2");
    const cursor = encodeURIComponent(first.body.next_cursor as string);
    const second = await other.get(`/api/runs?limit=2&cursor=${cursor}`);
    const ids = [...(first.body.runs as []), ...(second.body.runs as [])].map(({ id }) => id);
    expect(ids).toEqual(started.reverse());
    expect(second.body.next_cursor).toBeNull();
    await other.close();
  });

  it("lists those of a workflow and of a status", async () => {
    const run_id = await server.trigger();
    server.host.finish(run_id);
    const ids = async (query: string) => {
      const { body } = await server.get(`/api/runs?${query}`);
      return (body.runs as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids("workflow_id=invoice_reminder&status=completed")).toContain(run_id);
    expect(await ids("workflow_id=invoice_reminder&status=failed")).not.toContain(run_id);
    expect(await ids("workflow_id=another")).toEqual([]);
  });

  it.each([
    ["limit=0", "/limit"],
    ["limit=201", "/limit"],
    ["limit=1.5", "/limit"],
    ["limit=0x10", "/limit"],
    ["limit=", "/limit"],
    ["status=done", "/status"],
    ["workflow_id=../x", "/workflow_id"],
    ["cursor=", "/cursor"],
    ["cursor=%00", "/cursor"],
    ["page=2", "/page"],
    ["__proto__=1", "/__proto__"],
    ["limit=1&limit=2", "limit"],
  ])("refuses ?%s", async (query, path) => {
    const { status, body } = await server.get(`/api/runs?${query}`);
    expect([status, body.kind]).toEqual([400, "invalid_request"]);
    expect(body.errors).toMatchObject([{ path }]);
  });
});

describe("the wishes about a run", () => {
  it("pauses, resumes and cancels, each answered with the run", async () => {
    const run_id = await server.trigger();
    const wish = async (name: string, json?: object) =>
      (await server.post(`/api/runs/${run_id}/${name}`, json)).body.status;
    expect(await wish("pause")).toBe("paused");
    expect(await wish("resume", {})).toBe("running");
    expect(await wish("cancel", { reason: "no longer needed" })).toBe("cancelled");
    expect(await wish("retry")).toBe("running");
  });

  it.each(["pause", "resume", "cancel"])("refuses to %s a run that has ended", async (name) => {
    const run_id = await server.trigger();
    server.host.finish(run_id);
    const { status, body } = await server.post(`/api/runs/${run_id}/${name}`);
    expect([status, body.kind]).toEqual([409, "wrong_status"]);
  });

  it.each(["pause", "resume", "cancel", "retry"])("refuses to %s a run unknown", async (name) => {
    const { status, body } = await server.post(`/api/runs/run_${"7".repeat(26)}/${name}`);
    expect([status, body.kind]).toEqual([404, "unknown_run"]);
  });

  it("keeps a reason within its limit", async () => {
    const run_id = await server.trigger();
    const path = `/api/runs/${run_id}/cancel`;
    expect((await server.post(path, { reason: "x".repeat(1_001) })).status).toBe(400);
    expect((await server.post(path, { reason: "x".repeat(1_000) })).status).toBe(200);
  });
});

describe("the routes about the server", () => {
  it("tells how it stands", async () => {
    const { status, body } = await server.get("/health");
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: "ok", version: "1.2.3", diagnostics: 0 });
  });

  it("answers HEAD as GET, without the body", async () => {
    const { status, headers } = await server.send("HEAD", "/health");
    expect([status, headers["content-type"]]).toEqual([200, "application/json"]);
  });

  it("has the documentation's page, with nothing from elsewhere", async () => {
    const page = await server.get("/docs");
    expect(page.headers["content-type"]).toMatch(/^text\/html/);
    expect(page.headers["content-security-policy"]).toMatch(
      /default-src 'none'.*script-src 'self'/,
    );
    expect(page.text).not.toMatch(/https?:|<script>|\son\w+=/);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link!);
    expect(links).toHaveLength(4);
    for (const link of links) expect((await server.get(link)).status, link).toBe(200);
    expect((await server.get("/docs/swagger-ui-bundle.js")).text.length).toBeGreaterThan(500_000);
    expect((await server.get("/docs/start.js")).text).toContain("/openapi.json");
  });
});

/** The id of the newest run, once its trigger waits for it. */
async function untilWatched({ host }: TestServer): Promise<string> {
  while (host.watching === 0) await new Promise((resolve) => setImmediate(resolve));
  return [...host.kept.keys()].at(-1)!;
}

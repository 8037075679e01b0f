// What each refusal of the host becomes, and how much of a request's body is read.

import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RefusalKind } from "../../src/engine/command.js";
import { MAX_BODY_BYTES } from "../../src/limits.js";
import { startTest, type TestServer } from "./test-server.js";

const TRIGGER = "/api/workflows/invoice_reminder/trigger";

let server: TestServer;
beforeAll(async () => {
  server = await startTest();
});
afterAll(() => server.close());

const REFUSALS: { [kind in RefusalKind]: number } = {
  unknown_run: 404,
  unknown_workflow: 404,
  unknown_step: 404,
  invalid_workflow: 409,
  context_mismatch: 422,
  already_started: 409,
  wrong_status: 409,
  stale: 409,
  idempotency_mismatch: 422,
  busy: 503,
};

describe("a refusal", () => {
  // Which route may be answered with which kind stands in the document, and is checked.
  const trigger = ["unknown_workflow", "invalid_workflow", "context_mismatch", "busy"];
  const kinds = Object.entries(REFUSALS) as [RefusalKind, number][];

  it.each(kinds)("%s is answered with %i and its sentence", async (refused, status) => {
    const details = [{ path: "/invoice", message: "must be an integer" }];
    server.host.trouble = { refused, message: "It may not be.", details };
    const run_id = `run_${"0".repeat(26)}`;
    const isOfTrigger = trigger.includes(refused) || refused === "idempotency_mismatch";
    const reply = await server.post(isOfTrigger ? TRIGGER : `/api/runs/${run_id}/pause`);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({ kind: refused, detail: "It may not be.", errors: details });
    expect(reply.headers["retry-after"]).toBe(status === 503 ? "1" : undefined);
  });
});

describe("a body", () => {
  const json = { "content-type": "application/json" };
  const send = (body: string | Buffer, headers: { [name: string]: string } = json) =>
    server.send("POST", TRIGGER, { body, headers });

  it.each([
    ["{", "line 1, column 2 (position 1): the text ends"],
    [
      '{\n  "context": {},\n}',
      'line 3, column 1 (position 19): a key in double quotes was wanted, "}"',
    ],
    ["nonsense", 'line 1, column 1 (position 0): a value was wanted, "n" came'],
    ["{} {}", 'line 1, column 4 (position 3): the end was wanted, "{" came'],
    [" ", "line 1, column 2 (position 1): the text ends where a value was wanted"],
  ])("%j is malformed, and it says where", async (body, said) => {
    const reply = await send(body);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_json"]);
    expect(reply.body.detail).toContain(`Malformed JSON at ${said}`);
  });

  it.each([
    ["with an unknown key", '{"contxt":{}}', "/contxt is not known here"],
    ["that is a list", "[]", "must be object"],
    ["that is null", "null", "must be object"],
    ["that is a text", '"a"', "must be object"],
    ["with a context that is a list", '{"context":[]}', "/context must be object"],
    ["with a context that is null", '{"context":null}', "/context must be object"],
  ])("%s does not fit", async (_, body, said) => {
    const reply = await send(body);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    expect(reply.body.detail).toContain(said);
  });

  it.each([
    "application/json",
    "application/json; charset=utf-8",
    'Application/JSON;charset="UTF-8"',
  ])("may be %s", async (type) => {
    expect((await send("{}", { "content-type": type })).status).toBe(202);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain; application/json",
    "application/json, text/plain",
    "application/json; charset=latin1",
    "application/problem+json",
    "application/yaml",
  ])("may not be %s", async (type) => {
    const reply = await send("{}", { "content-type": type });
    expect([reply.status, reply.body.kind]).toEqual([415, "unsupported_media_type"]);
    expect(reply.headers["accept-post"]).toBe("application/json");
  });

  it("needs a type, and no encoding", async () => {
    expect((await send("{}", {})).status).toBe(415);
    expect((await send("{}", { ...json, "content-encoding": "gzip" })).status).toBe(415);
  });

  it("is UTF-8, with or without a byte order mark", async () => {
    const bad = await send(Buffer.from([0x22, 0xff, 0x22]));
    expect([bad.status, bad.body.detail]).toEqual([400, expect.stringContaining("not UTF-8")]);
    expect((await send(Buffer.from("\ufeff{}"))).status).toBe(202);
  });

  it("has at most as many bytes as the limit says", async () => {
    const fill = (size: number) => `{"context":{"a":"${"x".repeat(size - 20)}"}}`;
    expect((await send(fill(MAX_BODY_BYTES))).status).toBe(202);
    const reply = await send(fill(MAX_BODY_BYTES + 1));
    expect([reply.status, reply.body.kind]).toEqual([413, "body_too_large"]);
  });

  it("without a length is refused as soon as it is too large, whatever would follow", async () => {
    const head = `POST ${TRIGGER} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n`;
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const socket = connect(server.port, "127.0.0.1").on("error", () => {});
    socket.write(`${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`);
    // One byte more than the limit, and no end.
    for (let sent = 0; sent <= MAX_BODY_BYTES; sent += 0x10000) socket.write(chunk);
    const [answer] = (await new Promise((resolve) => socket.once("data", (d) => resolve([d])))) as [
      Buffer,
    ];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 /);
    socket.destroy();
  });

  it("that is declared too large is refused before it is sent", async () => {
    const head = `POST ${TRIGGER} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n`;
    const type = "content-type: application/json\r\nexpect: 100-continue\r\n";
    const reply = await server.raw(`${head}${type}content-length: 9999999999\r\n\r\n`);
    expect([reply.status, reply.body.kind]).toEqual([413, "body_too_large"]);
  });

  it("that is waited for is asked for", async () => {
    const head = `POST ${TRIGGER} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n`;
    const type = "content-type: application/json\r\ncontent-length: 2\r\n";
    const more = "connection: close\r\nexpect: 100-continue\r\n";
    const { wire, status } = await server.raw(`${head}${type}${more}\r\n{}`);
    expect(status).toBe(100);
    expect(wire).toContain("HTTP/1.1 202 Accepted");
  });

  it("is nested at most as deep as the limit says, brackets in texts aside", async () => {
    const nested = (depth: number) =>
      `{"context":{"a":${"[".repeat(depth - 2)}${"]".repeat(depth - 2)}}}`;
    expect((await send(nested(101))).status).toBe(202);
    const reply = await send(nested(102));
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_json"]);
    expect(reply.body.detail).toContain("more than 101 levels");
    expect((await send(`{"context":{"a":"${"[".repeat(5_000)}\\"{"}}`)).status).toBe(202);
  });

  it.each([
    ["at the top", '{"__proto__":{"context":{}}}'],
    ["inside", '{"context":{"a":[{"__proto__":{"admin":true}}]}}'],
    ["written with escapes", '{"context":{"\\u005f_proto_\\u005f":{"admin":true}}}'],
  ])("has no key __proto__ %s", async (_, body) => {
    const reply = await send(body);
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_json"]);
    expect(({} as { admin?: true }).admin).toBeUndefined();
  });

  it("may have keys that objects have by birth, and texts that name the prototype", async () => {
    const context = { constructor: { prototype: 1 }, toString: "x", text: "__proto__ \\u0041" };
    const reply = await server.post(TRIGGER, { context });
    expect(reply.status).toBe(202);
    const { body } = await server.get(reply.headers.location!);
    expect(body.context).toEqual(context);
  });

  it("with a key twice means the last one", async () => {
    const reply = await send('{"context":{"invoice":1},"context":{"invoice":2}}');
    expect((await server.get(reply.headers.location!)).body.context).toEqual({ invoice: 2 });
  });

  it("of a route that takes none is not read", async () => {
    const reply = await server.send("GET", "/health", { body: "{", headers: json });
    expect(reply.status).toBe(200);
  });
});

describe("a route", () => {
  it.each([
    ["DELETE", "/api/workflows", "GET, HEAD, POST"],
    ["PUT", "/api/workflows/invoice_reminder", "GET, HEAD"],
    ["GET", TRIGGER, "POST"],
    ["PATCH", `/api/runs/run_${"0".repeat(26)}`, "GET, HEAD"],
    ["OPTIONS", "/health", "GET, HEAD"],
    ["POST", "/docs/start.js", "GET, HEAD"],
    ["DELETE", "/api/runs/x/cancel", "POST"],
  ])("does not take %s %s, and says what it takes", async (method, path, allow) => {
    const reply = await server.send(method, path);
    expect([reply.status, reply.body.kind]).toEqual([405, "method_not_allowed"]);
    expect(reply.headers.allow).toBe(allow);
  });

  it.each(["/", "/api", "/health/", "/Health", "/api/runs/", "/docs/x", "/api/runs/x/events/y"])(
    "is not at %s",
    async (path) => {
      const reply = await server.get(path);
      expect(reply.status).toBe(404);
    },
  );

  it.each(["/health?x=1", "/openapi.json?v", `${TRIGGER}?context=%7B%7D`])(
    "takes no parameter that it does not know: %s",
    async (path) => {
      const reply = await server.send(
        path === "/health?x=1" ? "GET" : path.startsWith("/o") ? "GET" : "POST",
        path,
      );
      expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    },
  );

  it.each(["", " ", "a b", "é", "x".repeat(256)])("takes no idempotency key %j", async (key) => {
    const encoded = Buffer.from(key, "utf8").toString("latin1");
    const reply = await server.post(TRIGGER, {}, { "idempotency-key": encoded });
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
    expect(reply.body.errors).toMatchObject([{ path: "/idempotency-key" }]);
  });
});

// Starting and closing: what keeps a server from starting, and how soon it is gone.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import { request } from "undici";
import { describe, expect, it } from "vitest";
import { makeFetch } from "../../src/server/app.js";
import { Metrics } from "../../src/server/metrics.js";
import type { Door } from "../../src/server/route.js";
import { ROUTES } from "../../src/server/routes.js";
import { ServerError, startServer } from "../../src/server/server.js";
import { Slots } from "../../src/server/slots.js";
import { MemoryHost } from "./memory-host.js";
import { startTest, type TestServer } from "./test-server.js";

const plain = { host: "127.0.0.1", port: 0, version: "1.2.3" };

async function refusalOf(options: object): Promise<ServerError> {
  const started = startServer(new MemoryHost(), { ...plain, ...options });
  const error = await started.then(
    async (server) => {
      await server.close();
      throw new Error("it started");
    },
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ServerError);
  return error as ServerError;
}

describe("a server refuses to start", () => {
  it.each(["0.0.0.0", "::"])("on %s without a token", async (host) => {
    const { code, message } = await refusalOf({ host });
    expect(code).toBe("token_needed");
    expect(message).toContain("make one with flows token create, or listen on 127.0.0.1");
  });

  it.each(["", " ", "a b", "tökenätökenätökenä"])("with the token %j", async (token) => {
    expect((await refusalOf({ token })).code).toBe("bad_token");
  });

  it("for other machines with a token that can be guessed", async () => {
    const { code, message } = await refusalOf({ host: "0.0.0.0", token: "short" });
    expect(code).toBe("bad_token");
    expect(message).toContain("16 or more");
  });

  it("on a port that is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const { code, message } = await refusalOf({ port });
    expect(code).toBe("port_taken");
    expect(message).toContain(`127.0.0.1:${port}`);
    other.close();
  });

  it.each(["", "no such host", "192.0.2.1"])("on the host %j", async (host) => {
    const token = "a-token-that-nobody-guesses";
    expect((await refusalOf({ host, token })).code).toBe("bad_address");
  });
});

describe("a server", () => {
  it.each(["127.0.0.1", "localhost", "127.0.0.2"])("starts on %s without a token", async (host) => {
    const server = await startTest({ host });
    expect((await server.get("/health")).status).toBe(200);
    await server.close();
  });

  it("can be closed twice, and then takes no connection", async () => {
    const server = await startTest();
    await Promise.all([server.close(), server.close()]);
    await expect(request(server.url)).rejects.toThrow();
  });

  it("closes while clients hold idle connections", async () => {
    const server = await startTest();
    const socket = connect(server.port, "127.0.0.1");
    await once(socket, "connect");
    await server.get("/health");
    await server.close();
    await once(socket, "close");
  });

  it("ends event streams and waits when it closes", async () => {
    const server = await startTest();
    const run_id = await server.trigger();
    const stream = await request(`${server.url}/api/runs/${run_id}/events`);
    const trigger = "/api/workflows/invoice_reminder/trigger?wait=5m";
    const waiting = server.post(trigger);
    while (server.host.watching < 2) await new Promise((resolve) => setImmediate(resolve));
    await server.close();
    expect((await waiting).status).toBe(202);
    expect(await stream.body.text()).toContain("event: run\n");
    expect(server.host.watching).toBe(0);
  });

  it("lets an answer under way end, and then closes its connection", async () => {
    const server = await startTest();
    const { asked, answer } = slowHealth(server);
    const reply = server.raw(`GET /health HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n\r\n`);
    await asked;
    const closed = server.close();
    answer();
    expect((await reply).body.version).toBe("1.2.3");
    await closed;
  });

  it("answers 503 to what comes on an open connection while it closes", async () => {
    const open = { streams: new Slots(1), waits: new Slots(1) };
    const metrics = new Metrics(open);
    const door = { closing: AbortSignal.abort(), metrics } as unknown as Door;
    const fetch = makeFetch(ROUTES, door, () => null);
    const reply = await fetch(new Request("http://localhost/health"), {} as HttpBindings);
    expect(reply.status).toBe(503);
    expect(reply.headers.get("connection")).toBe("close");
    expect(reply.headers.get("retry-after")).toBe("1");
    expect(await reply.json()).toMatchObject({ kind: "closing" });
  });

  it("cuts what does not end within the time for closing", async () => {
    const server = await startTest({ limits: { close_grace_ms: 20 } });
    const { asked } = slowHealth(server);
    const reply = request(`${server.url}/health`).catch((error: Error) => error);
    await asked;
    await server.close();
    expect(await reply).toBeInstanceOf(Error);
  });

  it("answers an unexpected error with an id that stands in its log, nothing else", async () => {
    const server = await startTest();
    server.host.trouble = new Error("the disk /var/secret is gone");
    const reply = await server.get("/health");
    expect([reply.status, reply.body.kind]).toEqual([500, "internal"]);
    expect(reply.text).not.toContain("secret");
    const [entry] = server.logged as { error_id: string; err: Error; path: string }[];
    expect(reply.body.instance).toBe(`urn:uuid:${entry!.error_id}`);
    expect(entry!.err.message).toContain("/var/secret");
    expect(entry!.path).toBe("/health");
    expect((await server.get("/health")).status).toBe(200);
    await server.close();
  });
});

/** A health that is asked for, and told later. */
function slowHealth({ host }: TestServer): { asked: Promise<void>; answer: () => void } {
  const health = host.health.bind(host);
  let answer = () => {};
  const told = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const asked = new Promise<void>((resolve) => {
    host.health = async () => {
      resolve();
      await told;
      return health();
    };
  });
  return { asked, answer };
}

describe("a server that is asked for the head alone", () => {
  it("answers once, without a body, and hears what follows on the connection", async () => {
    const server = await startTest();
    const socket = connect(server.port, "127.0.0.1");
    const host = `host: 127.0.0.1:${server.port}`;
    socket.write(`HEAD /health HTTP/1.1\r\n${host}\r\n\r\n`);
    socket.write(`GET /health HTTP/1.1\r\n${host}\r\nconnection: close\r\n\r\n`);
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
    });
    await once(socket, "close");
    const [, head = "", whole = ""] = text.split(/^HTTP\/1\.1 /m);
    expect(text.match(/^HTTP\/1\.1 /gm)).toHaveLength(2);
    expect(head).toMatch(/^200 OK\r\n[^{]*\r\n\r\n$/);
    expect(whole).toMatch(/^200 OK\r\n[^{]*\r\n\r\n\{.*\}$/s);
    await server.close();
  });
});

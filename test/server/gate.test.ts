// The gate: which requests come in at all, by host, origin and token.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROUTES } from "../../src/server/routes.js";
import { startTest, type TestServer } from "./test-server.js";

const TOKEN = "a-token-that-nobody-guesses";

let server: TestServer;
let locked: TestServer;
beforeAll(async () => {
  server = await startTest();
  locked = await startTest({ token: TOKEN });
});
afterAll(async () => {
  await server.close();
  await locked.close();
});

function get(headers: string[], path = "/health"): string {
  return [`GET ${path} HTTP/1.1`, ...headers, "connection: close", "\r\n"].join("\r\n");
}

describe("a request by host", () => {
  it.each(["127.0.0.1:PORT", "localhost:PORT", "LocalHost:PORT", "[::1]:PORT"])(
    "comes in as %s",
    async (name) => {
      const { status } = await server.raw(get([`host: ${name.replace("PORT", `${server.port}`)}`]));
      expect(status).toBe(200);
    },
  );

  it.each([
    ["another name", "evil.example:PORT"],
    ["another name without a port", "evil.example"],
    ["our name without the port", "localhost"],
    ["our name with another port", "localhost:1"],
    ["a name that begins like ours", "localhost.evil.example:PORT"],
    ["a name that ends like ours", "evil-localhost:PORT"],
    ["a final dot", "localhost.:PORT"],
    ["another loopback address", "127.0.0.2:PORT"],
    ["the wildcard address", "0.0.0.0:PORT"],
    ["a decimal address", "2130706433:PORT"],
    ["an address of the network", "192.168.0.7:PORT"],
  ])("stays out with %s", async (_, name) => {
    const reply = await server.raw(get([`host: ${name.replace("PORT", `${server.port}`)}`]));
    expect([reply.status, reply.body.kind]).toEqual([421, "wrong_host"]);
  });

  it.each([
    ["no host", []],
    ["an empty host", ["host:"]],
    ["two hosts", ["host: localhost:PORT", "host: evil.example"]],
    ["our name as a user", ["host: localhost:PORT@evil.example"]],
    ["one host twice", ["host: localhost:PORT", "Host: localhost:PORT"]],
  ])("is a bad request with %s", async (_, headers) => {
    const named = headers.map((header) => header.replace("PORT", `${server.port}`));
    const reply = await server.raw(get(named));
    expect([reply.status, reply.body.kind]).toEqual([400, "bad_request"]);
  });

  it("is told that the server is no proxy, where it asks for one", async () => {
    const reply = await server.raw(
      "CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    );
    expect([reply.status, reply.body.detail]).toEqual([400, expect.stringContaining("no proxy")]);
  });

  it("comes in by a name that the server was told", async () => {
    const other = await startTest({ names: ["flows.example"] });
    const status = async (name: string) => (await other.raw(get([`host: ${name}`]))).status;
    expect(await status("flows.example")).toBe(200);
    expect(await status("Flows.example:443")).toBe(200);
    expect(await status("more.flows.example")).toBe(421);
    await other.close();
  });
});

describe("a request by origin", () => {
  const own = () => `http://127.0.0.1:${server.port}`;

  it("comes in from our own pages, and from programs that send no origin", async () => {
    expect((await server.get("/health", { origin: own() })).status).toBe(200);
    expect((await server.get("/health", { "sec-fetch-site": "same-origin" })).status).toBe(200);
    expect((await server.get("/health", { "sec-fetch-site": "none" })).status).toBe(200);
  });

  it.each([
    ["another site", { origin: "http://evil.example" }],
    ["no origin at all", { origin: "null" }],
    ["an empty origin", { origin: "" }],
    ["another port of this machine", { origin: "http://127.0.0.1:1" }],
    ["this machine by another name", { origin: "http://localhost:PORT" }],
    ["a name that begins like ours", { origin: "http://127.0.0.1:PORT.evil.example" }],
    ["another scheme", { origin: "file://127.0.0.1:PORT" }],
    ["a link on another site", { "sec-fetch-site": "cross-site" }],
    ["a page of a neighbour", { "sec-fetch-site": "same-site" }],
    ["an unknown kind of site", { "sec-fetch-site": "elsewhere" }],
  ])("stays out from %s", async (_, headers) => {
    const sent = Object.entries(headers).map(([n, v]) => [n, v.replace("PORT", `${server.port}`)]);
    const before = server.host.kept.size;
    const path = "/api/workflows/invoice_reminder/trigger";
    const reply = await server.post(path, undefined, Object.fromEntries(sent));
    expect([reply.status, reply.body.kind]).toEqual([403, "foreign_origin"]);
    expect(server.host.kept.size).toBe(before);
  });
});

describe("a request by token", () => {
  it.each([`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN}`])(
    "comes in with %s",
    async (authorization) => {
      expect((await locked.get("/health", { authorization })).status).toBe(200);
    },
  );

  it.each([
    ["none", undefined],
    ["a wrong one", "Bearer wrong"],
    ["an empty one", "Bearer "],
    ["one letter too few", `Bearer ${TOKEN.slice(0, -1)}`],
    ["one letter too many", `Bearer ${TOKEN}x`],
    ["two", `Bearer ${TOKEN} ${TOKEN}`],
    ["another scheme", `Basic ${Buffer.from(`user:${TOKEN}`).toString("base64")}`],
    ["no scheme", TOKEN],
  ])("stays out with %s, and is told the same", async (_, authorization) => {
    const headers = authorization === undefined ? {} : { authorization };
    const reply = await locked.get("/health", headers);
    expect(reply.status).toBe(401);
    expect(reply.headers["www-authenticate"]).toMatch(/^Bearer/);
    expect(reply.body.detail).toBe("Send the server's token: `Authorization: Bearer TOKEN`.");
  });

  it("needs it on every route there is, and on those there are not", async () => {
    const known = ROUTES.map(({ method, path }) => [method, path.replace(/\{\w+\}/g, "x")]);
    const unknown = [
      ["GET", "/"],
      ["GET", "/nothing"],
      ["DELETE", "/health"],
      ["OPTIONS", "/health"],
      ["HEAD", "/health"],
      ["GET", "/docs/../health"],
      ["GET", "//health"],
      ["GET", "/%68ealth"],
      ["GET", "/health?token=x"],
    ];
    for (const [method, path] of [...known, ...unknown]) {
      const reply = await locked.send(method!, path!);
      expect(reply.status, `${method} ${path}`).toBe(401);
    }
    expect(locked.host.kept.size).toBe(0);
  });

  it("is not asked of anyone where the server has none", async () => {
    expect((await server.get("/health", { authorization: "Bearer x" })).status).toBe(200);
  });
});

describe("a server for other machines", () => {
  it("comes in by any address with the token, and by no foreign name", async () => {
    const open = await startTest({ host: "0.0.0.0", token: TOKEN });
    const status = async (name: string, ...more: string[]) =>
      (await open.raw(get([`host: ${name}`, ...more]))).status;
    const token = `authorization: Bearer ${TOKEN}`;
    expect(open.url).toBe(`http://127.0.0.1:${open.port}`);
    expect(await status("192.168.0.7:9000", token)).toBe(200);
    expect(await status("[fe80::1]:9000", token)).toBe(200);
    expect(await status("localhost", token)).toBe(200);
    expect(await status("evil.example", token)).toBe(421);
    expect(await status("1.2.3.4.evil.example", token)).toBe(421);
    expect(await status("192.168.0.7:9000")).toBe(401);
    await open.close();
  });
});

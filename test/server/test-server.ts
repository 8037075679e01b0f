// A server over a host in memory, and a client that holds each answer against the OpenAPI document.

import { connect } from "node:net";
import { Ajv2020 } from "ajv/dist/2020.js";
import { request } from "undici";
import { expect } from "vitest";
import type { Workflow } from "../../src/flow/workflow.js";
import { SAFE_HEADERS } from "../../src/server/answer.js";
import { makeDocument } from "../../src/server/openapi.js";
import { ROUTES } from "../../src/server/routes.js";
import { type RunningServer, type ServerOptions, startServer } from "../../src/server/server.js";
import { MemoryHost, REMINDER } from "./memory-host.js";

export interface Reply {
  status: number;
  headers: { [name: string]: string };
  text: string;
  /** All that came, where it was asked for with `raw`. */
  wire?: string;
  /** Of JSON; else null. */
  body: { [name: string]: unknown };
}

export interface Sent {
  headers?: { [name: string]: string };
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as it is. */
  body?: string | Buffer;
}

export interface TestServer extends RunningServer {
  host: MemoryHost;
  port: number;
  logged: object[];
  send(method: string, path: string, sent?: Sent): Promise<Reply>;
  get(path: string, headers?: { [name: string]: string }): Promise<Reply>;
  post(path: string, json?: unknown, headers?: { [name: string]: string }): Promise<Reply>;
  /** Bytes as they are, and all that comes back until the server closes the connection. */
  raw(bytes: string | Buffer, finish?: boolean): Promise<Reply>;
  trigger(): Promise<string>;
}

export async function startTest(
  options: Partial<ServerOptions> = {},
  ...workflows: Workflow[]
): Promise<TestServer> {
  const host = new MemoryHost(REMINDER, ...workflows);
  const logged: object[] = [];
  const log = {
    info() {},
    warn() {},
    error: (fields: object, message: string) => {
      logged.push({ ...fields, message });
    },
  };
  const plain = { host: "127.0.0.1", port: 0, version: "1.2.3", log };
  const server = await startServer(host, { ...plain, ...options });
  const port = Number(new URL(server.url).port);
  const send = async (method: string, path: string, sent: Sent = {}) => {
    const reply = await sendTo(server.url, method, path, sent);
    checkReply(reply, method, path);
    return reply;
  };
  return {
    ...server,
    host,
    port,
    logged,
    send,
    get: (path, headers = {}) => send("GET", path, { headers }),
    post: (path, json, headers = {}) =>
      send("POST", path, { headers, ...(json === undefined ? {} : { json }) }),
    raw: (bytes, finish = false) => sendRaw(port, bytes, finish),
    trigger: async () => {
      const reply = await send("POST", "/api/workflows/invoice_reminder/trigger");
      return reply.body.run_id as string;
    },
  };
}

async function sendTo(url: string, method: string, path: string, sent: Sent): Promise<Reply> {
  const { json, body } = sent;
  const type = json === undefined ? {} : { "content-type": "application/json" };
  const answer = await request(url + path, {
    method: method as "GET",
    headers: { ...type, ...sent.headers },
    body: json === undefined ? (body ?? null) : JSON.stringify(json),
  });
  const headers = Object.fromEntries(
    Object.entries(answer.headers).map(([name, value]) => [name, String(value)]),
  );
  return replyOf(answer.statusCode, headers, await answer.body.text());
}

function replyOf(status: number, headers: { [name: string]: string }, text: string): Reply {
  const isJson = /json/.test(headers["content-type"] ?? "") && text !== "";
  return { status, headers, text, body: isJson ? JSON.parse(text) : null };
}

function sendRaw(port: number, bytes: string | Buffer, finish: boolean): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(bytes);
      if (finish) socket.end();
    });
    const done = () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const at = text.indexOf("\r\n\r\n");
      const [line = "", ...rest] = text.slice(0, Math.max(at, 0)).split("\r\n");
      const headers = rest.map((header) => header.split(/: (.*)/s).slice(0, 2));
      const named = Object.fromEntries(headers.map(([n, v]) => [n!.toLowerCase(), v ?? ""]));
      const body = text.slice(at + 4).slice(0, Number(named["content-length"] ?? 0));
      resolve({ ...replyOf(Number(line.split(" ")[1] ?? 0), named, body), wire: text });
    };
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("close", done);
    // The server may cut a client that still sends; what it has said before counts.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
  });
}

export const DOCUMENT = JSON.parse(
  JSON.stringify(makeDocument(ROUTES, { version: "1.2.3", token: true })),
);

const AJV = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
AJV.addSchema(DOCUMENT, "doc");

/** What holds for every answer there is, whatever was asked. */
export function checkReply(reply: Reply, method: string, path: string): void {
  const what = `${method} ${path} -> ${reply.status} ${reply.text.slice(0, 400)}`;
  for (const [name, value] of Object.entries(SAFE_HEADERS)) {
    if (name === "content-security-policy" && path.startsWith("/docs")) continue;
    expect(reply.headers[name], `${what}: ${name}`).toBe(value);
  }
  expect(reply.text, what).not.toMatch(/\bat .*\.[jt]s:\d+|node_modules/);
  if (method === "HEAD") {
    expect(reply.text, what).toBe("");
    return;
  }
  if (reply.status >= 400) checkProblem(reply, what);
  const operation = operationOf(method, path);
  if (operation === undefined) return;
  const answers = DOCUMENT.paths[operation[0]!][operation[1]!].responses;
  expect(Object.keys(answers), what).toContain(String(reply.status));
  checkContent(reply, ["paths", ...operation, "responses", String(reply.status)], what);
}

function checkProblem(reply: Reply, what: string): void {
  expect(reply.headers["content-type"], what).toBe("application/problem+json");
  expect(matches(reply.body, ["components", "schemas", "Problem"]), what).toEqual([]);
  expect(reply.body.status, what).toBe(reply.status);
  expect(reply.body.type, what).toBe(`urn:mini-zaps:problem:${reply.body.kind}`);
}

function checkContent(reply: Reply, at: string[], what: string): void {
  const { content } = at.reduce((value, key) => value[key], DOCUMENT);
  if (content === undefined) {
    expect(reply.text, what).toBe("");
    return;
  }
  const type = (reply.headers["content-type"] ?? "").replace(/;.*/, "");
  const declared = "*/*" in content ? "*/*" : type;
  expect(Object.keys(content), what).toContain(declared);
  if (reply.body === null) return;
  expect(matches(reply.body, [...at, "content", declared, "schema"]), what).toEqual([]);
}

/** The mistakes of `value`, against the schema at that place in the document. */
export function matches(value: unknown, at: string[]): object[] {
  const pointer = at.map((key) => key.replaceAll("~", "~0").replaceAll("/", "~1")).join("/");
  const validate = AJV.getSchema(`doc#/${encodeURI(pointer)}`);
  if (validate === undefined) throw new Error(`no schema at ${pointer}`);
  return validate(value) ? [] : (validate.errors ?? []);
}

function operationOf(method: string, path: string): string[] | undefined {
  const plain = path.split("?")[0]!;
  const found = Object.keys(DOCUMENT.paths).find((known) => {
    const pattern = known.replace(/\{\w+\}/g, "[^/]+").replaceAll(".", "\\.");
    return new RegExp(`^${pattern}$`).test(plain);
  });
  const methods = found === undefined ? {} : DOCUMENT.paths[found];
  return method.toLowerCase() in methods ? [found!, method.toLowerCase()] : undefined;
}

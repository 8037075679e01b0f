// Hostile input, byte by byte: each row gets a refusal that says why, and the server goes on.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MAX_HEADER_BYTES } from "../../src/limits.js";
import { checkReply, startTest, type TestServer } from "./test-server.js";

const RUN = `run_${"0".repeat(26)}`;
const WORKFLOW = "/api/workflows/invoice_reminder";

interface Row {
  name: string;
  /** The request's first line, without its version. */
  line: string;
  headers?: string[];
  body?: string;
  status: number;
  kind: string;
}

/** Paths that are no id, however they are written. */
const PATHS: Row[] = [
  ["a traversal in place of an id", "/api/workflows/..%2f..%2fetc%2fpasswd"],
  ["a traversal in capitals", "/api/workflows/..%2F..%2Fetc%2Fpasswd"],
  ["a traversal with backslashes", "/api/workflows/..%5c..%5cetc%5cpasswd"],
  ["a traversal encoded twice", "/api/workflows/..%252f..%252fetc"],
  ["a traversal encoded thrice", "/api/workflows/..%25252fetc"],
  ["dots encoded", "/api/workflows/%2e%2e%2fx"],
  ["an overlong encoding of a slash", "/api/workflows/..%c0%af..%c0%afetc"],
  ["a full-width slash", "/api/workflows/..%ef%bc%8fetc"],
  ["a NUL", "/api/workflows/invoice_reminder%00"],
  ["a NUL and an extension", "/api/workflows/invoice_reminder%00.json"],
  ["a line break", "/api/workflows/invoice_reminder%0a"],
  ["a header after a line break", "/api/workflows/x%0d%0aset-cookie:%20a=b"],
  ["a tab", "/api/workflows/a%09b"],
  ["a space", "/api/workflows/a%20b"],
  ["half of an encoding", "/api/workflows/a%2"],
  ["an encoding of no hex", "/api/workflows/a%zz"],
  ["broken UTF-8", "/api/workflows/%ff%fe"],
  ["a letter that only looks right", "/api/workflows/invoice_rem%D1%96nder"],
  ["a right-to-left mark", "/api/workflows/a%e2%80%8f"],
  ["an absolute path", "/api/workflows/%2fetc%2fpasswd"],
  ["a drive", "/api/workflows/c:%5cwindows"],
  ["a dot file", "/api/workflows/.env"],
  ["an extension", "/api/workflows/invoice_reminder.yaml"],
  ["65 characters", `/api/workflows/${"a".repeat(65)}`],
  ["4 000 characters", `/api/workflows/${"a".repeat(4_000)}`],
  ["a markup", "/api/workflows/%3Cscript%3Ealert(1)%3C%2Fscript%3E"],
  ["a format", "/api/workflows/%25s%25n%25x"],
  ["a query of another language", "/api/workflows/x'%20OR%20'1'='1"],
  ["an expression", "/api/workflows/$%7B%7B7*7%7D%7D"],
].map(([name, path]) => ({ ...row(name!, `GET ${path}`), kind: "unknown_workflow" }));

const RUN_PATHS: Row[] = [
  ["a run's traversal", "/api/runs/..%2f..%2fjournal%2f1.jsonl"],
  ["a run with a NUL", `/api/runs/${RUN}%00`],
  ["a run with a line break", `/api/runs/${RUN}%0a`],
  ["a run with a line before it", `/api/runs/x%0a${RUN}`],
  ["a run in capitals", `/api/runs/${RUN.toUpperCase()}`],
  ["a run with too few digits", `/api/runs/${RUN.slice(0, -1)}`],
  ["a run with a letter that is no digit", `/api/runs/${RUN.slice(0, -1)}u`],
  ["a run named like a prototype", "/api/runs/__proto__"],
  ["a run named like a constructor", "/api/runs/constructor"],
  ["the events of a traversal", "/api/runs/..%2fx/events"],
].map(([name, path]) => ({ ...row(name!, `GET ${path}`), kind: "unknown_run" }));

const OTHER_PATHS: Row[] = [
  row("nothing", "GET /"),
  row("a traversal out of the routes", "GET /docs/../../../etc/passwd"),
  row("a traversal out of the documentation", "GET /docs/..%2f..%2fpackage.json"),
  row("another file of the documentation's package", "GET /docs/package.json"),
  row("a source map", "GET /docs/swagger-ui-bundle.js.map"),
  row("two slashes", "GET //api/runs"),
  row("another host in the path", "GET //evil.example/api/runs"),
  row("a semicolon", "GET /health;x=1"),
  row("a slash too many", "GET /health/"),
  row("the store", "GET /.workflows/runs/x.json"),
  row("the version control", "GET /.git/config"),
  { ...row("a prototype of the documentation", "GET /docs/__proto__") },
];

const TARGETS: Row[] = [
  bad("an absolute target", "GET http://evil.example/health"),
  bad("an absolute target of ours", "GET http://127.0.0.1/health"),
  bad("a target that is no path", "GET health"),
  bad("a star", "OPTIONS *"),
  bad("a backslash", "GET /api\\runs"),
  bad("a raw NUL", "GET /health\0"),
  bad("a raw line feed", "GET /hea\nlth"),
  bad("no method", "/health"),
  bad("a method that is none", "G€T /health"),
];

const METHODS: Row[] = ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "PURGE"].map(
  (method) => ({
    ...row(`the method ${method}`, `${method} ${WORKFLOW}/trigger`),
    status: 405,
    kind: "method_not_allowed",
  }),
);

const HEADERS: Row[] = [
  {
    ...row("headers that are too large", "GET /health", [`x: ${"x".repeat(MAX_HEADER_BYTES)}`]),
    status: 431,
    kind: "headers_too_large",
  },
  {
    ...row("a target that is too large", `GET /${"x".repeat(MAX_HEADER_BYTES)}`),
    status: 431,
    kind: "headers_too_large",
  },
  bad("a header without a name", "GET /health", [": x"]),
  bad("a header with a space in its name", "GET /health", ["a b: x"]),
  bad("a folded header", "GET /health", ["a: x", " y"]),
  bad("a NUL in a header", "GET /health", ["a: \0"]),
  bad("two lengths", `POST ${WORKFLOW}/trigger`, ["content-length: 2", "content-length: 3"]),
  bad("a length below nothing", `POST ${WORKFLOW}/trigger`, ["content-length: -1"]),
  bad("a length in hex", `POST ${WORKFLOW}/trigger`, ["content-length: 0x2"]),
  bad("a length and chunks", `POST ${WORKFLOW}/trigger`, [
    "content-length: 2",
    "transfer-encoding: chunked",
  ]),
  bad("an encoding besides chunked", `POST ${WORKFLOW}/trigger`, ["transfer-encoding: gzip"]),
  {
    ...row("a token in the user's part of a host", "GET /health", ["host: a:b@127.0.0.1:PORT"]),
    status: 400,
    kind: "bad_request",
  },
  {
    ...row("a forwarded host", "GET /nothing", ["x-forwarded-host: evil.example"]),
    status: 404,
    kind: "not_found",
  },
  {
    ...row("another method by a header", "GET /health/", ["x-http-method-override: DELETE"]),
    status: 404,
    kind: "not_found",
  },
];

const BODIES: Row[] = [
  body("nothing but a bracket", "{", "invalid_json"),
  body("100 000 brackets", "[".repeat(100_000), "invalid_json"),
  body("100 000 objects", '{"a":'.repeat(100_000), "invalid_json"),
  body("a prototype", '{"__proto__":{"context":{}}}', "invalid_json"),
  body("a constructor", '{"constructor":{"prototype":{}}}', "invalid_request"),
  body("a number that is none", '{"context":{"a":NaN}}', "invalid_json"),
  body("half a text", '{"context":{"a":"\\ud83', "invalid_json"),
  body("a comment", '{"context":{} /* none */}', "invalid_json"),
  body("two values", '{"context":{}}{"context":{}}', "invalid_json"),
  body("YAML", "context: {}", "invalid_json"),
  body("a list", "[{}]", "invalid_request"),
  body("a hundred thousand keys", `{${keys(100_000)}}`, "invalid_request"),
  {
    ...body("a form", "context=%7B%7D", "unsupported_media_type"),
    headers: ["content-type: application/x-www-form-urlencoded", "content-length: 14"],
    status: 415,
  },
  {
    ...body("a form that looks like JSON", '{"context":{"a":"=b"}}', "unsupported_media_type"),
    headers: ["content-type: text/plain", "content-length: 22"],
    status: 415,
  },
  {
    ...body("chunks that are none", "zz\r\n{}\r\n0\r\n\r\n", "bad_request"),
    headers: ["content-type: application/json", "transfer-encoding: chunked"],
  },
  {
    ...body("a chunk of an impossible size", "fffffffffffffffff\r\n{}", "bad_request"),
    headers: ["content-type: application/json", "transfer-encoding: chunked"],
  },
];

const ROWS = [
  ...PATHS,
  ...RUN_PATHS,
  ...OTHER_PATHS,
  ...TARGETS,
  ...METHODS,
  ...HEADERS,
  ...BODIES,
];

let server: TestServer;
beforeAll(async () => {
  server = await startTest({ limits: { headers_timeout_ms: 200, request_timeout_ms: 400 } });
});
afterAll(() => server.close());

describe("hostile input", () => {
  it("is tried in many ways", () => expect(ROWS.length).toBeGreaterThan(90));

  it.each(ROWS)("$name: $status $kind", async ({ line, headers = [], body = "", ...wanted }) => {
    const own = headers.some((header) => header.startsWith("host:"));
    const all = [...(own ? [] : ["host: 127.0.0.1:PORT"]), ...headers, "connection: close"];
    const head = [`${line} HTTP/1.1`, ...all].join("\r\n").replaceAll("PORT", `${server.port}`);
    const before = server.host.kept.size;
    const reply = await server.raw(`${head}\r\n\r\n${body}`);
    expect([reply.status, reply.body?.kind]).toEqual([wanted.status, wanted.kind]);
    // Outside of the documented paths: only what holds for all answers.
    checkReply(reply, "ANY", "/hostile");
    expect(reply.headers).not.toHaveProperty("set-cookie");
    expect(reply.wire).not.toMatch(/root:|\[object/);
    expect(server.host.kept.size).toBe(before);
  });

  it.each([
    ["headers that never end", "GET /health HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n"],
    [
      "a body that never ends",
      `POST ${WORKFLOW}/trigger HTTP/1.1\r\nhost: 127.0.0.1:PORT\r\n` +
        'content-type: application/json\r\ncontent-length: 100\r\n\r\n{"context":',
    ],
  ])("is not waited for: %s", async (_, bytes) => {
    const reply = await server.raw(bytes.replace("PORT", `${server.port}`));
    expect([reply.status, reply.body.kind]).toEqual([408, "request_timeout"]);
    checkReply(reply, "ANY", "/hostile");
  });

  it("may end in the middle of a body, and starts no run", async () => {
    const head = `POST ${WORKFLOW}/trigger HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n`;
    const type = "content-type: application/json\r\ncontent-length: 100\r\n\r\n";
    const before = server.host.kept.size;
    await server.raw(`${head}${type}{"context":{}}`, true);
    expect(server.host.kept.size).toBe(before);
  });

  it.each([
    "\0\0\0\0",
    "\x16\x03\x01\x02\x00",
    "SSH-2.0-x\r\n",
    "\r\n\r\n\r\n",
    "PRI * HTTP/2.0\r\n\r\n",
  ])("may be no HTTP at all: %j", async (bytes) => {
    const reply = await server.raw(Buffer.from(bytes, "latin1"), true);
    expect([0, 400]).toContain(reply.status);
  });

  it("leaves the server as it was: it answers, and its log has no unexpected error", async () => {
    expect((await server.get("/health")).status).toBe(200);
    expect(server.logged).toEqual([]);
    expect(Object.keys(Object.prototype)).toEqual([]);
  });
});

function row(name: string, line: string, headers: string[] = []): Row {
  return { name, line, headers, status: 404, kind: "not_found" };
}

function bad(name: string, line: string, headers: string[] = []): Row {
  return { ...row(name, line, headers), status: 400, kind: "bad_request" };
}

function body(name: string, text: string, kind: string): Row {
  const length = `content-length: ${Buffer.byteLength(text)}`;
  const headers = ["content-type: application/json", length];
  return { ...bad(name, `POST ${WORKFLOW}/trigger`, headers), body: text, kind };
}

function keys(count: number): string {
  return Array.from({ length: count }, (_, i) => `"${i}":0`).join(",");
}

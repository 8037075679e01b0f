// Answers that are made to break a client: each ends the step with an output or with a reason.

import { createServer, type Socket } from "node:net";
import { setImmediate as breathe } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Outcome } from "../../src/engine/command.js";
import type { Call } from "../../src/engine/ports.js";
import { attempt } from "./attempt.js";

const OK = "HTTP/1.1 200 OK\r\n";
const JSON_TYPE = "content-type: application/json\r\n";
const CHUNKED = "transfer-encoding: chunked\r\n\r\n";
const DEEP = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;

const failed = (kind: string, said: RegExp) => ({
  type: "failure",
  error: { kind, message: expect.stringMatching(said) },
});
const output = (body: unknown) => ({ type: "output", output: { status: 200, body } });
const NO_HTTP = failed("network", /did not answer in HTTP/);
const CLOSED = failed("network", /closed the connection/);
const LARGE = failed("network", /answered with headers that are too large/);
const LENGTH = failed("network", /answered with a body of another length than it says/);

const ROWS: [name: string, bytes: string | Buffer, outcome: object][] = [
  ["nothing", "", CLOSED],
  ["half of a status line", "HTTP/1.1 2", CLOSED],
  ["headers that never end", `${OK}x: 1\r\n`, CLOSED],
  ["no HTTP", "SSH-2.0-OpenSSH_9.6\r\n", NO_HTTP],
  ["a status that is none", "HTTP/1.1 abc OK\r\n\r\n", NO_HTTP],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", NO_HTTP],
  ["a status below nothing", "HTTP/1.1 -200 OK\r\n\r\n", NO_HTTP],
  ["another version", "HTTP/9.9 200 OK\r\n\r\n", NO_HTTP],
  ["a header of 100 KB", `${OK}x: ${"x".repeat(100_000)}\r\n\r\n`, LARGE],
  ["10 000 headers", `${OK}${"x: yyyyyyyyyy\r\n".repeat(10_000)}\r\n`, LARGE],
  ["a header without a name", `${OK}: x\r\n\r\n`, NO_HTTP],
  ["a NUL in a header", `${OK}x: \0\r\n\r\n`, NO_HTTP],
  ["a length that is too long", `${OK}content-length: 9\r\n\r\nhello`, CLOSED],
  ["a length that is too short", `${OK}content-length: 2\r\n\r\nhello`, output("he")],
  ["two lengths", `${OK}content-length: 2\r\ncontent-length: 5\r\n\r\nhello`, LENGTH],
  ["a length below nothing", `${OK}content-length: -1\r\n\r\nhello`, NO_HTTP],
  ["a length beyond all", `${OK}content-length: ${"9".repeat(30)}\r\n\r\nhello`, LENGTH],
  ["a length and chunks", `${OK}content-length: 2\r\n${CHUNKED}2\r\nhe\r\n0\r\n\r\n`, LENGTH],
  ["a chunk of no size", `${OK}${CHUNKED}zz\r\nhello\r\n0\r\n\r\n`, NO_HTTP],
  ["a chunk of too small a size", `${OK}${CHUNKED}2\r\nhello\r\n0\r\n\r\n`, NO_HTTP],
  ["a chunk beyond all sizes", `${OK}${CHUNKED}${"f".repeat(17)}\r\nhello`, NO_HTTP],
  ["chunks that never end", `${OK}${CHUNKED}5\r\nhello\r\n`, CLOSED],
  ["a second answer", `${OK}content-length: 2\r\n\r\nhe${OK}\r\nllo`, output("he")],
  ["hints without end", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000), CLOSED],
  [
    "another protocol",
    "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n",
    failed("network", /a way that HTTP does not allow/),
  ],
  ["JSON that is none", `${OK}${JSON_TYPE}\r\n{oops`, output("{oops")],
  ["JSON too deep to be kept", `${OK}${JSON_TYPE}\r\n${DEEP}`, output(DEEP)],
  ["JSON with a number too large", `${OK}${JSON_TYPE}\r\n[1e999]`, output("[1e999]")],
  ["JSON that ends early", `${OK}${JSON_TYPE}content-length: 9\r\n\r\n{"a":`, CLOSED],
  ["a charset that is none", `${OK}content-type: x; charset=none\r\n\r\nhi`, output("hi")],
  ["bytes that are no UTF-8", Buffer.from(`${OK}\r\n\xff\xfe`, "latin1"), output("\ufffd\ufffd")],
  ["2 MB", `${OK}\r\n${"x".repeat(2_000_000)}`, failed("too_large", /more than 1048576 bytes/)],
];

describe("given a subscriber that answers with", () => {
  test.each(ROWS)("%s, then the step ends and says so", async (_, bytes, wanted) => {
    const port = await subscriber((socket) => void socket.end(bytes));
    const outcome = await ask({ url: `http://127.0.0.1:${port}/` });
    expect(outcome).toMatchObject(wanted);
    expect(JSON.stringify(outcome)).not.toMatch(/\bat .*\.[jt]s:\d+/);
  });

  test("the names of prototypes, then they are data", async () => {
    const text = '{"__proto__":{"status":1},"constructor":{"prototype":{"a":1}},"toString":2}';
    const port = await subscriber((socket) => void socket.end(`${OK}${JSON_TYPE}\r\n${text}`));
    const outcome = await ask({ url: `http://127.0.0.1:${port}/` });
    if (outcome.type !== "output") throw new Error(JSON.stringify(outcome));
    expect(JSON.stringify((outcome.output as { body: unknown }).body)).toBe(text);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { a?: unknown }).a).toBeUndefined();
  });

  test("16 MB in 16 KB of gzip, then nothing is unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(16 * 1024 * 1024));
    const head = Buffer.from(`${OK}content-encoding: gzip\r\n\r\n`);
    const port = await subscriber((socket) => void socket.end(Buffer.concat([head, bomb])));
    const outcome = await ask({ url: `http://127.0.0.1:${port}/` });
    if (outcome.type !== "output") throw new Error(JSON.stringify(outcome));
    expect((outcome.output as { body: string }).body.length).toBeLessThanOrEqual(bomb.length);
  });

  test("a body without end, then it is cut off", async () => {
    const port = await subscriber((socket) => pour(socket, `${OK}\r\n`, "x".repeat(65_536)));
    const outcome = await ask({ url: `http://127.0.0.1:${port}/` });
    expect(outcome).toMatchObject(failed("too_large", /more than 1048576 bytes/));
  });

  test("headers without end, then it is cut off", async () => {
    const port = await subscriber((socket) => pour(socket, OK, "x: yyyyyyyyyyyyyyyy\r\n"));
    expect(await ask({ url: `http://127.0.0.1:${port}/` })).toMatchObject(LARGE);
  });
});

async function pour(socket: Socket, first: string, more: string): Promise<void> {
  socket.write(first);
  while (!socket.destroyed) {
    socket.write(more);
    await breathe();
  }
}

async function subscriber(answer: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => {}).once("data", () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as { port: number }).port;
}

function ask(config: Call["config"]): Promise<Outcome> {
  return attempt("http", config);
}

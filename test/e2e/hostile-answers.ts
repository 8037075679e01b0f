// A hostile subscriber: it answers each call with bytes that a client may choke on.

import { createServer, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { later } from "../cli/harness.js";
import { type Maker, NASTY_JSON } from "./hostile-values.js";

const NEAR = [
  ...["10.0.0.1", "169.254.169.254", "0x7f.1", "2130706433", "0", "[::1]", "[::ffff:10.0.0.1]"],
  ...["localhost:1", "LOCALHOST.", "127.0.0.1:1", "[fd00:ec2::254]", "100.100.100.200", "[::]"],
];
const BOMB = gzipSync(Buffer.alloc(16 * 1024 * 1024));
const LARGE = Buffer.alloc(1024 * 1024 + 1, "x");

/** Each ends by itself: what never does has a time-out of its own, and tests of its own. */
const SHAPES: ((make: Maker) => string | Buffer)[] = [
  (make) => `${make.text()}\r\n\r\n`,
  (make) => `HTTP/1.1 ${make.text()}\r\n\r\n`,
  (make) => `HTTP/${make.text()} 200 OK\r\n\r\n`,
  (make) => `HTTP/1.1 ${make.pick(["0", "099", "1000", "-1", "2e2", "999"])} x\r\n\r\n`,
  (make) => ok([`${make.text()}: ${make.text()}`]),
  (make) => ok(Array.from({ length: make.below(2_000) }, (_, i) => `x${i}: ${i}`)),
  (make) => ok([`x: ${"x".repeat(make.below(40_000))}`]),
  (make) => ok([`content-length: ${make.text()}`], "{}"),
  (make) => ok([`content-length: ${make.below(99)}`], "x".repeat(make.below(99))),
  (make) => ok(["content-length: 2", `content-length: ${make.below(99)}`], "{}"),
  (make) => ok([`transfer-encoding: ${make.text()}`], "2\r\n{}\r\n0\r\n\r\n"),
  (make) => ok(["transfer-encoding: chunked", "content-length: 2"], `${make.below(9)}\r\n{}\r\n`),
  (make) => ok(["transfer-encoding: chunked"], `${make.text()}\r\n{}\r\n0\r\n\r\n`),
  (make) =>
    ok(["transfer-encoding: chunked"], `2;${make.text()}\r\n{}\r\n0\r\n${make.text()}\r\n\r\n`),
  (make) => ok(["content-type: application/json"], make.pick(NASTY_JSON)),
  (make) => ok(["content-type: application/json"], JSON.stringify({ [make.text()]: make.text() })),
  (make) => ok(["content-type: application/json"], `{"__proto__":{"status":${make.below(9)}}}`),
  (make) => ok([`content-type: text/plain; charset=${make.text()}`], make.text()),
  (make) => ok([`content-encoding: ${make.pick(["gzip", "br", "deflate", "x"])}`], make.text()),
  () => Buffer.concat([Buffer.from(ok(["content-encoding: gzip"])), BOMB]),
  () => Buffer.concat([Buffer.from(ok([])), LARGE]),
  (make) => `HTTP/1.1 ${make.pick(REDIRECTS)} x\r\nlocation: http://${make.pick(NEAR)}/\r\n\r\n`,
  (make) => `HTTP/1.1 ${make.pick(REDIRECTS)} x\r\nlocation: /${make.text()}\r\n\r\n`,
  (make) => `HTTP/1.1 ${make.pick(REDIRECTS)} x\r\nlocation: x${make.text()}:y\r\n\r\n`,
  (make) => `HTTP/1.1 503 x\r\nretry-after: ${make.text()}\r\ndate: ${make.text()}\r\n\r\n`,
  (make) => `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(make.below(500))}${ok([])}`,
  () => "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
  (make) => `HTTP/1.1 ${make.pick(["204", "304"])} x\r\ncontent-length: 5\r\n\r\nhello`,
  (make) => `${ok(["content-length: 0"])}${ok([], make.text())}`,
  () => "",
];

const REDIRECTS = ["301", "302", "303", "307", "308", "300", "399"];

export function hostileAnswer(make: Maker): string | Buffer {
  return make.pick(SHAPES)(make);
}

function ok(headers: string[], body = ""): string {
  return `${["HTTP/1.1 200 OK", ...headers].join("\r\n")}\r\n\r\n${body}`;
}

/** Answers `/N…` with what `answerOf(N)` says, and closes. */
export async function hostileSubscriber(
  answerOf: (number: number) => string | Buffer,
): Promise<{ port: number }> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    socket.once("data", (head) => {
      const [, number] = /^[A-Z]+ \/(\d+)/.exec(head.toString("latin1")) ?? [];
      socket.end(number === undefined ? "HTTP/1.1 404 x\r\n\r\n" : answerOf(Number(number)));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  later(async () => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port };
}

/** The flow that calls it, for the answer of this number. */
export function callingFlow(port: number): string {
  return `id: calling
context: { type: object, required: [n], properties: { n: { type: integer } } }
steps:
  - { id: call, type: http, config: { url: "http://127.0.0.1:${port}/\${{ context.n }}" } }
`;
}

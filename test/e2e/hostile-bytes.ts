// Hostile requests that no client library would send: bytes on a socket that are no good HTTP.

import { connect } from "node:net";
import type { Maker } from "./hostile-values.js";

/** A line, headers and what follows them. `PORT` stands for the server's. */
interface Parts {
  line?: string;
  headers?: string[];
  body?: string;
}

const POST = "POST /api/workflows/strict/trigger HTTP/1.1";

/** Each is refused whatever the text in it is, and none makes the server wait for more. */
const SHAPES: ((make: Maker) => Parts)[] = [
  (make) => ({ line: `x${make.text()} /health HTTP/1.1` }),
  (make) => ({ line: `GET /x${make.text()} HTTP/1.1` }),
  (make) => ({ line: `GET x${make.text()} HTTP/1.1` }),
  (make) => ({ line: `GET http://x${make.text()}/health HTTP/1.1` }),
  (make) => ({ line: `CONNECT x${make.text()}:443 HTTP/1.1` }),
  (make) => ({ line: `GET /health HTTP/x${make.text()}` }),
  (make) => ({ line: `GET /health HTTP/1.1 ${make.text()}x` }),
  (make) => ({ headers: [`host: x${make.text()}`] }),
  (make) => ({ headers: ["host: 127.0.0.1:PORT", `host: x${make.text()}`] }),
  (make) => ({ headers: [`host: 127.0.0.1:PORT${make.text()}x`] }),
  (make) => ({ headers: [`${make.text()} x: 1`] }),
  (make) => ({ line: "GET /x HTTP/1.1", headers: [`x: ${make.text()}`] }),
  (make) => ({ line: "GET /x HTTP/1.1", headers: many(make.below(300)) }),
  (make) => ({ headers: [`x: ${make.text()}`, ` y${make.text()}`] }),
  (make) => ({ headers: [`x: ${make.text()}\ry: z`] }),
  (make) => ({ line: POST, headers: [`content-length: ${make.text()} x`] }),
  (make) => ({ line: POST, headers: [`content-length: ${make.below(9)}`, "content-length: 10"] }),
  (make) => ({ line: POST, headers: [`transfer-encoding: x${make.text()}`] }),
  (make) => ({
    line: POST,
    headers: ["transfer-encoding: chunked", `content-length: ${make.below(99)}`],
  }),
  (make) => ({ line: POST, headers: CHUNKED, body: `g${make.text()}\r\n{}\r\n0\r\n\r\n` }),
  (make) => ({ line: POST, headers: CHUNKED, body: `2\r\n{}${make.text()}x\r\n0\r\n\r\n` }),
  (make) => ({ line: POST, headers: CHUNKED, body: `${"f".repeat(17 + make.below(50))}\r\n{}` }),
  (make) => ({ line: `${make.text()}x` }),
];

const CHUNKED = ["content-type: application/json", "transfer-encoding: chunked"];

export function hostileBytes(make: Maker, port: number): Buffer {
  const { line = "GET /x HTTP/1.1", headers = [], body = "" } = make.pick(SHAPES)(make);
  const own = headers.some((header) => header.startsWith("host:"));
  const all = [line, "connection: close", ...(own ? [] : ["host: 127.0.0.1:PORT"]), ...headers];
  return Buffer.from(`${all.join("\r\n").replaceAll("PORT", String(port))}\r\n\r\n${body}`);
}

/** All that comes until the other side closes. */
export function sendBytes(port: number, bytes: Buffer | string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.write(bytes));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("utf8")));
    // The server may cut a client that still sends; what it has said before counts.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ECONNRESET" && error.code !== "EPIPE") reject(error);
    });
  });
}

/** Undefined: it is one answer, a refusal in words. More than one: something was smuggled in. */
export function troubleIn(wire: string): string | undefined {
  const statuses = [...wire.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) =>
    Number(status),
  );
  const [status = 0] = statuses;
  if (statuses.length !== 1 || status < 400 || status > 499) return wire || "no answer";
  if (!/^content-type: application\/problem\+json\r$/im.test(wire)) return wire;
  return undefined;
}

function many(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `x${i}: ${i}`);
}

// A subscriber that gives away what it is sent, each path in another way.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { later } from "../cli/harness.js";

type Leak = (secret: string, response: ServerResponse, body: string) => void;

const LEAKS: { [path: string]: Leak } = {
  "/body": (_, response, body) => json(response, 200, { received: JSON.parse(body) }),
  "/text": (secret, response) => response.writeHead(200).end(`you said ${secret}, loudly`),
  "/header": (secret, response) =>
    response.writeHead(200, { "x-echo": secret, "set-cookie": `session=${secret}` }).end(),
  "/key": (secret, response) => json(response, 200, { [secret]: { [`x-${secret}`]: secret } }),
  "/base64": (secret, response) =>
    json(response, 200, { basic: Buffer.from(`user:${secret}`).toString("base64") }),
  "/encoded": (secret, response) =>
    json(response, 200, {
      url: `http://x.test/?t=${encodeURIComponent(secret)}`,
      hex: Buffer.from(secret).toString("hex"),
      inner: JSON.stringify({ secret }),
    }),
  "/status": (secret, response) => response.writeHead(500, ascii(secret)).end(`no ${secret}`),
  "/redirect": (secret, response) =>
    response.writeHead(302, { location: `http://x.test/${ascii(secret)}` }).end(),
  "/garbage": (secret, response) =>
    response.socket?.end(`HTTP/1.1 ${secret} 200 ${secret}\r\n\r\n`),
  "/endless": (secret, response) => response.writeHead(200).end(secret.repeat(100_000)),
};

export async function leakySubscriber(secretOf: (request: IncomingMessage) => string) {
  const heard: string[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      heard.push(secretOf(request));
      const leak = LEAKS[request.url ?? ""];
      if (leak === undefined) json(response, 404, { unknown: request.url });
      else leak(secretOf(request), response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  later(async () => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, heard, paths: Object.keys(LEAKS) };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** What a status line and an address can carry. */
function ascii(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, "");
}

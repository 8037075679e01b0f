// The demo's other side: a small HTTP server that takes what a webhook step sends.

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { MAX_BODY_BYTES } from "../limits.js";

export interface Received {
  method: string;
  path: string;
  idempotency_key: string;
  body: string;
}

export interface Subscriber {
  url: string;
  received: Received[];
  close(): Promise<void>;
}

/** On the port asked for, or on a free one if that is taken. */
export async function startSubscriber(port: number): Promise<Subscriber> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    bodyOf(request).then(
      (body) => {
        received.push({
          method: request.method ?? "",
          path: request.url ?? "",
          idempotency_key: String(request.headers["idempotency-key"] ?? ""),
          body,
        });
        response.writeHead(200, { "content-type": "application/json" }).end('{"received":true}');
      },
      () => response.writeHead(413).end(),
    );
  });
  await listen(server, port).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return listen(server, 0);
  });
  const { port: bound } = server.address() as AddressInfo;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${bound}/notify`, received, close };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      server.off("error", reject);
      resolve();
    });
  });
}

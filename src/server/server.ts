// Starts the HTTP door over a host: listens, answers, and closes within a bounded time.

import { lookup } from "node:dns/promises";
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, BlockList, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { inspect } from "node:util";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import type { Host } from "../engine/runner.js";
import {
  CLOSE_GRACE_MS,
  HEADERS_TIMEOUT_MS,
  HEARTBEAT_MS,
  KEEP_ALIVE_MS,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_STREAMS,
  MAX_UNACCEPTED,
  MAX_WAITS,
  MIN_TOKEN,
  REQUEST_TIMEOUT_MS,
  STREAMS_OF_CONNECTIONS,
} from "../limits.js";
import { SAFE_HEADERS } from "./answer.js";
import { makeFetch, unreadable } from "./app.js";
import { isTooLarge } from "./body.js";
import { bracketed, type Gate, makeGate } from "./gate.js";
import type { Log } from "./log.js";
import { Metrics } from "./metrics.js";
import { mostConnections } from "./open-files.js";
import { makeDocument } from "./openapi.js";
import { Problem, rawProblem } from "./problem.js";
import { RATE, Rate, type RateOptions } from "./rate.js";
import { ROUTES } from "./routes.js";
import { makeAdmit, type TokenOptions } from "./scope.js";
import { Slots } from "./slots.js";

export interface ServerOptions {
  /** The address to bind; all but loopback needs a token. */
  host: string;
  /** 0: any free one. */
  port: number;
  /** Wanted in each request, as `Authorization: Bearer TOKEN`; it grants everything. */
  token?: string;
  /** Further tokens, which may come and go while it runs. */
  tokens?: TokenOptions["tokens"];
  /** Of the product. */
  version: string;
  /** Absent: unexpected errors go to stderr, the rest nowhere. */
  log?: Log;
  /** Further host names it is reached by, as of a proxy in front of it. */
  names?: readonly string[];
  /** For tests: absent ones are those of limits.ts. */
  limits?: Partial<ServerLimits>;
}

export interface ServerLimits {
  headers_timeout_ms: number;
  request_timeout_ms: number;
  heartbeat_ms: number;
  close_grace_ms: number;
  max_streams: number;
  max_waits: number;
  /** Of a client from elsewhere. */
  rate: RateOptions;
  /** Of programs of this machine, a proxy among them. Absent: as many as they like. */
  loopback_rate?: RateOptions;
}

export interface RunningServer {
  /** Where this machine reaches it: `http://127.0.0.1:8000`, without a final slash. */
  url: string;
  /** Takes no new requests, ends the streams, lets the others end for a bounded time. */
  close(): Promise<void>;
}

/** What keeps a server from starting. */
export class ServerError extends Error {
  constructor(
    readonly code: "token_needed" | "bad_token" | "port_taken" | "not_allowed" | "bad_address",
    message: string,
  ) {
    super(message);
    this.name = "ServerError";
  }
}

export async function startServer(host: Host, options: ServerOptions): Promise<RunningServer> {
  const connections = mostConnections();
  const limits = { ...limitsFor(connections), ...options.limits };
  const log = options.log ?? STDERR;
  const address = await addressOf(options.host);
  const loopback = isLoopback(address);
  checkToken(options, loopback);
  const server = makeServer(limits);
  server.maxConnections = connections;
  const port = await listen(server, address, options);
  const { token, tokens, names, version } = options;
  const gate = makeGate({
    host: options.host,
    port,
    loopback,
    ...(names === undefined ? {} : { names }),
  });
  const closing = new AbortController();
  setMaxListeners(0, closing.signal);
  const open = { streams: new Slots(limits.max_streams), waits: new Slots(limits.max_waits) };
  const fetch = makeFetch(
    ROUTES,
    {
      host,
      log,
      ...open,
      metrics: new Metrics(open),
      heartbeat_ms: limits.heartbeat_ms,
      loopback,
      admit: makeAdmit({ loopback, ...(token && { token }), ...(tokens && { tokens }) }),
      clean: (text) => host.redact?.(text) ?? text,
      closing: closing.signal,
      document: makeDocument(ROUTES, { version, token: !loopback || token !== undefined }),
    },
    withRate(gate, limits),
  );
  const errorHandler = (error: unknown) => unreadable(error, log);
  const silent = answerWith(
    server,
    getRequestListener((request, bindings) => fetch(request, bindings as HttpBindings), {
      hostname: "localhost",
      errorHandler,
    }),
  );
  let closed: Promise<void> | undefined;
  return {
    url: `http://${bracketed(WILDCARDS[options.host] ?? options.host)}:${port}`,
    close() {
      closed ??= close(server, closing, silent, limits.close_grace_ms);
      return closed;
    },
  };
}

/** Counted before anything else is looked at. */
function withRate(gate: Gate, { rate, loopback_rate }: ServerLimits): Gate {
  const elsewhere = new Rate(rate);
  const here = loopback_rate && new Rate(loopback_rate);
  return (incoming) => {
    const client = incoming.socket.remoteAddress ?? "";
    const counted = isLoopback(client.replace(/^::ffff:/, "")) ? here : elsewhere;
    if (counted?.take(client, Date.now()) === false) {
      return new Problem("too_many_requests", "Too many requests from this address: slow down.");
    }
    return gate(incoming);
  };
}

/** Bound to all addresses, it is reached from here by this one. */
const WILDCARDS: { readonly [host: string]: string } = { "0.0.0.0": "127.0.0.1", "::": "::1" };

function limitsFor(connections: number): ServerLimits {
  return {
    headers_timeout_ms: HEADERS_TIMEOUT_MS,
    request_timeout_ms: REQUEST_TIMEOUT_MS,
    heartbeat_ms: HEARTBEAT_MS,
    close_grace_ms: CLOSE_GRACE_MS,
    max_streams: Math.min(MAX_STREAMS, Math.floor(connections * STREAMS_OF_CONNECTIONS)),
    max_waits: MAX_WAITS,
    rate: RATE,
  };
}

const STDERR: Log = {
  info() {},
  warn() {},
  error(fields, message) {
    process.stderr.write(`${message}: ${inspect(fields)}\n`);
  },
};

/** Resolved once, and bound as resolved: a name cannot turn from loopback into something else. */
async function addressOf(host: string): Promise<string> {
  try {
    if (host === "") throw new Error("it is empty");
    return (await lookup(host)).address;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const detail = `Cannot listen on host ${JSON.stringify(host)}: ${reason}`;
    throw new ServerError("bad_address", `${detail}. Give an address of this machine.`);
  }
}

/** Asked for each request: the usual spellings cost no look into the list. */
function isLoopback(address: string): boolean {
  const version = isIP(address);
  if (version !== 6) return version === 4 && address.startsWith("127.");
  return address === "::1" || LOOPBACK.check(address, "ipv6");
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

function checkToken({ token, tokens, host }: ServerOptions, loopback: boolean): void {
  if (token === undefined) {
    if (loopback || (tokens?.count() ?? 0) > 0) return;
    const detail = `Refusing to listen on ${host} without a token: anyone could start runs`;
    const advice = "Set one, make one with flows token create, or listen on 127.0.0.1.";
    throw new ServerError("token_needed", `${detail}. ${advice}`);
  }
  if (!/^[\x21-\x7e]+$/.test(token)) {
    const detail = "The token is empty, or has other characters than visible ASCII";
    throw new ServerError("bad_token", `${detail}. Use letters and digits.`);
  }
  if (!loopback && token.length < MIN_TOKEN) {
    const detail = `The token has ${token.length} characters; on ${host} it can be guessed`;
    throw new ServerError("bad_token", `${detail}. Use ${MIN_TOKEN} or more.`);
  }
}

function makeServer(limits: ServerLimits): Server {
  const server = createServer({
    headersTimeout: limits.headers_timeout_ms,
    requestTimeout: limits.request_timeout_ms,
    connectionsCheckingInterval: Math.min(limits.headers_timeout_ms / 4, 1_000),
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    // The gate says so itself, with a problem as its answer.
    requireHostHeader: false,
  });
  server.maxHeadersCount = MAX_HEADERS;
  return server;
}

async function listen(server: Server, address: string, options: ServerOptions): Promise<number> {
  const { host, port } = options;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject).listen({ host: address, port, backlog: MAX_UNACCEPTED }, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, host, port);
  }
  return (server.address() as AddressInfo).port;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ServerError {
  const where = `Cannot listen on ${bracketed(host)}:${port}`;
  switch (error.code) {
    case "EADDRINUSE": {
      const detail = "another program listens there already";
      return new ServerError("port_taken", `${where}: ${detail}. Give another --port.`);
    }
    case "EACCES": {
      const detail = "this user may not open that port";
      return new ServerError("not_allowed", `${where}: ${detail}. Give a --port above 1023.`);
    }
    default:
      return new ServerError("bad_address", `${where}: ${error.message}.`);
  }
}

type Listener = (incoming: IncomingMessage, outgoing: ServerResponse) => Promise<void>;

/** Returns the connections that have not asked for anything yet: Node forgets them at closing. */
function answerWith(server: Server, listener: Listener): ReadonlySet<Duplex> {
  const silent = new Set<Duplex>();
  server.on("connection", (socket) => {
    silent.add(socket);
    socket.once("close", () => silent.delete(socket));
  });
  const answers = new WeakMap<Duplex, ServerResponse>();
  const answer = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    silent.delete(incoming.socket);
    answers.set(incoming.socket, outgoing);
    void listener(incoming, outgoing);
  };
  server.on("request", answer);
  server.on("checkContinue", (incoming, outgoing) => {
    // Else the client sends a body that is too large only to be refused.
    if (!isTooLarge(incoming)) outgoing.writeContinue();
    answer(incoming, outgoing);
  });
  server.on("checkExpectation", answer);
  server.on("connect", (_incoming, socket) => {
    const detail = "This server is no proxy: CONNECT leads nowhere.";
    const problem = new Problem("bad_request", detail);
    socket.end(rawProblem(problem, SAFE_HEADERS), () => socket.destroy());
  });
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const outgoing = answers.get(socket);
    const isUnderWay = outgoing !== undefined && !outgoing.writableFinished;
    if (error.code === "ECONNRESET" || !socket.writable) socket.destroy();
    // What came before the mistake is answered first, and as it deserves.
    else if (isUnderWay && outgoing.req.complete)
      outgoing.once("close", () => refuse(error, socket));
    else if (isUnderWay && outgoing.headersSent) socket.destroy();
    else refuse(error, socket);
  });
  return silent;
}

function refuse(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable) socket.destroy();
  else socket.end(rawProblem(clientProblem(error), SAFE_HEADERS), () => socket.destroy());
}

/** What Node itself could not read, so that no route ever saw it. */
function clientProblem({ code }: NodeJS.ErrnoException): Problem {
  if (code === "HPE_HEADER_OVERFLOW") {
    const detail = `The request's line and headers are larger than ${MAX_HEADER_BYTES} bytes.`;
    return new Problem("headers_too_large", detail);
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    return new Problem("request_timeout", "The request took too long to arrive.");
  }
  return new Problem("bad_request", "The request is not well-formed HTTP/1.1.");
}

async function close(
  server: Server,
  closing: AbortController,
  silent: ReadonlySet<Duplex>,
  grace_ms: number,
): Promise<void> {
  closing.abort();
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  for (const socket of silent) socket.destroy();
  // Connections become idle one by one as their answers end; Node looks for them only once.
  const idle = setInterval(() => server.closeIdleConnections(), 20);
  const cut = setTimeout(() => server.closeAllConnections(), grace_ms);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}

// HTTP by undici, bounded, with causes said in plain words.

import { Agent, errors } from "undici";
import { ConnectorError, type HttpRequest, type HttpResponse } from "../../engine/ports.js";
import { IDLE_CONNECTION_MS, MAX_CONNECTIONS_PER_HOST } from "../../limits.js";
import { createConnector } from "./checked-connect.js";
import { EgressError, type EgressPolicy, type Lookup } from "./egress.js";
import { TimedOut } from "./timed-out.js";

export interface HttpClient {
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Breaks off what is under way. */
  close(): Promise<void>;
}

export function openHttp(policy: EgressPolicy, lookup?: Lookup): HttpClient {
  const agent = new Agent({
    connect: createConnector(policy, lookup),
    connections: MAX_CONNECTIONS_PER_HOST,
    keepAliveTimeout: IDLE_CONNECTION_MS,
    // The step's own time-out is the only clock: it covers connecting, waiting and reading.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return { send: (request) => send(agent, request), close: () => agent.destroy() };
}

async function send(agent: Agent, request: HttpRequest): Promise<HttpResponse> {
  const url = parseUrl(request.url);
  const progress: Progress = { host: url.host };
  const abort = new AbortController();
  const stop = () => abort.abort((request.signal as AbortSignal).reason);
  if (request.signal.aborted) stop();
  request.signal.addEventListener("abort", stop);
  try {
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method as "GET",
      headers: { "accept-encoding": "identity", ...request.headers },
      body: request.body ?? null,
      signal: abort.signal,
    });
    progress.status = answer.statusCode;
    const headers = joinHeaders(answer.headers);
    const bytes = await readBounded(answer.body, request.max_response_bytes, progress);
    return { status: answer.statusCode, headers, body: decode(bytes, headers["content-type"]) };
  } catch (error) {
    throw toConnectorError(error, progress);
  }
}

interface Progress {
  host: string;
  /** Once the other side has answered. */
  status?: number;
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ConnectorError({
      kind: "invalid_request",
      message: "the url is not a valid http:// or https:// address",
    });
  }
  if (url.username !== "" || url.password !== "") {
    throw new ConnectorError({
      kind: "invalid_request",
      message: `the url of ${url.host} holds a user name or password: send a header instead`,
    });
  }
  return url;
}

function joinHeaders(headers: { [name: string]: string | string[] | undefined }): {
  [name: string]: string;
} {
  const entries = Object.entries(headers).map(([name, value]) => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(", ") : (value ?? ""),
  ]);
  return Object.fromEntries(entries);
}

async function readBounded(
  body: AsyncIterable<Uint8Array>,
  limit: number,
  { host, status }: Progress,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early destroys the body, and with it the connection.
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limit) {
      const message = `${host} answered ${status} with a body of more than ${limit} bytes`;
      throw new ConnectorError({ kind: "too_large", message, ...(status && { status }) });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** In the charset that the answer names, if we know it; else as UTF-8. */
function decode(bytes: Uint8Array, contentType = ""): string {
  const label = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1] ?? "utf-8";
  try {
    return new TextDecoder(label).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

function toConnectorError(error: unknown, progress: Progress): ConnectorError {
  if (error instanceof ConnectorError) return error;
  const { host, status } = progress;
  const failed = (kind: string, message: string) =>
    new ConnectorError({ kind, message, ...(status !== undefined && { status }) });
  if (error instanceof TimedOut) {
    const within = `within ${error.timeout_ms / 1_000} s`;
    return status === undefined
      ? failed("timeout", `${host} did not answer ${within}`)
      : failed("timeout", `${host} answered ${status}, but its body did not end ${within}`);
  }
  if (error instanceof EgressError) return failed("egress", error.message);
  const known = error as { code?: string; message?: string };
  if (error instanceof errors.InvalidArgumentError || error instanceof errors.NotSupportedError) {
    return failed("invalid_request", `the request to ${host} cannot be sent: ${known.message}`);
  }
  if (error instanceof errors.HTTPParserError) {
    return failed("network", `${host} did not answer in HTTP: ${known.message}`);
  }
  const cause = known.code ?? "";
  const sentence = CAUSES[cause] ?? otherCause(cause, known.message ?? String(error));
  return failed("network", `${host} ${sentence}${cause === "" ? "" : ` (${cause})`}`);
}

const CAUSES: { readonly [code: string]: string } = {
  ECONNREFUSED: "refused the connection: nothing listens there",
  ENOTFOUND: "is an unknown name: no address was found for it",
  EAI_AGAIN: "could not be looked up: the name service does not answer",
  EHOSTUNREACH: "cannot be reached",
  ENETUNREACH: "cannot be reached from this network",
  ETIMEDOUT: "did not accept the connection in time",
  UND_ERR_CONNECT_TIMEOUT: "did not accept the connection in time",
  ECONNRESET: "closed the connection before it had answered",
  EPIPE: "closed the connection before it had answered",
  UND_ERR_SOCKET: "closed the connection before it had answered",
  UND_ERR_HEADERS_OVERFLOW: "answered with headers that are too large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "answered with a body of another length than it says",
  // Of undici, where the other side goes over to a protocol that nobody asked for.
  ERR_ASSERTION: "answered in a way that HTTP does not allow",
  EMFILE: "was not called: this process has too many open files",
};

function otherCause(code: string, message: string): string {
  if (/CERT|SIGNATURE|SELF_SIGNED|ISSUER/.test(code)) {
    return `has a certificate that is not trusted: ${message}`;
  }
  if (/^(?:EPROTO|ERR_SSL)/.test(code)) {
    return "does not speak TLS as https:// needs it: is it an http:// address?";
  }
  return `could not be called: ${message}`;
}

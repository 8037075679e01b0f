// Follows redirects: a bounded number, and to another origin without what is meant for the first.

import { ConnectorError, type HttpRequest, type HttpResponse } from "../../engine/ports.js";
import { MAX_REDIRECTS } from "../../limits.js";
import { isNear } from "./egress.js";

type Send = (request: HttpRequest) => Promise<HttpResponse>;

/**
 * Both check each address. `sendFar` does it for the hosts that only an answer has named: listing a
 * private host lets flow files and data choose it, and nobody else.
 */
export async function followRedirects(
  request: HttpRequest,
  send: Send,
  sendFar: Send,
): Promise<HttpResponse> {
  let current = request;
  for (let hops = 0; ; hops++) {
    const isFar = hops > 0 && new URL(current.url).hostname !== new URL(request.url).hostname;
    const response = await (isFar ? sendFar : send)(current);
    const next = request.redirects && nextRequest(current, response);
    if (!next) return response;
    if (hops === MAX_REDIRECTS) {
      throw refused(response, `${hostOf(request)} redirects more than ${MAX_REDIRECTS} times`);
    }
    current = next;
  }
}

/** Undefined: it is no redirect, or one that is expected. */
function nextRequest(request: HttpRequest, response: HttpResponse): HttpRequest | undefined {
  const { status, headers } = response;
  const { redirects = { expect: [], secret_headers: [], secret_body: false } } = request;
  if (!REDIRECTS.has(status) || headers.location === undefined) return undefined;
  if (redirects.expect.includes(status)) return undefined;
  const from = new URL(request.url);
  const to = URL.canParse(headers.location, from.href)
    ? new URL(headers.location, from)
    : undefined;
  if (to === undefined || !/^https?:$/.test(to.protocol)) {
    throw refused(response, `${from.host} redirects to what is no http:// or https:// address`);
  }
  // No flow file has this literal, and the egress policy lets through what stands in `url` itself.
  if (from.hostname !== to.hostname && isNear(to)) {
    throw refused(
      response,
      `${from.host} redirects to ${to.host}, a loopback or private address: ` +
        "if that is meant, write the address itself in url",
    );
  }
  // Browsers and fetch do the same: what was sent has done its work, and the answer is elsewhere.
  const asksAgain = status === 303 || (status < 303 && request.method === "POST");
  const isHead = request.method === "HEAD";
  const dropsBody = asksAgain && !isHead;
  const isElsewhere = from.origin !== to.origin;
  if (isElsewhere && redirects.secret_body && !dropsBody) {
    throw refused(response, `${from.host} redirects to ${to.host}, and the body holds a secret`);
  }
  const dropped = new Set([
    ...(dropsBody ? ["content-type", "content-length", "idempotency-key"] : []),
    ...(isElsewhere ? ["authorization", "proxy-authorization", "cookie"] : []),
    ...(isElsewhere ? redirects.secret_headers : []),
  ]);
  const kept = Object.entries(request.headers).filter(([name]) => !dropped.has(name.toLowerCase()));
  const { body, ...rest } = request;
  return {
    ...rest,
    url: to.href,
    headers: Object.fromEntries(kept),
    ...(dropsBody ? { method: "GET" } : body !== undefined && { body }),
  };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

function hostOf({ url }: HttpRequest): string {
  return new URL(url).host;
}

function refused({ status }: HttpResponse, message: string): ConnectorError {
  return new ConnectorError({ kind: "redirect", message, status });
}

// What the steps that speak HTTP have in common: reading an answer, and saying why one is no good.

import { ConnectorError, type HttpResponse } from "../engine/ports.js";
import { hasInfinity, type Json } from "../flow/json.js";
import { MAX_JSON_DEPTH, MAX_RETRY_AFTER_MS } from "../limits.js";

/** Who we are, to the other side. */
export const USER_AGENT = "mini-zaps";

/** The body as JSON where the answer says that it is, else as text; null where there is none. */
export function readBody(response: HttpResponse): Json {
  if (response.body === "") return null;
  if (!isJsonType(response.headers["content-type"])) return response.body;
  try {
    const value = JSON.parse(response.body) as Json;
    // The request did its work: an answer that cannot be kept as JSON is kept as the text it is.
    const isKept = !isDeeperThan(value, MAX_JSON_DEPTH) && !hasInfinity(value);
    return isKept ? value : response.body;
  } catch {
    return response.body;
  }
}

export function statusError(url: string, response: HttpResponse, now: number): ConnectorError {
  const { status } = response;
  const location = response.headers.location;
  const redirect = status >= 300 && status < 400 && location !== undefined;
  const message = redirect
    ? `${hostOf(url)} answered ${status}, a redirect to ${location.slice(0, 200)}: ` +
      "redirects are not followed, use the final address as url"
    : `${hostOf(url)} answered ${status}`;
  return new ConnectorError({ kind: "http_status", message, status }, retryAfterMs(response, now));
}

/** Host and port of an address, without the rest: paths and user names may hold secrets. */
function hostOf(url: string): string {
  return /^[a-z]+:\/\/(?:[^/?#]*@)?([^/?#]+)/i.exec(url)?.[1] ?? "the url";
}

export function isJsonType(contentType: string | undefined): boolean {
  return /^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType ?? "");
}

/** Seconds, or a date: measured by the answer's own clock, if it tells it: skew does no harm. */
function retryAfterMs(response: HttpResponse, now: number): number | undefined {
  const text = response.headers["retry-after"]?.trim() ?? "";
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : Date.parse(text) - (Date.parse(response.headers.date ?? "") || now);
  if (Number.isNaN(ms)) return undefined;
  return Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

/** Without recursion: the answer was written by others. */
export function isDeeperThan(value: Json, limit: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limit) return true;
    level = level.flatMap((item) =>
      typeof item === "object" && item !== null ? Object.values(item) : [],
    );
  }
  return false;
}

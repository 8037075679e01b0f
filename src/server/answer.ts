// What a route answers, and the one place where it becomes a response with its safe headers.

import type { ServerResponse } from "node:http";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { PROBLEM_TYPE, Problem } from "./problem.js";

export interface Answer {
  status: number;
  /** Sent as JSON; texts, bytes and streams as they are. */
  body?: object | string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  headers?: { [name: string]: string };
}

/** On every answer: nothing is cached, framed, sniffed, run or read by another origin. */
export const SAFE_HEADERS: { readonly [name: string]: string } = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const JSON_HEADERS = { ...SAFE_HEADERS, "content-type": "application/json" };
const PROBLEM_HEADERS = { ...SAFE_HEADERS, "content-type": PROBLEM_TYPE };

/** Takes secrets out of a text. */
export type Clean = (text: string) => string;

/**
 * A whole text is written to `outgoing` at once, if it is given: the way through the adapter takes
 * longer. For the rest headers stay a plain object, so that it need not build a `Headers`.
 */
export function respond(
  answer: Answer | Problem,
  clean: Clean = (text) => text,
  outgoing?: ServerResponse,
): Response {
  const { status } = answer;
  const body = bodyOf(answer, clean);
  // Not by a spread: V8 makes a new hidden class for each object to which one adds names.
  const headers = Object.assign({}, defaultsOf(answer), answer.headers);
  if (typeof body !== "string" || outgoing === undefined || outgoing.req.method === "HEAD") {
    return new Response(body ?? null, { status, headers });
  }
  headers["content-length"] = String(Buffer.byteLength(body));
  outgoing.writeHead(status, headers).end(body);
  return RESPONSE_ALREADY_SENT;
}

type RawBody = string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

function bodyOf(answer: Answer | Problem, clean: Clean): RawBody | undefined {
  if (answer instanceof Problem) return clean(JSON.stringify(answer.details));
  const { body } = answer;
  return body === undefined || isRaw(body) ? body : clean(JSON.stringify(body));
}

function defaultsOf(answer: Answer | Problem): { readonly [name: string]: string } {
  if (answer instanceof Problem) return PROBLEM_HEADERS;
  return answer.body === undefined || isRaw(answer.body) ? SAFE_HEADERS : JSON_HEADERS;
}

function isRaw(body: object | string): body is RawBody {
  return typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
}

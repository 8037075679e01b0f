// What a route answers, and the one place where it becomes a response with its safe headers.

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

/** Headers stay a plain object: the adapter then writes them without building a `Headers`. */
export function respond(answer: Answer | Problem, clean: Clean = (text) => text): Response {
  if (answer instanceof Problem) {
    const headers = { ...PROBLEM_HEADERS, ...answer.headers };
    return new Response(clean(JSON.stringify(answer.details)), { status: answer.status, headers });
  }
  const { status, body, headers } = answer;
  if (body === undefined) {
    return new Response(null, { status, headers: { ...SAFE_HEADERS, ...headers } });
  }
  if (isRaw(body)) {
    return new Response(body, { status, headers: { ...SAFE_HEADERS, ...headers } });
  }
  return new Response(clean(JSON.stringify(body)), {
    status,
    headers: { ...JSON_HEADERS, ...headers },
  });
}

function isRaw(
  body: object | string,
): body is string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> {
  return typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
}

// What goes wrong at the HTTP door, as RFC 9457 problem details: one table from kind to status.

import { STATUS_CODES } from "node:http";
import type { Refusal, RefusalKind } from "../engine/command.js";
import type { Diagnostic } from "../flow/diagnostic.js";

type DoorKind =
  | "bad_request" // the request's line or headers
  | "invalid_request" // a parameter, or the shape of the body
  | "invalid_json"
  | "unauthorized"
  | "forbidden" // the token grants too little
  | "bad_signature" // of a delivery to a hook
  | "no_secret" // a hook's secret has no value here
  | "run_failed" // a sender waited for its result
  | "foreign_origin"
  | "not_found"
  | "method_not_allowed"
  | "request_timeout"
  | "body_too_large"
  | "unsupported_media_type"
  | "wrong_host"
  | "invalid_definition"
  | "headers_too_large"
  | "too_many_requests"
  | "internal"
  | "closing";

export type ProblemKind = RefusalKind | DoorKind;

/** The one table of what is answered to which kind. Every kind of refusal stands in it. */
export const PROBLEMS: { readonly [kind in ProblemKind]: { status: number; title: string } } = {
  bad_request: { status: 400, title: "Bad request" },
  invalid_request: { status: 400, title: "Invalid request" },
  invalid_json: { status: 400, title: "Invalid JSON" },
  unauthorized: { status: 401, title: "Token needed" },
  forbidden: { status: 403, title: "Token grants too little" },
  bad_signature: { status: 401, title: "Not signed as it must be" },
  foreign_origin: { status: 403, title: "Foreign origin" },
  not_found: { status: 404, title: "Not found" },
  unknown_run: { status: 404, title: "Unknown run" },
  unknown_workflow: { status: 404, title: "Unknown workflow" },
  unknown_step: { status: 404, title: "Unknown step" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  request_timeout: { status: 408, title: "Request timed out" },
  already_started: { status: 409, title: "Already started" },
  wrong_status: { status: 409, title: "Wrong status" },
  stale: { status: 409, title: "Stale report" },
  invalid_workflow: { status: 409, title: "Invalid workflow" },
  body_too_large: { status: 413, title: "Body too large" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  wrong_host: { status: 421, title: "Wrong host" },
  context_mismatch: { status: 422, title: "The context does not fit" },
  idempotency_mismatch: { status: 422, title: "The idempotency key was used for something else" },
  invalid_definition: { status: 422, title: "Invalid definition" },
  too_many_requests: { status: 429, title: "Too many requests" },
  headers_too_large: { status: 431, title: "Headers too large" },
  internal: { status: 500, title: "Internal error" },
  run_failed: { status: 500, title: "The run has failed" },
  busy: { status: 503, title: "Busy" },
  closing: { status: 503, title: "Closing" },
  no_secret: { status: 503, title: "The secret is not set" },
};

/** s after which a refused client may try again. */
const RETRY_AFTER = "1";

/** What is wrong, and where: a JSON pointer into the body or the context, or a parameter's name. */
export interface FieldError {
  path: string;
  message: string;
}

/** The body of every answer that is no success. */
export interface ProblemDetails {
  /** `urn:mini-zaps:problem:<kind>`. */
  type: string;
  title: string;
  status: number;
  detail: string;
  /** The same kind, for programs that map it back to a refusal. */
  kind: ProblemKind;
  /** Where an unexpected error stands in the log. */
  instance?: string;
  errors?: FieldError[];
  diagnostics?: Diagnostic[];
}

interface More {
  instance?: string;
  errors?: FieldError[];
  diagnostics?: Diagnostic[];
  headers?: { [name: string]: string };
}

/** A value, not an Error: what a user did wrong has no stack. */
export class Problem {
  readonly status: number;
  readonly details: ProblemDetails;
  readonly headers: { [name: string]: string };

  constructor(kind: ProblemKind, detail: string, more: More = {}) {
    const { status, title } = PROBLEMS[kind];
    const { headers = {}, ...members } = more;
    this.status = status;
    this.details = {
      type: `urn:mini-zaps:problem:${kind}`,
      title,
      status,
      detail,
      kind,
      ...members,
    };
    this.headers =
      status === 503 || status === 429 ? { "retry-after": RETRY_AFTER, ...headers } : headers;
  }
}

export function problemOf(refusal: Refusal, diagnostics?: Diagnostic[]): Problem {
  return new Problem(refusal.refused, refusal.message, {
    ...(refusal.details === undefined ? {} : { errors: refusal.details }),
    ...(diagnostics === undefined ? {} : { diagnostics }),
  });
}

/** For answers that Node must be given as bytes, because it could not read the request. */
export function rawProblem(problem: Problem, headers: { [name: string]: string }): string {
  const body = JSON.stringify(problem.details);
  const lines = Object.entries({
    ...headers,
    ...problem.headers,
    "content-type": PROBLEM_TYPE,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  const reason = STATUS_CODES[problem.status] ?? "";
  return `HTTP/1.1 ${problem.status} ${reason}\r\n${lines.join("")}\r\n${body}`;
}

export const PROBLEM_TYPE = "application/problem+json";

/** Quotes what came, so that a message names it; long texts are cut. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

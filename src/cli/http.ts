// Requests to a server of ours, and its answers: JSON, or an RFC 9457 problem that says why not.

import type { Refusal } from "../engine/command.js";
import type { Diagnostic } from "../flow/diagnostic.js";
import type { JsonObject } from "../flow/json.js";
import { CLIENT_TIMEOUT_MS } from "../limits.js";
import { CliError, EXIT, isRefusalKind } from "./exit.js";

export interface Answer {
  status: number;
  body: unknown;
}

/** The members of a problem document that are read here. */
export interface Problem {
  title?: string;
  detail?: string;
  /** A refusal's, where the problem stands for one. */
  kind?: string;
  errors?: { path: string; message: string }[];
  diagnostics?: Diagnostic[];
}

export class Http {
  constructor(
    readonly url: string,
    private readonly token: string | undefined,
  ) {}

  get(path: string): Promise<Answer> {
    return this.send(path, { method: "GET", headers: {} });
  }

  post(path: string, body?: JsonObject, headers: { [name: string]: string } = {}): Promise<Answer> {
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    return this.send(path, { method: "POST", headers: { ...type, ...headers }, ...json });
  }

  /** Undefined: there is no such thing. */
  async stream(
    path: string,
    after: string | undefined,
    signal: AbortSignal,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const headers = {
      accept: "text/event-stream",
      ...(after !== undefined && { "last-event-id": after }),
    };
    const response = await this.fetch(path, { headers, signal });
    // 204: the run has ended, and its last change was seen.
    if (response.status === 404 || response.status === 204) return undefined;
    if (response.status !== 200 || response.body === null) {
      throw unexpected(this.url, await read(response));
    }
    return response.body;
  }

  expect<T>(answer: Answer, status: number): T {
    if (answer.status !== status) throw unexpected(this.url, answer);
    return answer.body as T;
  }

  orUndefined<T>(answer: Answer): T | undefined {
    return answer.status === 404 ? undefined : this.expect<T>(answer, 200);
  }

  /** What was asked for, or the refusal that the problem stands for. */
  refusable<T extends object>(answer: Answer): T | Refusal {
    if (answer.status < 300) return answer.body as T;
    const { kind = "", title, detail, errors } = this.problem(answer);
    if (!isRefusalKind(kind)) throw unexpected(this.url, answer);
    const message = detail ?? title ?? kind;
    return { refused: kind, message, ...(errors && { details: errors }) };
  }

  problem(answer: Answer): Problem {
    const { body } = answer;
    return typeof body === "object" && body !== null ? (body as Problem) : {};
  }

  private async send(path: string, init: RequestInit): Promise<Answer> {
    const signal = AbortSignal.timeout(CLIENT_TIMEOUT_MS);
    return read(await this.fetch(path, { ...init, signal }));
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = {
      ...(init.headers as { [name: string]: string }),
      ...(this.token !== undefined && { authorization: `Bearer ${this.token}` }),
    };
    try {
      return await fetch(new URL(path, this.url), { ...init, headers, redirect: "error" });
    } catch (error) {
      if (init.signal?.aborted && init.signal.reason?.name === "AbortError") throw error;
      throw unreachable(this.url, error);
    }
  }
}

/** Whether a server is there at all, whatever it says. */
export async function isAnswering(url: string): Promise<boolean> {
  try {
    await fetch(new URL("/health", url), { signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}

/** Exit code 4: nothing there, or nothing that lets us in. */
export function unreachable(url: string, error?: unknown): CliError {
  const { cause, message } = (error ?? {}) as { cause?: NodeJS.ErrnoException; message?: string };
  const why = cause?.code ?? cause?.message ?? message;
  return new CliError(
    EXIT.unreachable,
    `The server at ${url} does not answer${why ? ` (${why})` : ""}.`,
    "it may just have stopped: try again, or start it with flows serve",
  );
}

export function unexpected(url: string, answer: Answer): CliError {
  const { title, detail } = (answer.body ?? {}) as Problem;
  const said = detail ?? title ?? "without saying why";
  if (answer.status === 401 || answer.status === 403) {
    return new CliError(
      EXIT.unreachable,
      `The server at ${url} lets nobody in without its token (${answer.status}): ${said}`,
      "set FLOWS_TOKEN to the token that it was started with",
    );
  }
  return new CliError(EXIT.failed, `The server at ${url} answered ${answer.status}: ${said}`);
}

async function read(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, body: json && text !== "" ? JSON.parse(text) : null };
}

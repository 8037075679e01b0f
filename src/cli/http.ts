// Requests to a server of ours, and its answers: JSON, or an RFC 9457 problem that says why not.

import { type IncomingMessage, request } from "node:http";
import { text as textOf } from "node:stream/consumers";
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
    return this.ask(path, { headers, signal }, async (response) => {
      if (response.statusCode === 200) return response;
      const answer = await read(response);
      // 204: the run has ended, and its last change was seen.
      if (answer.status === 404 || answer.status === 204) return undefined;
      throw unexpected(this.url, answer);
    });
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

  private send(path: string, asked: Asked): Promise<Answer> {
    return this.ask(path, { ...asked, signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS) }, read);
  }

  private async ask<T>(
    path: string,
    { headers, signal, ...asked }: Asked & { signal: AbortSignal },
    use: (response: IncomingMessage) => Promise<T>,
  ): Promise<T> {
    const token = this.token === undefined ? {} : { authorization: `Bearer ${this.token}` };
    const options = { ...asked, headers: { ...headers, ...token }, signal };
    try {
      return await use(await ask(new URL(path, this.url), options));
    } catch (error) {
      if (error instanceof CliError) throw error;
      if (signal.aborted && signal.reason?.name === "AbortError") throw error;
      throw unreachable(this.url, signal.aborted ? signal.reason : error);
    }
  }
}

interface Asked {
  method?: "GET" | "POST";
  headers: { [name: string]: string };
  body?: string;
}

/** Not by `fetch`: Node loads it at its first use, which takes longer than most commands. */
function ask(
  url: URL,
  { body, ...options }: Partial<Asked> & { signal: AbortSignal },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(url, options, resolve).on("error", reject).end(body);
  });
}

/** Whether a server is there at all, whatever it says. */
export async function isAnswering(url: string): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(CLIENT_TIMEOUT_MS);
    await read(await ask(new URL("/health", url), { signal }));
    return true;
  } catch {
    return false;
  }
}

/** Exit code 4: nothing there, or nothing that lets us in. */
export function unreachable(url: string, error?: unknown): CliError {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  const why = typeof code === "string" ? code : message;
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

async function read(response: IncomingMessage): Promise<Answer> {
  const text = await textOf(response);
  const json = /json/.test(response.headers["content-type"] ?? "");
  const body: unknown = json && text !== "" ? JSON.parse(text) : null;
  return { status: response.statusCode ?? 0, body };
}

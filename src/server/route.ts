// The shape of a row of the route table, which drives routing, validation and the OpenAPI document.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Static, TSchema } from "typebox";
import type { Host } from "../engine/runner.js";
import { Type } from "../flow/type.js";
import type { Answer, Clean } from "./answer.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import type { Problem, ProblemKind } from "./problem.js";
import type { Admit, RouteScope } from "./scope.js";
import type { Slots } from "./slots.js";

/** A part of a path: what it looks like, and the one parser that makes it. */
export interface Param<T extends string = string> {
  schema: TSchema;
  parse(text: string): T | undefined;
  /** What a text that is none is answered with: there can be nothing under it. */
  otherwise(text: string): Problem;
  /** It is all that is left of the path. */
  has_slashes?: true;
}

type Params = { readonly [name: string]: Param };
type Parsed<P extends Params> = { [K in keyof P]: P[K] extends Param<infer T> ? T : never };

/** What a handler gets: all of it parsed or validated. */
export interface Input<P = unknown, Q = unknown, H = unknown, B = unknown> {
  method: string;
  params: P;
  query: Q;
  /** The declared ones, by lower-case name. */
  headers: H;
  /** `{}` where a body may be absent, and is. */
  body: B;
  /** For what reads its body by itself. */
  incoming: IncomingMessage;
  /** For what must know when the client goes away. */
  outgoing: ServerResponse;
}

/** What all handlers share. */
export interface Door {
  host: Host;
  log: Log;
  streams: Slots;
  waits: Slots;
  metrics: Metrics;
  heartbeat_ms: number;
  /** Everything that is answered goes through this: it takes secrets out. */
  clean: Clean;
  admit: Admit;
  /** Only programs of this machine come in. */
  loopback: boolean;
  /** Aborted when the server closes: streams and waits end then. */
  closing: AbortSignal;
  /** The OpenAPI document. */
  document: object;
}

export interface AnswerDoc {
  description: string;
  schema?: TSchema;
  /** Absent: `application/json`, if there is a schema. */
  content_type?: string;
  headers?: { [name: string]: string };
}

interface RouteBase {
  method: "GET" | "POST";
  /** What a token must grant. */
  scope: RouteScope;
  /** As OpenAPI writes it: `/api/runs/{run_id}`. */
  path: string;
  /** The operation's id in the document. */
  id: string;
  tag: string;
  summary: string;
  description?: string;
  answers: { [status: number]: AnswerDoc };
  /** What this route refuses with, beyond what any route may. */
  problems: readonly ProblemKind[];
}

export interface Route extends RouteBase {
  params: Params;
  query: TSchema;
  headers: TSchema;
  /** Absent: the route reads no body. */
  body?: { schema: TSchema; required: boolean; description: string };
  handle(input: Input, door: Door): Promise<Answer | Problem>;
}

interface RouteOf<P extends Params, Q extends TSchema, H extends TSchema, B extends TSchema>
  extends RouteBase {
  params?: P;
  query?: Q;
  headers?: H;
  body?: { schema: B; required: boolean; description: string };
  handle(
    input: Input<Parsed<P>, Static<Q>, Static<H>, Static<B>>,
    door: Door,
  ): Promise<Answer | Problem>;
}

const NOTHING = Type.Object({}, { additionalProperties: false });

/** Checks a row's handler against its schemas; in the table, rows are all of one type. */
export function route<
  P extends Params = Record<never, never>,
  Q extends TSchema = TSchema,
  H extends TSchema = TSchema,
  B extends TSchema = TSchema,
>(row: RouteOf<P, Q, H, B>): Route {
  return { params: {}, query: NOTHING, headers: Type.Object({}), ...row } as unknown as Route;
}

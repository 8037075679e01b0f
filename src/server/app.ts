// From the route table to one function that answers requests. The gate stands before all routes.

import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import { type Answer, respond } from "./answer.js";
import type { Gate } from "./gate.js";
import type { Log } from "./log.js";
import { Problem, quote } from "./problem.js";
import type { Door, Route } from "./route.js";
import { makeReader } from "./validate.js";

type Bindings = { Bindings: HttpBindings };

export type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

export function makeFetch(routes: readonly Route[], door: Door, gate: Gate): Fetch {
  const app = new Hono<Bindings>();
  const taken = new WeakMap<IncomingMessage, Route>();
  for (const route of routes) mount(app, route, door, taken);
  const { clean } = door;
  app.notFound((c) => {
    const refused = door.admit(c.env.incoming, "read");
    return respond(refused ?? notFound(app, routes, c.req.method, c.req.path), clean);
  });
  app.onError((error, c) => respond(unexpected(door.log, error, c.req.method, c.req.path), clean));
  return async (request, bindings) => {
    const started = performance.now();
    const { incoming, outgoing } = bindings;
    const refused = gate(incoming) ?? checkOpen(door);
    const response = await (refused === null
      ? app.fetch(request, bindings)
      : respond(refused, clean));
    const { status } =
      response === RESPONSE_ALREADY_SENT ? { status: outgoing.statusCode } : response;
    door.metrics.answered(taken.get(incoming), status, performance.now() - started);
    return response;
  };
}

/** One handler a route: a single match is answered without composing middleware. */
function mount(
  app: Hono<Bindings>,
  route: Route,
  door: Door,
  taken: WeakMap<IncomingMessage, Route>,
): void {
  const read = makeReader(route);
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
    route.params[name]?.has_slashes ? `:${name}{.+}` : `:${name}`,
  );
  app.on(route.method, path, async (c) => {
    const { incoming, outgoing } = c.env;
    taken.set(incoming, route);
    const refused = door.admit(incoming, route.scope);
    if (refused !== null) return respond(refused, door.clean);
    const input = await read({ incoming, outgoing, param: (name) => c.req.param(name) });
    const answer: Answer | Problem =
      input instanceof Problem ? input : await route.handle(input, door);
    return respond(answer, door.clean, outgoing);
  });
}

function checkOpen(door: Door): Problem | null {
  if (!door.closing.aborted) return null;
  return new Problem("closing", "The server is closing: try again later.", {
    headers: { connection: "close" },
  });
}

function notFound(
  app: Hono<Bindings>,
  routes: readonly Route[],
  method: string,
  path: string,
): Problem {
  const methods = new Set(routes.map((route) => route.method));
  const allowed = [...methods].filter((other) => app.router.match(other, path)[0].length > 0);
  if (allowed.length === 0) {
    const detail = `There is nothing at ${quote(path)}: GET /openapi.json lists what there is.`;
    return new Problem("not_found", detail);
  }
  const allow = allowed
    .flatMap((name) => (name === "GET" ? ["GET", "HEAD"] : [name]))
    .sort()
    .join(", ");
  const detail = `${quote(path)} does not take ${quote(method)}: use ${allow}.`;
  return new Problem("method_not_allowed", detail, { headers: { allow } });
}

/** What happened stands in the log only; the client gets the id to find it by. */
function unexpected(log: Log, error: unknown, method: string, path: string): Problem {
  const error_id = randomUUID();
  log.error({ error_id, err: error, method, path }, "a request ended in an unexpected error");
  const detail = `Something went wrong inside the server. Its log says what, under ${error_id}.`;
  return new Problem("internal", detail, { instance: `urn:uuid:${error_id}` });
}

/** For requests that the adapter could not read; no route was reached. */
export function unreadable(error: unknown, log: Log): Response {
  if (error instanceof Error && error.name === "RequestError") {
    const detail = "The request's target or its Host header is malformed.";
    return respond(new Problem("bad_request", detail));
  }
  return respond(unexpected(log, error, "", ""));
}

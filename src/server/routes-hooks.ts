// The route of incoming webhooks: verified as they came, then read, then a run is started.

import type { IncomingMessage } from "node:http";
import { isRefusal } from "../engine/command.js";
import type { Run } from "../engine/run.js";
import type { Hook } from "../engine/runner.js";
import type { Json, JsonObject } from "../flow/json.js";
import { Type } from "../flow/type.js";
import { HOOK_WAIT_MS } from "../limits.js";
import type { Answer } from "./answer.js";
import { parseJson, readBytes } from "./body.js";
import { Problem, problemOf, quote } from "./problem.js";
import { type Door, type Param, type Route, route } from "./route.js";
import { RunIdText, RunStatusText } from "./schemas.js";
import { untilEnd } from "./wait.js";

const PATH_PATTERN = "^[A-Za-z0-9_-]{1,64}(/[A-Za-z0-9_-]{1,64}){0,4}$";
const PATH = new RegExp(PATH_PATTERN);

const hookPath: Param = {
  schema: Type.String({ pattern: PATH_PATTERN, description: "The path of a webhook trigger." }),
  parse: (text) => (PATH.test(text) ? text : undefined),
  otherwise: unknownHook,
  has_slashes: true,
};

const deliver = route({
  method: "POST",
  path: "/hooks/{path}",
  scope: "public",
  id: "deliver",
  tag: "hooks",
  summary: "Deliver to a webhook trigger",
  description:
    "Starts a run of the workflow whose trigger has this path. A trigger with a signature needs " +
    "no token: the delivery must be signed. One without needs the token, where there is one. " +
    "The body is JSON or a form. Of deliveries with one id, the first starts a run.",
  params: { path: hookPath },
  query: Type.Object({}, { additionalProperties: true }),
  answers: {
    200: {
      description:
        "An earlier delivery with this id had started the run; or, with `respond: result`, it " +
        "has completed. To Slack's question for it: its challenge.",
      schema: Type.Object({
        run_id: Type.Optional(RunIdText),
        status: Type.Optional(RunStatusText),
        output: Type.Optional(Type.Unknown({ description: "The workflow's `outputs`." })),
        challenge: Type.Optional(Type.String()),
      }),
      headers: { Location: "Where the run is." },
    },
    202: {
      description: "The run is on disk, and goes on.",
      schema: Type.Object({ run_id: RunIdText, status: RunStatusText }),
      headers: { Location: "Where the run is." },
    },
  },
  problems: [
    ...(["not_found", "unauthorized", "bad_signature", "no_secret", "invalid_json"] as const),
    ...(["request_timeout", "body_too_large", "unsupported_media_type"] as const),
    ...(["unknown_workflow", "invalid_workflow", "context_mismatch"] as const),
    ...(["run_failed", "busy"] as const),
  ],
  async handle({ params, query, incoming, outgoing }, door) {
    const hook = door.host.hook?.(params.path);
    // Which paths there are is not told to who has no token, either.
    const uninvited = hook?.scheme === undefined ? door.admit(incoming, "trigger") : null;
    if (uninvited !== null) return uninvited;
    if (hook === undefined) return unknownHook(params.path);
    const bytes = await readBytes(incoming);
    if (bytes instanceof Problem) return bytes;
    const headers = headersOf(incoming);
    const trouble = hook.check(headers, bytes);
    if (trouble !== undefined) return troubleOf(trouble, params.path, door);
    const body = bytes.length === 0 ? null : parseBody(bytes, headers["content-type"] ?? "");
    if (body instanceof Problem) return body;
    const challenge = challengeIn(hook, body);
    if (challenge !== undefined) return { status: 200, body: { challenge } };
    const delivery = { headers, query: query as { [name: string]: string }, body };
    const started = await hook.deliver(delivery);
    if (isRefusal(started)) {
      const fields = { path: params.path, workflow_id: hook.workflow_id };
      door.log.warn(
        { ...fields, refused: started.refused },
        `a delivery was refused: ${started.message}`,
      );
      return problemOf(started);
    }
    const { run_id, status, created } = started;
    if (hook.respond === "result") return result(run_id, door, outgoing);
    return answer(created ? 202 : 200, { run_id, status });
  },
});

export const HOOK_ROUTES: readonly Route[] = [deliver];

function unknownHook(path: string): Problem {
  return new Problem("not_found", `No webhook trigger of a workflow has the path ${quote(path)}.`);
}

function headersOf({ headers }: IncomingMessage): { [name: string]: string } {
  const entries = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.join(", ") : value]],
  );
  return Object.fromEntries(entries);
}

function troubleOf(
  { trouble, message }: { trouble: "unsigned" | "no_secret"; message: string },
  path: string,
  { log }: Door,
): Problem {
  if (trouble === "unsigned") return new Problem("bad_signature", message);
  log.error({ path }, `hook ${path} cannot check signatures: ${message}`);
  return new Problem("no_secret", "This hook's secret is not set here: its log says which one.");
}

/** JSON, or a form: Slack and GitHub can send those, with JSON in the field `payload`. */
function parseBody(bytes: Buffer, contentType: string): Json | Problem {
  const type = (contentType.split(";")[0] ?? "").trim().toLowerCase();
  if (type === "application/json" || /^application\/[\w.-]+\+json$/.test(type)) {
    return parseJson(bytes);
  }
  if (type === "application/x-www-form-urlencoded") return parseForm(bytes.toString("utf8"));
  const headers = { "accept-post": "application/json, application/x-www-form-urlencoded" };
  const came = type === "" ? "The body has no Content-Type" : `The body is ${quote(contentType)}`;
  const detail = `${came}: send \`application/json\` or a form.`;
  return new Problem("unsupported_media_type", detail, { headers });
}

/** A name that comes more than once gives a list. */
function parseForm(text: string): JsonObject | Problem {
  const fields = new Map<string, Json>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (name === "__proto__") return new Problem("invalid_request", "No field may be __proto__.");
    const earlier = fields.get(name);
    fields.set(name, earlier === undefined ? value : [earlier, value].flat());
  }
  const nested = fields.get("payload");
  if (typeof nested === "string" && nested.startsWith("{")) {
    const parsed = parseJson(Buffer.from(nested));
    if (parsed instanceof Problem) return parsed;
    fields.set("payload", parsed);
  }
  return Object.fromEntries(fields);
}

/** Slack asks once, signed, whether the address is ours. */
function challengeIn({ scheme }: Hook, body: Json): string | undefined {
  if (scheme !== "slack" || body === null || typeof body !== "object") return undefined;
  const { type, challenge } = body as JsonObject;
  return type === "url_verification" && typeof challenge === "string" ? challenge : undefined;
}

async function result(
  runId: string,
  door: Door,
  outgoing: Parameters<typeof untilEnd>[3],
): Promise<Answer | Problem> {
  const leave = door.waits.take();
  if (leave === undefined) {
    const run = await door.host.runner.get(runId);
    return answer(202, { run_id: runId, status: run?.status ?? "pending" });
  }
  try {
    const found = await untilEnd(door, runId, HOOK_WAIT_MS, outgoing);
    return found?.ended === true
      ? ended(found.run)
      : answer(202, { run_id: runId, status: found?.run.status ?? "pending" });
  } finally {
    leave();
  }
}

/** Why it failed is for those who may see the run. */
function ended({ id, status, output }: Run): Answer | Problem {
  if (status === "completed") return answer(200, { run_id: id, status, output });
  const headers = { location: `/api/runs/${id}` };
  return new Problem("run_failed", `The run ${id} is ${status}.`, { headers });
}

function answer(status: number, body: { run_id: string; [name: string]: unknown }): Answer {
  return { status, body, headers: { location: `/api/runs/${body.run_id}` } };
}

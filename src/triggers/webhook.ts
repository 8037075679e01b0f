// The `webhook` trigger: from a delivery that was let in to the start of a run.

import type { Refusal } from "../engine/command.js";
import type { TriggerInfo } from "../engine/run.js";
import type { Delivery, TriggerRequest } from "../engine/runner.js";
import type { Json, JsonObject } from "../flow/json.js";
import { isSensitive } from "../flow/redact.js";
import type { WebhookTrigger, Workflow } from "../flow/workflow.js";
import { MAX_IDEMPOTENCY_KEY, MAX_KEPT_HEADER_CHARS } from "../limits.js";
import { type Served, startOf } from "./start.js";

export interface Hook {
  served: Served;
  trigger: WebhookTrigger;
}

/** By path. Two workflows may claim one while a file is edited: the first by id keeps it. */
export function hooksOf(workflows: Iterable<Served>): Map<string, Hook> {
  const hooks = new Map<string, Hook>();
  const byId = [...workflows].sort((a, b) => (a.workflow.id < b.workflow.id ? -1 : 1));
  for (const served of byId) {
    for (const trigger of webhooksIn(served.workflow)) {
      if (!hooks.has(trigger.path)) hooks.set(trigger.path, { served, trigger });
    }
  }
  return hooks;
}

function webhooksIn({ triggers = [] }: Workflow): WebhookTrigger[] {
  return triggers.filter((trigger) => trigger.type === "webhook");
}

/** What a delivery starts. One that is told again, by its id, starts nothing new. */
export function webhookStart(
  { served, trigger }: Hook,
  delivery: Delivery,
): TriggerRequest | Refusal {
  const { path } = trigger;
  const id = deliveryId(trigger, delivery);
  if (id !== undefined && (id.length > MAX_IDEMPOTENCY_KEY || !/^[ -~]+$/.test(id))) {
    const message = `The delivery's id must be 1 to ${MAX_IDEMPOTENCY_KEY} characters of ASCII.`;
    return { refused: "context_mismatch", message };
  }
  const { headers, query } = delivery;
  const body = delivery.body ?? null;
  const context = trigger.context ?? body ?? {};
  if (context === null || typeof context !== "object" || Array.isArray(context)) {
    const message = `The body is no JSON object, and hook "${path}" makes no context of it.`;
    return { refused: "context_mismatch", message };
  }
  const values = { type: "webhook", path, delivery_id: id ?? null, headers, query, body };
  const request = startOf(served, {
    name: `webhook "${path}"`,
    // Without a mapping the body is data: what looks like an expression in it is none.
    context: trigger.context ?? {},
    values: values as JsonObject,
    kept: keptOf(trigger, id, delivery),
    // With blanks: no client can send such a key, so none takes a delivery's place.
    ...(id === undefined ? {} : { key: `webhook ${path} ${id}` }),
  });
  return "refused" in request || trigger.context ? request : { ...request, context };
}

/**
 * What tells one delivery from another. Where a scheme has no id but a time, its signature does:
 * it is another one each second.
 */
function deliveryId({ signature }: WebhookTrigger, delivery: Delivery): string | undefined {
  const { headers, body } = delivery;
  switch (signature?.scheme) {
    case "standard_webhooks":
      return headers["webhook-id"];
    case "github":
      return headers["x-github-delivery"];
    case "stripe":
      return textIn(body, "id") ?? headers["stripe-signature"];
    case "slack":
      return textIn(body, "event_id") ?? headers["x-slack-signature"];
    case "hmac":
      return signature.id_header && headers[signature.id_header.toLowerCase()];
    default:
      return headers["idempotency-key"];
  }
}

function textIn(body: Json, name: string): string | undefined {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return undefined;
  const value = Object.hasOwn(body, name) ? body[name] : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** For a person to see what came: bounded, and without what lets others in. The body is context. */
function keptOf(
  { path, signature }: WebhookTrigger,
  id: string | undefined,
  { headers, query }: Delivery,
): TriggerInfo {
  const own = signature?.scheme === "hmac" ? signature.header.toLowerCase() : "";
  const kept = bounded(headers, (name) => name !== own && !TRANSPORT.has(name));
  return {
    type: "webhook",
    path,
    ...(id === undefined ? {} : { delivery_id: id }),
    headers: kept,
    query: bounded(query, () => true),
  };
}

/** What says nothing about the event. */
const TRANSPORT: ReadonlySet<string> = new Set([
  ...["host", "connection", "content-length", "transfer-encoding", "accept", "accept-encoding"],
  ...["accept-language", "keep-alive", "te", "upgrade", "expect", "proxy-authorization"],
]);

function bounded(
  given: { [name: string]: string },
  isKept: (name: string) => boolean,
): { [name: string]: string } {
  const kept: { [name: string]: string } = {};
  let left = MAX_KEPT_HEADER_CHARS;
  for (const [name, value] of Object.entries(given)) {
    if (isSensitive(name) || !isKept(name)) continue;
    left -= name.length + value.length;
    if (left < 0) break;
    kept[name] = value;
  }
  return kept;
}

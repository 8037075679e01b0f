// The `webhook` step: sends JSON to an address by POST, and keeps status and body of the answer.

import type { Static } from "typebox";
import type { Call, Io, Signal } from "../engine/ports.js";
import type { Json } from "../flow/json.js";
import { Type } from "../flow/type.js";
import { MAX_RESPONSE_BYTES } from "../limits.js";
import type { Connector } from "./connector.js";
import { readBody, statusError, USER_AGENT } from "./exchange.js";
import { HeadersSchema, mergeHeaders, toText, UrlSchema } from "./request.js";

const WebhookConfig = Type.Object(
  {
    url: UrlSchema,
    body: Type.Optional(
      Type.Unknown({ description: "What is sent, as JSON. Without it: the run's context." }),
    ),
    headers: Type.Optional(HeadersSchema),
  },
  { additionalProperties: false },
);

type WebhookConfig = Static<typeof WebhookConfig>;

export const webhook: Connector = {
  type: "webhook",
  description:
    "Sends JSON to an address by POST. Any answer from 200 to 299 completes the step; " +
    "its status and body are the output.",
  config: WebhookConfig,
  output: Type.Object(
    {
      status: Type.Integer({ description: "The HTTP status, 200 to 299." }),
      body: Type.Unknown({ description: "Parsed where the answer is JSON, else text; or null." }),
    },
    { additionalProperties: false },
  ),
  run: send,
};

async function send(call: Call, io: Io, signal: Signal): Promise<Json> {
  const config = call.config as WebhookConfig;
  const headers = mergeHeaders(
    {
      "content-type": "application/json",
      accept: "application/json, */*",
      "user-agent": USER_AGENT,
    },
    config.headers,
    // Last: the key is what makes a repeated attempt harmless, so nothing may replace it.
    { "idempotency-key": call.idempotency_key },
  );
  const response = await io.http({
    method: "POST",
    url: config.url,
    headers,
    body: toText(config.body === undefined ? call.context : config.body, headers["content-type"]),
    max_response_bytes: MAX_RESPONSE_BYTES,
    signal,
  });
  if (response.status < 200 || response.status > 299) throw statusError(config.url, response);
  return { status: response.status, body: readBody(response) };
}

// The `webhook` step: sends JSON to an address by POST, and keeps status and body of the answer.

import type { Static } from "typebox";
import { type Call, ConnectorError, type Io, type Signal } from "../engine/ports.js";
import { standardKey, standardSignature } from "../engine/signing.js";
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
    secret: Type.Optional(
      Type.String({
        description:
          "Signs what is sent, by Standard Webhooks: whsec_ and base64, as ${{ secrets.NAME }}.",
      }),
    ),
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
  const content = config.body === undefined ? call.context : config.body;
  const body = toText(content, headers["content-type"]);
  const response = await io.http({
    method: "POST",
    url: config.url,
    headers: { ...headers, ...signatureOf(config.secret, call.idempotency_key, body, io) },
    body,
    max_response_bytes: MAX_RESPONSE_BYTES,
    signal,
  });
  if (response.status < 200 || response.status > 299)
    throw statusError(config.url, response, io.now());
  return { status: response.status, body: readBody(response) };
}

/** Each attempt is signed anew, with its own time; the id stays, for the other side to tell. */
function signatureOf(
  secret: string | undefined,
  id: string,
  body: string,
  io: Io,
): { [name: string]: string } {
  if (secret === undefined) return {};
  const key = standardKey(secret);
  if (key === undefined) {
    const message =
      "the secret of the webhook step is no key of Standard Webhooks: whsec_ + base64";
    throw new ConnectorError({ kind: "secret", message });
  }
  const timestamp = String(Math.floor(io.now() / 1_000));
  const signature = standardSignature(io.signer, key, { id, timestamp, body });
  return {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}

// The `http` step: any request, whose answer is the step's output where its status is as expected.

import type { Static } from "typebox";
import type { Call, Io, Signal } from "../engine/ports.js";
import type { Json } from "../flow/json.js";
import { Type } from "../flow/type.js";
import { MAX_RESPONSE_BYTES } from "../limits.js";
import type { Connector } from "./connector.js";
import { readBody, statusError, USER_AGENT } from "./exchange.js";
import {
  HeadersSchema,
  mergeHeaders,
  QuerySchema,
  toText,
  UrlSchema,
  withQuery,
} from "./request.js";

const HttpConfig = Type.Object(
  {
    url: UrlSchema,
    method: Type.Optional(
      Type.Enum(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"], {
        description: "The method of the request.",
        default: "GET",
      }),
    ),
    query: Type.Optional(QuerySchema),
    headers: Type.Optional(HeadersSchema),
    body: Type.Optional(
      Type.Unknown({
        description:
          "What is sent, as JSON; under a content-type of its own a text as it is, or a form.",
      }),
    ),
    expect: Type.Optional(
      Type.Array(Type.Integer({ minimum: 200, maximum: 599 }), {
        description: "The statuses that complete the step; others fail it. Without it: 200 to 299.",
        minItems: 1,
        maxItems: 50,
        uniqueItems: true,
      }),
    ),
  },
  { additionalProperties: false },
);

type HttpConfig = Static<typeof HttpConfig>;

export const http: Connector = {
  type: "http",
  description:
    "Sends a request by any method. An expected status completes the step; " +
    "status, headers and body of the answer are the output.",
  config: HttpConfig,
  output: Type.Object(
    {
      status: Type.Integer({ description: "The HTTP status." }),
      headers: Type.Unsafe<{ [name: string]: string }>({
        type: "object",
        description: "The answer's headers, by lower-case name.",
        additionalProperties: { type: "string" },
      }),
      body: Type.Unknown({ description: "Parsed where the answer is JSON, else text; or null." }),
    },
    { additionalProperties: false },
  ),
  run: send,
};

async function send(call: Call, io: Io, signal: Signal): Promise<Json> {
  const config = call.config as HttpConfig;
  const { url, method = "GET", body, expect } = config;
  const headers = mergeHeaders(
    { accept: "application/json, */*", "user-agent": USER_AGENT },
    body === undefined ? undefined : { "content-type": "application/json" },
    config.headers,
    // What only reads is harmless to repeat; all else says when it is a repetition.
    method === "GET" || method === "HEAD" || method === "OPTIONS"
      ? undefined
      : { "idempotency-key": call.idempotency_key },
  );
  const response = await io.http({
    method,
    url: withQuery(url, config.query),
    headers,
    ...(body !== undefined && { body: toText(body, headers["content-type"]) }),
    max_response_bytes: MAX_RESPONSE_BYTES,
    redirects: {
      expect: expect ?? [],
      secret_headers: call.secrets.flatMap(({ pointer }) => {
        return pointer.startsWith("/headers/") ? headerOf(pointer) : [];
      }),
      secret_body: call.secrets.some(({ pointer }) => /^\/body(?:\/|$)/.test(pointer)),
    },
    signal,
  });
  const { status } = response;
  const isExpected = expect ? expect.includes(status) : status >= 200 && status <= 299;
  if (!isExpected) throw statusError(url, response, io.now());
  return { status, headers: response.headers, body: readBody(response) };
}

/** A JSON pointer's last part; a header's name has no slash. */
function headerOf(pointer: string): string {
  return pointer.slice("/headers/".length).replaceAll("~0", "~").toLowerCase();
}

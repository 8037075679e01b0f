// Hostile deliveries to hooks of every scheme: forged, replayed from long ago, torn; or signed as
// they must be, with a body that is none.

import { createHmac } from "node:crypto";
import type { Request } from "./hostile-requests.js";
import { inHeader, type Maker, NASTY_JSON } from "./hostile-values.js";

export const HOOK_SECRET = `whsec_${Buffer.from("a key that nobody can guess").toString("base64")}`;
const STANDARD_KEY = Buffer.from(HOOK_SECRET.slice("whsec_".length), "base64");

const SIGNATURES = {
  standard_webhooks: "{ scheme: standard_webhooks, secret: HOOK_KEY }",
  github: "{ scheme: github, secret: HOOK_KEY }",
  stripe: "{ scheme: stripe, secret: HOOK_KEY }",
  slack: "{ scheme: slack, secret: HOOK_KEY }",
  hmac: '{ scheme: hmac, secret: HOOK_KEY, header: X-Sig, prefix: "sha256=", id_header: X-Id }',
};

export type Scheme = keyof typeof SIGNATURES;

export const SCHEMES = Object.keys(SIGNATURES) as Scheme[];

/** One hook a scheme, whose workflow takes an integer `amount` and nothing else. */
export const HOOK_FLOWS: { readonly [file: string]: string } = Object.fromEntries(
  SCHEMES.map((scheme) => [
    `${scheme}.yaml`,
    `id: ${scheme}
secrets: [HOOK_KEY]
context:
  type: object
  required: [amount]
  additionalProperties: false
  properties: { amount: { type: integer }, id: { type: string }, event_id: { type: string } }
triggers:
  - { type: webhook, path: ${scheme}, signature: ${SIGNATURES[scheme]} }
steps:
  - { id: keep, type: set, config: { values: { amount: "\${{ context.amount }}" } } }
`,
  ]),
);

interface Headers {
  [name: string]: string;
}

interface Signed {
  id: string;
  /** s since 1970, as it is written into the header. */
  at: string;
  body: string;
}

const hex = (text: string, hash = "sha256") =>
  createHmac(hash, HOOK_SECRET).update(text).digest("hex");

/** As the sender of each scheme does it. */
const SIGN: { readonly [scheme in Scheme]: (signed: Signed, hash?: string) => Headers } = {
  standard_webhooks: ({ id, at, body }, hash = "sha256") => ({
    "webhook-id": id,
    "webhook-timestamp": at,
    "webhook-signature": `v1,${createHmac(hash, STANDARD_KEY)
      .update(`${id}.${at}.${body}`)
      .digest("base64")}`,
  }),
  github: ({ id, body }, hash = "sha256") => ({
    "x-github-delivery": id,
    "x-hub-signature-256": `sha256=${hex(body, hash)}`,
  }),
  stripe: ({ at, body }, hash) => ({
    "stripe-signature": `t=${at},v1=${hex(`${at}.${body}`, hash)}`,
  }),
  slack: ({ at, body }, hash) => ({
    "x-slack-request-timestamp": at,
    "x-slack-signature": `v0=${hex(`v0:${at}:${body}`, hash)}`,
  }),
  hmac: ({ id, body }, hash) => ({ "x-id": id, "x-sig": `sha256=${hex(body, hash)}` }),
};

/** The header that holds the signature itself. */
export const SIGNATURE_HEADER: { readonly [scheme in Scheme]: string } = {
  standard_webhooks: "webhook-signature",
  github: "x-hub-signature-256",
  stripe: "stripe-signature",
  slack: "x-slack-signature",
  hmac: "x-sig",
};

/** The schemes that sign the time of sending. */
export const TIMED: readonly Scheme[] = ["standard_webhooks", "stripe", "slack"];

export function delivery(
  scheme: Scheme,
  body: string,
  { id = "d1", at = now(), hash }: { id?: string; at?: string; hash?: string } = {},
): Request & { headers: Headers } {
  const headers = { "content-type": "application/json", ...SIGN[scheme]({ id, at, body }, hash) };
  return { method: "POST", path: `/hooks/${scheme}`, headers, body };
}

export function now(): string {
  return String(Math.floor(Date.now() / 1_000));
}

const GOOD = '{"amount":1}';

/** Each is refused: by its signature, by its time, or, signed as it must be, by its body. */
const SHAPES: ((make: Maker) => Request)[] = [
  (make) => altered(make, () => inHeader(make.text())),
  (make) => altered(make, (signature) => signature.slice(0, -1 - make.below(20))),
  (make) => altered(make, (signature) => `x${signature}`),
  (make) =>
    altered(make, (signature) => signature.replace(/.$/, (last) => (last === "0" ? "1" : "0"))),
  (make) => ({
    ...delivery(make.pick(SCHEMES), GOOD),
    body: `${GOOD}${make.pick([" ", "\n", "x"])}`,
  }),
  (make) => delivery(make.pick(SCHEMES), GOOD, { hash: make.pick(["sha1", "sha512", "md5"]) }),
  (make) => delivery(make.pick(TIMED), GOOD, { at: `${inHeader(make.text())}x` }),
  (make) => delivery(make.pick(TIMED), GOOD, { at: make.pick(TIMES) }),
  (make) => delivery(make.pick(TIMED), GOOD, { at: String(Number(now()) - 301 - make.below(1e9)) }),
  (make) => delivery(make.pick(TIMED), GOOD, { at: String(Number(now()) + 330 + make.below(1e9)) }),
  (make) => ({ ...delivery(make.pick(SCHEMES), GOOD), path: `/hooks/${make.pick(SCHEMES)}x` }),
  (make) => without(make, delivery(make.pick(SCHEMES), GOOD)),
  (make) => delivery(make.pick(SCHEMES), make.pick(NASTY_JSON)),
  (make) => delivery(make.pick(SCHEMES), JSON.stringify({ amount: make.text() })),
  (make) =>
    delivery(make.pick(["hmac", "github", "standard_webhooks"]), GOOD, { id: "i".repeat(256) }),
];

const TIMES = [
  "NaN",
  "Infinity",
  "-1",
  "1e9",
  "0x5f5e100",
  "0",
  "99999999999999999999",
  "1.5",
  "+1",
];

export function hostileDelivery(make: Maker): Request {
  return make.pick(SHAPES)(make);
}

function altered(make: Maker, alter: (signature: string) => string): Request {
  const scheme = make.pick(SCHEMES);
  const signed = delivery(scheme, GOOD);
  const name = SIGNATURE_HEADER[scheme];
  return { ...signed, headers: { ...signed.headers, [name]: alter(signed.headers[name] ?? "") } };
}

/** Without one of the headers that its scheme wants. */
function without(make: Maker, signed: Request & { headers: Headers }): Request {
  const wanted = Object.keys(signed.headers).filter((name) =>
    /signature|sig$|time|webhook-id/.test(name),
  );
  const { [make.pick(wanted)]: _, ...headers } = signed.headers;
  return { ...signed, headers };
}

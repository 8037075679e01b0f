// Is a delivery signed by who knows the secret? The schemes of GitHub, Stripe, Slack and Standard
// Webhooks, and plain HMAC. Pure: the time and the hashing are given.

import type { Signer } from "../engine/ports.js";
import { standardKey, standardSignature } from "../engine/signing.js";
import type { Signature } from "../flow/workflow.js";
import { SIGNATURE_TOLERANCE_MS } from "../limits.js";

export interface SignedRequest {
  /** By lower-case name. */
  headers: { readonly [name: string]: string | undefined };
  /** As it came, before anything was read into it. */
  body: Uint8Array;
}

/** What speaks for a delivery: the texts that may be its signature, and what was signed. */
interface Claim {
  sign(signer: Signer): string;
  /** Several while a sender changes its secret. */
  given: string[];
  /** s since 1970, where the scheme has a time. */
  timestamp?: string;
}

/** Why the delivery is not let in, in a sentence; undefined: it is signed. */
export function signatureTrouble(
  signature: Signature,
  secret: string,
  request: SignedRequest,
  now: number,
  signer: Signer,
): string | undefined {
  const claim = SCHEMES[signature.scheme](request, secret, signature);
  if (typeof claim === "string") return claim;
  const { given, timestamp, sign } = claim;
  const late = timestamp === undefined ? undefined : timeTrouble(timestamp, now);
  if (late !== undefined) return late;
  const expected = sign(signer);
  // All are compared, so that the time tells nothing.
  const isSigned = given.filter((each) => signer.equal(each, expected)).length > 0;
  return isSigned ? undefined : "The signature does not fit the body and the secret.";
}

type Scheme = (request: SignedRequest, secret: string, signature: Signature) => Claim | string;

const SCHEMES: { readonly [scheme in Signature["scheme"]]: Scheme } = {
  standard_webhooks({ headers, body }, secret) {
    const id = headers["webhook-id"];
    const timestamp = headers["webhook-timestamp"];
    const text = headers["webhook-signature"];
    if (!id || !timestamp || !text) {
      return missing("webhook-id, webhook-timestamp and webhook-signature");
    }
    const key = standardKey(secret);
    if (key === undefined) return "The secret here is no key of Standard Webhooks (whsec_…).";
    const given = text.split(" ").flatMap((each) => (each.startsWith("v1,") ? each.slice(3) : []));
    const sign = (signer: Signer) => standardSignature(signer, key, { id, timestamp, body });
    return { sign, given, timestamp };
  },
  github({ headers, body }, secret) {
    const text = headers["x-hub-signature-256"];
    if (!text) return missing("x-hub-signature-256");
    return { sign: hexOf(secret, [body]), given: withPrefix("sha256=", text) };
  },
  stripe({ headers, body }, secret) {
    const text = headers["stripe-signature"];
    if (!text) return missing("stripe-signature");
    const pairs = text.split(",").map((each) => each.trim().split("=", 2));
    const timestamp = pairs.find(([name]) => name === "t")?.[1] ?? "";
    const given = pairs.flatMap(([name, value]) => (name === "v1" && value ? [value] : []));
    const sign = hexOf(secret, [`${timestamp}.`, body]);
    return { sign, given: given.map(lower), timestamp };
  },
  slack({ headers, body }, secret) {
    const timestamp = headers["x-slack-request-timestamp"];
    const text = headers["x-slack-signature"];
    if (!timestamp || !text) return missing("x-slack-signature and x-slack-request-timestamp");
    const parts = [`v0:${timestamp}:`, body];
    return { sign: hexOf(secret, parts), given: withPrefix("v0=", text), timestamp };
  },
  hmac({ headers, body }, secret, signature) {
    if (signature.scheme !== "hmac") return missing("a signature");
    const { header, prefix, encoding, algorithm: hash } = signature;
    const text = headers[header.toLowerCase()];
    if (!text) return missing(header);
    const given = text.startsWith(prefix) ? [text.slice(prefix.length)] : [];
    const written = encoding === "hex" ? given.map(lower) : given;
    const key = { text: secret };
    const sign = (signer: Signer) => signer.hmac({ hash, key, parts: [body], encoding });
    return { sign, given: written };
  },
};

function hexOf(text: string, parts: (string | Uint8Array)[]): Claim["sign"] {
  return (signer) => signer.hmac({ hash: "sha256", key: { text }, parts, encoding: "hex" });
}

function withPrefix(prefix: string, text: string): string[] {
  return text.startsWith(prefix) ? [lower(text.slice(prefix.length))] : [];
}

function lower(text: string): string {
  return text.toLowerCase();
}

function missing(what: string): string {
  return `The delivery is not signed: ${what} must be sent.`;
}

/** Both ways: a clock may be ahead; what was signed long ago may have been overheard. */
function timeTrouble(timestamp: string, now: number): string | undefined {
  const at = /^\d{1,12}$/.test(timestamp) ? Number(timestamp) * 1_000 : Number.NaN;
  if (Math.abs(now - at) <= SIGNATURE_TOLERANCE_MS) return undefined;
  if (Number.isNaN(at)) return "The signature's time is no whole number of seconds since 1970.";
  const minutes = SIGNATURE_TOLERANCE_MS / 60_000;
  return `The signature's time is more than ${minutes} minutes from now: sign it anew.`;
}

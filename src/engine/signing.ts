// Standard Webhooks: what is signed, and with which key. Both who sends and who receives need it.

import type { HmacKey, Signer } from "./ports.js";

/** The bytes that a secret writes in base64, with or without `whsec_`. Undefined: it is no key. */
export function standardKey(secret: string): HmacKey | undefined {
  const text = secret.trim().replace(/^whsec_/, "");
  return /^[A-Za-z0-9+/]{4,}={0,2}$/.test(text) ? { base64: text } : undefined;
}

/** The signature without its `v1,`. `timestamp`: s since 1970. */
export function standardSignature(
  signer: Signer,
  key: HmacKey,
  { id, timestamp, body }: { id: string; timestamp: string; body: string | Uint8Array },
): string {
  const parts = [`${id}.${timestamp}.`, body];
  return signer.hmac({ hash: "sha256", key, parts, encoding: "base64" });
}

// Takes out of a value what looks like a secret: by the key it stands under, or by its looks.

import { MIN_SECRET_CHARS } from "../limits.js";
import type { Json, JsonObject } from "./json.js";
import { SECRET_TEXT } from "./secret-text.js";

/** Stands where a secret stood. */
export const REDACTED = "REDACTED";

/** A copy. What stood under a sensitive key goes everywhere else in the value, too. */
export function redact(value: Json): Json {
  const secrets = new Set<string>();
  collect(value, false, secrets);
  const longestFirst = [...secrets].sort((a, b) => b.length - a.length);
  return clean(value, false, longestFirst);
}

/** `authorization`, `api_key`, `clientSecret`, `X-Auth-Token`, `set-cookie`, … */
export function isSensitive(key: string): boolean {
  const words = key
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/);
  const text = ` ${words.join(" ")} `;
  return words.some((word) => SENSITIVE.has(word)) || PAIRS.some((pair) => text.includes(pair));
}

const SENSITIVE: ReadonlySet<string> = new Set([
  ...["authorization", "auth", "bearer", "token", "tokens", "accesstoken", "jwt", "session"],
  ...["password", "passwd", "passphrase", "pwd", "pin", "otp", "secret", "secrets"],
  ...["apikey", "cookie", "cookies", "credential", "credentials", "signature", "sessionid"],
  ...["iban", "cvv", "cvc", "ssn"],
]);

const PAIRS = [" api key ", " private key ", " access key ", " card number ", " account number "];

function collect(value: Json, isSecret: boolean, secrets: Set<string>): void {
  if (typeof value === "string") {
    if (isSecret && value.length >= MIN_SECRET_CHARS) secrets.add(value);
    // `Bearer abc` is sent, and `abc` may stand alone elsewhere.
    const bare = /^(?:Bearer|Basic) +(\S{6,})$/i.exec(value)?.[1];
    if (bare !== undefined) secrets.add(bare);
  } else if (Array.isArray(value)) {
    for (const item of value) collect(item, isSecret, secrets);
  } else if (value !== null && typeof value === "object") {
    for (const [key, item] of Object.entries(value)) {
      collect(item, isSecret || isSensitive(key), secrets);
    }
  }
}

function clean(value: Json, isSecret: boolean, secrets: readonly string[]): Json {
  if (typeof value === "string") return isSecret ? REDACTED : cleanText(value, secrets);
  if (typeof value === "number") return isSecret ? 0 : value;
  if (Array.isArray(value)) return value.map((item) => clean(item, isSecret, secrets));
  if (value === null || typeof value !== "object") return value;
  const copy: JsonObject = {};
  for (const [key, item] of Object.entries(value)) {
    copy[cleanText(key, secrets)] = clean(item, isSecret || isSensitive(key), secrets);
  }
  return copy;
}

function cleanText(text: string, secrets: readonly string[]): string {
  let cleaned = text;
  for (const secret of secrets) cleaned = cleaned.replaceAll(secret, REDACTED);
  cleaned = cleaned
    .replace(/\b(Bearer|Basic) +[\w+/=.~-]{8,}/gi, `$1 ${REDACTED}`)
    .replace(/\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, REDACTED)
    .replace(/(\/\/[^/@\s:]{1,200}):[^/@\s]{1,200}@/g, `$1:${REDACTED}@`)
    .replace(/([?&]([^=&#\s]{1,100})=)([^&#\s]+)/g, (all, head: string, name: string) =>
      isSensitive(name) ? `${head}${REDACTED}` : String(all),
    );
  return SECRET_TEXT.test(cleaned) ? REDACTED : cleaned;
}

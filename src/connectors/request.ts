// What the steps that speak HTTP ask for alike: an address, headers, a query and a body.

import { Type } from "../flow/type.js";
import { isJsonType } from "./exchange.js";

export const UrlSchema = Type.String({
  description: "The address, beginning with http:// or https://.",
  pattern: "^https?://[^/?#]",
  "x-wanted": "an address that begins with http:// or https://",
});

/** Names are tokens; values are what HTTP can carry, so no line break can add a header. */
export const HeadersSchema = Type.Unsafe<{ [name: string]: string }>({
  type: "object",
  description: "Headers to send, by name.",
  propertyNames: { pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$", "x-wanted": "the name of a header" },
  additionalProperties: {
    type: "string",
    pattern: "^[\\t\\x20-\\x7e\\x80-\\xff]*$",
    "x-wanted": "text in one line, of the characters that a header can carry",
  },
});

type QueryValue = string | number | boolean | null;

export const QuerySchema = Type.Unsafe<{ [name: string]: QueryValue | QueryValue[] }>({
  type: "object",
  description: "Added to the url, encoded. A list gives one entry a value; null gives none.",
  additionalProperties: {
    type: ["string", "number", "boolean", "null", "array"],
    items: { type: ["string", "number", "boolean", "null"] },
    "x-wanted": "text, a number, true, false, null, or a list of them",
  },
});

/** The query goes before a fragment, and after what the url asks already. */
export function withQuery(
  url: string,
  query: { [name: string]: QueryValue | QueryValue[] } = {},
): string {
  const entries = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((each) => [name, each] as const),
  );
  const text = entries
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${encode(name)}=${encode(String(value))}`)
    .join("&");
  if (text === "") return url;
  const [address = "", ...fragment] = url.split("#");
  const joint = address.includes("?") ? "&" : "?";
  return [`${address}${/[?&]$/.test(address) ? "" : joint}${text}`, ...fragment].join("#");
}

/** Half a character cannot be encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, "\ufffd"));
}

/** A text goes out as it is where the flow itself names another content type than JSON. */
export function toText(body: unknown, contentType: string | undefined): string {
  const isForm = /^\s*application\/x-www-form-urlencoded\b/i.test(contentType ?? "");
  if (isForm && typeof body === "object" && body !== null) {
    return withQuery("", body as { [name: string]: QueryValue }).slice(1);
  }
  return typeof body === "string" && !isJsonType(contentType) ? body : JSON.stringify(body);
}

/** By lower-case name; later ones win. */
export function mergeHeaders(...parts: ({ [name: string]: string } | undefined)[]): {
  [name: string]: string;
} {
  const entries = parts.flatMap((part) => Object.entries(part ?? {}));
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

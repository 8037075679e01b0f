// What the steps that speak HTTP ask for alike: an address and headers.

import Type from "typebox";

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

/** By lower-case name; later ones win. */
export function mergeHeaders(...parts: ({ [name: string]: string } | undefined)[]): {
  [name: string]: string;
} {
  const entries = parts.flatMap((part) => Object.entries(part ?? {}));
  return Object.fromEntries(entries.map(([name, value]) => [name.toLowerCase(), value]));
}

// A step type of one's own: makes a text fit for an address.

import { defineConnector } from "mini-zaps";

export const slugify = defineConnector<{ text: string; max_length: number }>({
  type: "slugify",
  description: "Makes a text fit for an address: small letters, digits and hyphens.",
  config: {
    type: "object",
    additionalProperties: false,
    required: ["text"],
    properties: {
      text: { type: "string", description: "Any text, as a title.", minLength: 1 },
      max_length: { type: "integer", minimum: 1, maximum: 200, default: 60 },
    },
  },
  output: {
    type: "object",
    required: ["slug"],
    properties: { slug: { type: "string" } },
  },
  run({ text, max_length }, { log }) {
    const plain = text.normalize("NFKD").replace(/\p{Mark}/gu, "");
    const slug = plain
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, max_length)
      .replace(/^-|-$/g, "");
    if (slug === "") throw new Error(`nothing is left of ${JSON.stringify(text)}`);
    log(`${text} becomes ${slug}`);
    return { slug };
  },
});

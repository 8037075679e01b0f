// Signatures of webhook triggers: what a scheme needs is there, and nothing that it does not read.

import { get } from "../model.js";
import { nodeAt } from "../tree.js";
import type { Rule } from "./rule.js";

export const signature: Rule = {
  name: "signature",
  says: "A signature has what its scheme needs, and nothing that only another scheme reads.",
  kinds: ["missing-key", "unknown-key"],
  after: [],
  check({ root, findings }) {
    get(root, "triggers")?.items?.forEach((trigger, index) => {
      const given = get(trigger, "signature");
      const scheme = get(given, "scheme")?.json;
      if (typeof scheme !== "string" || given?.entries === undefined) {
        return;
      }
      if (scheme === "hmac" && get(given, "header") === undefined) {
        const key = trigger.entries?.get("signature")?.key;
        const message = 'missing key "header": hmac needs the name of the signature\'s header';
        findings.add("missing-key", key ?? nodeAt(root, `/triggers/${index}`), message);
      }
      for (const [name, { key }] of scheme === "hmac" ? [] : given.entries) {
        if (OF_HMAC.has(name)) {
          const message = `unknown key "${name}": the scheme ${scheme} says itself how it signs`;
          findings.add("unknown-key", key, message, "it belongs to the scheme hmac");
        }
      }
    });
  },
};

const OF_HMAC: ReadonlySet<string> = new Set([
  "header",
  "prefix",
  "encoding",
  "algorithm",
  "id_header",
]);

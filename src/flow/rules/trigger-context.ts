// What a trigger gives its runs fits the context that the workflow declares.

import { get } from "../model.js";
import { checkContextGiven } from "./fit.js";
import type { Rule } from "./rule.js";

export const triggerContext: Rule = {
  name: "trigger-context",
  says: "The context that a trigger gives fits the one that the workflow declares.",
  kinds: ["context-type"],
  // A schema that cannot be used was reported where it stands.
  after: ["type", "value", "missing-key", "regex", "unknown-key"],
  check(subject) {
    const { root } = subject;
    const declared = get(root, "context")?.json;
    get(root, "triggers")?.items?.forEach((trigger, index) => {
      const type = get(trigger, "type");
      const given = get(trigger, "context");
      // Without one, a webhook's body is the context, which no one knows yet.
      if (type !== undefined && (given !== undefined || type.json !== "webhook")) {
        const pointer = `/triggers/${index}/context`;
        checkContextGiven(subject, given, pointer, type, declared, "this workflow");
      }
    });
  },
};

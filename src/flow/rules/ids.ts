// Ids: no step's id is used twice in a file.

import type { Place } from "../findings.js";
import { stepsOf } from "../model.js";
import type { Rule } from "./rule.js";

export const ids: Rule = {
  name: "ids",
  says: "No two steps of a file have one id.",
  kinds: ["duplicate-id"],
  after: [],
  check({ body, findings }) {
    const first = new Map<string, Place>();
    for (const step of stepsOf(body)) {
      if (first.has(step.id)) {
        const message = `the id "${step.id}" is used by another step before`;
        findings.add("duplicate-id", step.place, message, "every step of a file needs its own id");
      } else {
        first.set(step.id, step.place);
      }
    }
  },
};

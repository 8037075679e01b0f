// What is wrong only between the files of a folder.

import type { Place } from "../findings.js";
import { get } from "../model.js";
import type { Subject } from "./rule.js";

/** Ids are the names under which workflows are served: no two files may claim one. */
export function checkAcross(subjects: readonly (Subject & { file: string })[]): void {
  const claims = new Map<string, { subject: Subject & { file: string }; place: Place }[]>();
  for (const subject of subjects) {
    const id = get(subject.root, "id");
    if (typeof id?.json === "string") {
      claims.set(id.json, [...(claims.get(id.json) ?? []), { subject, place: id }]);
    }
  }
  for (const [id, claimants] of claims) {
    for (const { subject, place } of claimants.length > 1 ? claimants : []) {
      const others = claimants
        .filter((other) => other.subject !== subject)
        .map((other) => other.subject.file);
      const shown = others.length > 3 ? [...others.slice(0, 3), "…"] : others;
      const message = `the id "${id}" is also used in ${shown.join(", ")}`;
      subject.findings.add("workflow-id", place, message, "give each workflow its own id");
    }
  }
}

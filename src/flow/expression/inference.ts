// The state of one check: the findings and reads so far, and what is known at a place.

import type { TypeEnv } from "./env.js";
import type { Finding, FindingKind, Reference } from "./finding.js";
import type { Path } from "./guards.js";
import type { Node } from "./tree.js";
import { nameOf, type Type } from "./types.js";

export interface Scope {
  /** Variables of the comprehensions and bindings around the place. */
  variables: ReadonlyMap<string, Type>;
  /** Paths that are known to exist. */
  facts: readonly Path[];
}

/** What a value of the type could be asked instead. */
const QUESTIONS: { readonly [kind: string]: (written: string) => string } = {
  string: (written) => `write ${written} != ""`,
  int: (written) => `write ${written} != 0`,
  double: (written) => `write ${written} != 0`,
  list: (written) => `write size(${written}) > 0`,
  object: (written) => `write size(${written}) > 0`,
  optional: (written) => `write ${written}.orValue(false)`,
};

export class Inference {
  readonly findings: Finding[] = [];
  readonly reads: Reference[] = [];
  #explainedUntil = 0;

  constructor(
    /** The expression, as it was parsed. */
    readonly text: string,
    readonly env: TypeEnv,
  ) {}

  add(
    kind: FindingKind,
    place: { start: number; end: number },
    message: string,
    suggestion?: string,
  ): void {
    const { start, end } = place;
    if (start < this.#explainedUntil) {
      return;
    }
    const severity = kind === "constant-condition" ? "warning" : "error";
    const finding: Finding = { start, end, kind, severity, message };
    this.findings.push(suggestion === undefined ? finding : { ...finding, suggestion });
  }

  /** What follows, up to there, is part of a mistake that has been found already. */
  explain(until: number): void {
    this.#explainedUntil = until;
  }

  /** As it is written, short enough for a sentence. */
  written(node: Node): string {
    const text = this.text.slice(node.start, node.end).replace(/\s+/g, " ");
    return text.length > 40 ? `${text.slice(0, 39)}…` : text;
  }

  needBoolean(node: Node, type: Type, who: string): void {
    if (type.kind !== "bool" && type.kind !== "dyn") {
      const question = QUESTIONS[type.kind]?.(this.written(node));
      this.add("expression-type", node, `${who} needs a boolean, not ${nameOf(type)}`, question);
    }
  }
}

/** The type of a node in a scope; adds what it finds on the way. */
export type Visit = (inference: Inference, node: Node, scope: Scope) => Type;

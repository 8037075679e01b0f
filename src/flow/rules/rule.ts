// What a rule is: a name, a sentence, the kinds it reports, and a check.

import type { Catalog } from "../catalog.js";
import type { Kind } from "../diagnostic.js";
import type { Findings } from "../findings.js";
import type { BodyModel } from "../model.js";
import type { TextNode } from "../tree.js";
import type { Use } from "../uses.js";

/** What the rules know of one file. */
export interface Subject {
  text: string;
  root: TextNode;
  body: BodyModel;
  /** Every expression of the file. */
  uses: readonly Use[];
  catalog: Catalog;
  /** The owner lists the hosts that data may choose. */
  lists_hosts: boolean;
  findings: Findings;
}

export interface Rule {
  name: string;
  /** One sentence: what is promised of a file that passes. */
  says: string;
  kinds: readonly Kind[];
  /** Skipped once one of these was found: its own findings would only follow from them. */
  after: readonly Kind[];
  check(subject: Subject): void;
}

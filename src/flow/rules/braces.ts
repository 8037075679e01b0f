// Text that was meant as an expression, and has the braces of another language.

import { findExpressions } from "../expression/index.js";
import { get, stepsOf } from "../model.js";
import { placeInScalar } from "../scalar-text.js";
import type { TextNode } from "../tree.js";
import type { Rule, Subject } from "./rule.js";

export const braces: Rule = {
  name: "braces",
  says: "What reads like an expression is one.",
  kinds: ["expression"],
  after: [],
  check(subject) {
    const { root, body } = subject;
    checkTexts(subject, get(root, "outputs"));
    checkTexts(subject, get(get(root, "concurrency"), "group"));
    for (const trigger of get(root, "triggers")?.items ?? []) {
      checkTexts(subject, get(trigger, "context"));
    }
    for (const { node, type, bodies } of stepsOf(body)) {
      checkTexts(subject, get(get(node, "on_error"), "output"));
      // A case's `when` is an expression without any braces.
      if (bodies.length === 0 && type !== "branch") checkTexts(subject, get(node, "config"));
    }
  },
};

/** `{{ … }}` and `${ … }` around what only an expression can name. */
const LOOKALIKE = /(?:(?<!\$)\{\{|\$\{)\s*((?:context|steps|secrets|trigger)\.[^{}\n]*)\}\}?/g;

function checkTexts(subject: Subject, node: TextNode | undefined): void {
  if (typeof node?.json === "string") checkText(subject, node, node.json);
  for (const item of node?.items ?? []) checkTexts(subject, item);
  for (const { value } of node?.entries?.values() ?? []) checkTexts(subject, value);
}

function checkText({ text, findings }: Subject, node: TextNode, value: string): void {
  const found = [...value.matchAll(LOOKALIKE)];
  if (found.length === 0) return;
  const expressions = findExpressions(value).parts.filter(({ kind }) => kind === "expression");
  for (const { index, 0: written, 1: inside = "" } of found) {
    const end = index + written.length;
    if (expressions.some((part) => part.start < end && index < part.end)) continue;
    const place = placeInScalar(text, node, index, end);
    const inner = inside.trim();
    const fix = inner.length > 60 ? "${{ … }}" : `\${{ ${inner} }}`;
    const message = "this is text here, and no expression";
    findings.add("expression", place, message, `write "${fix}"`, "warning");
  }
}

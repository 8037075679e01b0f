// Secrets: declared and used, never written down, and not where others log them.

import { findExpressions, wholeExpression } from "../expression/index.js";
import type { Findings } from "../findings.js";
import { didYouMean, show } from "../mistakes.js";
import { get, stepsOf } from "../model.js";
import { placeInScalar } from "../scalar-text.js";
import { SECRET_TEXT } from "../secret-text.js";
import type { TextNode } from "../tree.js";
import { secretNames, type Use } from "../uses.js";
import type { Rule, Subject } from "./rule.js";

export const secrets: Rule = {
  name: "secrets",
  says: "Secrets are declared, used, and kept out of the file and of addresses.",
  kinds: ["unused-secret", "hardcoded-secret", "secret-in-url", "value"],
  after: [],
  check(subject) {
    checkUsed(subject);
    for (const step of stepsOf(subject.body)) {
      const config = get(step.node, "config");
      if (config !== undefined && step.bodies.length === 0) {
        checkWritten(subject.findings, config, "");
      }
    }
    for (const use of subject.uses) {
      checkAddress(subject, use);
    }
  },
};

function checkUsed({ root, uses, findings }: Subject): void {
  const names = secretNames(root);
  const used = new Set<string | undefined>();
  let misspelled = findings.has("expression");
  for (const { checked } of uses) {
    for (const read of checked.reads) {
      if (read.root === "secrets") {
        used.add(read.path[0]);
      }
    }
  }
  for (const trigger of get(root, "triggers")?.items ?? []) {
    const secret = get(get(trigger, "signature"), "secret");
    if (typeof secret?.json !== "string") {
      continue;
    }
    used.add(secret.json);
    if (!names.includes(secret.json)) {
      const message = `the secret ${show(secret.json)} is not declared in secrets`;
      findings.add("value", secret, message, didYouMean(secret.json, names));
      misspelled = true;
    }
  }
  // What could not be read may be what uses it.
  if (misspelled) {
    return;
  }
  for (const item of get(root, "secrets")?.items ?? []) {
    if (typeof item.json === "string" && !used.has(item.json)) {
      findings.add("unused-secret", item, `the secret ${show(item.json)} is never used`);
    }
  }
}

/** Keys whose values are secrets. */
const SECRET_KEY = /^(?:.*[-_])?(?:authorization|password|passwd|secret|token|api[-_]?key)$/i;

function checkWritten(findings: Findings, node: TextNode, key: string): void {
  if (typeof node.json === "string" && !node.json.includes("${{")) {
    const isSecret = node.json.length >= 6 && SECRET_KEY.test(key);
    if (isSecret || SECRET_TEXT.test(node.json)) {
      const message = "this looks like a secret, and the file is no place for one";
      const suggestion = 'declare it under secrets, and write "${{ secrets.NAME }}"';
      findings.add("hardcoded-secret", node, message, suggestion);
    }
  }
  for (const item of node.items ?? []) {
    checkWritten(findings, item, key);
  }
  for (const [name, { value }] of node.entries ?? []) {
    checkWritten(findings, value, name);
  }
}

/** A whole address may be a secret; a secret inside one ends up in the logs of each proxy. */
function checkAddress({ text, findings }: Subject, use: Use): void {
  const inUrl = use.role === "config" && /\/config\/url$/.test(use.pointer);
  const inQuery = use.role === "config" && /\/config\/query\//.test(use.pointer);
  if ((!inUrl && !inQuery) || typeof use.node.json !== "string") {
    return;
  }
  if (inUrl && wholeExpression(findExpressions(use.node.json).parts) !== undefined) {
    return;
  }
  for (const { root, start, end } of use.checked.reads) {
    if (root === "secrets") {
      const message = "a secret in an address ends up in the logs of servers and proxies";
      const place = placeInScalar(text, use.node, start, end);
      findings.add("secret-in-url", place, message, "send it in a header");
    }
  }
}

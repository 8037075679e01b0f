// Keys and shapes: the envelope first, then each step's config by the schema of its own type.

import type { StepType } from "../catalog.js";
import { stepEnvelope, triggerSchemas, workflowEnvelope } from "../envelope.js";
import type { Place } from "../findings.js";
import type { Json, JsonObject } from "../json.js";
import { didYouMean, type Forgive, type Mistake, show } from "../mistakes.js";
import { get } from "../model.js";
import { keyAt, nodeAt, placeAt, type TextNode } from "../tree.js";
import { validatorOf } from "../validator.js";
import type { Rule, Subject } from "./rule.js";

export const keys: Rule = {
  name: "keys",
  says: "Every key is known, every needed key is there, and every value has the type it needs.",
  kinds: ["unknown-key", "missing-key", "type", "value", "step-type"],
  after: [],
  check(subject) {
    const { root } = subject;
    add(subject, "", validatorOf(workflowEnvelope).mistakes(root.json));
    checkSteps(subject, root, "");
    get(root, "triggers")?.items?.forEach((trigger, index) => {
      const schema = own(triggerSchemas, get(trigger, "type")?.json);
      if (schema !== undefined) {
        add(subject, `/triggers/${index}`, validatorOf(schema).mistakes(trigger.json));
      }
    });
  },
};

/** The steps of a body, and of the bodies inside them. */
function checkSteps(subject: Subject, body: TextNode, pointer: string): void {
  get(body, "steps")?.items?.forEach((step, index) => {
    if (step.entries === undefined) {
      return;
    }
    const at = `${pointer}/steps/${index}`;
    add(subject, at, validatorOf(stepEnvelope).mistakes(step.json));
    const type = get(step, "type");
    if (typeof type?.json === "string") {
      checkType(subject, step, type, at);
    }
  });
}

function checkType(subject: Subject, step: TextNode, type: TextNode, pointer: string): void {
  const { catalog, findings } = subject;
  const stepType = own(catalog, type.json);
  if (stepType === undefined) {
    const names = Object.keys(catalog);
    const message = `unknown step type ${show(type.json)}`;
    findings.add("step-type", type, message, didYouMean(String(type.json), names));
    return;
  }
  if (stepType.planned) {
    const message = `step type "${stepType.type}" is not executed by this version yet`;
    findings.add("step-type", type, message);
  }
  checkUseless(subject, step, stepType);
  const config = get(step, "config");
  if (config === undefined || config.entries !== undefined) {
    checkConfig(subject, stepType, config, pointer);
  }
  if (config !== undefined && stepType.type === "foreach") {
    checkSteps(subject, config, `${pointer}/config`);
  }
  if (config !== undefined && stepType.type === "parallel") {
    for (const [name, branch] of get(config, "branches")?.entries ?? []) {
      checkSteps(subject, branch.value, `${pointer}/config/branches/${pointerName(name)}`);
    }
  }
}

/** Keys that would do nothing on a step of this type. */
function checkUseless({ findings }: Subject, step: TextNode, { type, control }: StepType): void {
  const useless = new Map<string, string>();
  if (control) {
    useless.set("retry", `a ${type} step is not tried again`);
    useless.set("delivery", `a ${type} step calls no one`);
  }
  if (type === "branch") {
    useless.set("next_step_id", "a branch step goes where its cases and its otherwise say");
  }
  if (type === "fail") {
    useless.set("next_step_id", "a fail step goes nowhere");
  }
  for (const [key, why] of useless) {
    const entry = step.entries?.get(key);
    if (entry !== undefined) {
      findings.add("unknown-key", entry.key, `unknown key "${key}": ${why}`);
    }
  }
}

function checkConfig(
  subject: Subject,
  type: StepType,
  config: TextNode | undefined,
  pointer: string,
): void {
  const value = structuredCopy((config?.json as JsonObject | undefined) ?? {});
  const mistakes = validatorOf(type.config).mistakes(value, isExpression);
  if (config === undefined) {
    const [first] = mistakes;
    if (first !== undefined) {
      const message = `step type "${type.type}" needs a config: ${first.message}`;
      subject.findings.add("missing-key", placeAt(subject.root, `${pointer}/id`), message);
    }
    return;
  }
  add(subject, `${pointer}/config`, mistakes);
}

/** What an expression will be is the expression rules' to judge, not the schema's. */
const isExpression: Forgive = (value, keyword) => {
  if (typeof value !== "string" || !value.includes("${{")) {
    return false;
  }
  const whole = /^\s*\$\{\{[\s\S]*\}\}\s*$/.test(value);
  return keyword === "type" ? whole : keyword !== "additionalProperties";
};

function add(subject: Subject, base: string, mistakes: readonly Mistake[]): void {
  for (const mistake of mistakes) {
    const place = placeOf(subject.root, base + mistake.path, mistake);
    subject.findings.add(mistake.kind, place, mistake.message, mistake.suggestion);
  }
}

/** An unknown key is wrong itself; a missing one is missing at its parent's key. */
function placeOf(root: TextNode, pointer: string, mistake: Mistake): Place {
  if (mistake.key !== undefined) {
    return nodeAt(root, pointer).entries?.get(mistake.key)?.key ?? placeAt(root, pointer);
  }
  if (mistake.kind === "missing-key") {
    return keyAt(root, pointer) ?? placeAt(root, pointer);
  }
  return placeAt(root, pointer);
}

function own<T>(map: { readonly [name: string]: T }, name: Json | undefined): T | undefined {
  return typeof name === "string" && Object.hasOwn(map, name) ? map[name] : undefined;
}

function pointerName(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** ajv fills defaults into what it checks, and the file's values are shared between aliases. */
function structuredCopy<T extends Json>(value: T): T {
  if (Array.isArray(value)) {
    return value.map(structuredCopy) as T;
  }
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).map(([key, entry]) => [key, structuredCopy(entry)]);
    return Object.fromEntries(entries) as T;
  }
  return value;
}

// Keys and shapes: the envelope first, then each step's config by the schema of its own type.

import type { StepType } from "../catalog.js";
import { stepEnvelope, triggerSchemas, workflowEnvelope } from "../envelope.js";
import type { Json, JsonObject } from "../json.js";
import { didYouMean, type Mistake, show } from "../mistakes.js";
import { get } from "../model.js";
import { placeAt, type TextNode } from "../tree.js";
import { validatorOf } from "../validator.js";
import { addMistakes, mistakesIn } from "./fit.js";
import type { Rule, Subject } from "./rule.js";

export const keys: Rule = {
  name: "keys",
  says: "Every key is known, every needed key is there, and every value has the type it needs.",
  kinds: ["unknown-key", "missing-key", "type", "value", "step-type"],
  after: [],
  check(subject) {
    const { root } = subject;
    addMistakes(subject, "", validatorOf(workflowEnvelope).mistakes(root.json));
    checkSteps(subject, root, "");
    get(root, "triggers")?.items?.forEach((trigger, index) => {
      const type = get(trigger, "type");
      const schema = own(triggerSchemas, type?.json);
      if (schema !== undefined) {
        addMistakes(subject, `/triggers/${index}`, validatorOf(schema).mistakes(trigger.json));
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
    const type = get(step, "type");
    const stepType = own(subject.catalog, type?.json);
    addMistakes(subject, at, stepMistakes(step, stepType));
    if (typeof type?.json === "string") {
      checkType(subject, step, type, at);
    }
  });
}

/** Those of the envelope: one message, where one mistake shows in several ways. */
function stepMistakes(step: TextNode, type: StepType | undefined): Mistake[] {
  const mistakes = validatorOf(stepEnvelope).mistakes(step.json);
  const useless = type === undefined ? [] : [...uselessKeys(type).keys()];
  const known = (type?.config.properties ?? {}) as JsonObject;
  const misplaced = ({ kind, path, key = "" }: Mistake) =>
    kind === "unknown-key" && path === "" && Object.hasOwn(known, key);
  const isOutside = mistakes.some(misplaced);
  return mistakes.flatMap((mistake) => {
    if (useless.some((key) => mistake.path.startsWith(`/${key}`))) return [];
    if (isOutside && mistake.path === "/config") return [];
    if (!misplaced(mistake)) return [mistake];
    const message = `unknown key ${show(mistake.key ?? "")} of a step`;
    return [{ ...mistake, message, suggestion: 'write it inside "config"' }];
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
function uselessKeys({ type, control }: StepType): Map<string, string> {
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
  return useless;
}

function checkUseless({ findings }: Subject, step: TextNode, type: StepType): void {
  for (const [key, why] of uselessKeys(type)) {
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
  const mistakes = mistakesIn(config?.json ?? {}, type.config);
  if (config === undefined) {
    const [first] = mistakes;
    if (first !== undefined) {
      const message = `step type "${type.type}" needs a config: ${first.message}`;
      subject.findings.add("missing-key", placeAt(subject.root, `${pointer}/id`), message);
    }
    return;
  }
  addMistakes(subject, `${pointer}/config`, mistakes);
}

function own<T>(map: { readonly [name: string]: T }, name: Json | undefined): T | undefined {
  return typeof name === "string" && Object.hasOwn(map, name) ? map[name] : undefined;
}

function pointerName(name: string): string {
  return name.replaceAll("~", "~0").replaceAll("/", "~1");
}

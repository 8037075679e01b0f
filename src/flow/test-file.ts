// From the text of a test file to its cases, or to what is wrong with it.

import { type Addressed, type KnownWorkflows, stepAt, stepsById } from "./address.js";
import type { Catalog } from "./catalog.js";
import type { Diagnostic } from "./diagnostic.js";
import { Findings, type Place } from "./findings.js";
import { readFlowFile } from "./flow-file.js";
import type { Json, JsonObject } from "./json.js";
import { didYouMean, listed, show } from "./mistakes.js";
import { get } from "./model.js";
import { addMistakes, checkContextGiven, mistakesIn } from "./rules/fit.js";
import type { FlowTest } from "./test-case.js";
import { isMapped, toCases } from "./test-cases.js";
import { testShape } from "./test-shape.js";
import type { Entry, TextNode } from "./tree.js";
import { validatorOf } from "./validator.js";
import type { Step, Workflow } from "./workflow.js";

/** What a test file is checked against: the workflows of its folder. */
export interface TestedFolder {
  workflows: KnownWorkflows;
  catalog: Catalog;
}

export interface CheckedTest {
  /** Null iff a diagnostic is an error. */
  test: FlowTest | null;
  /** Sorted by position. */
  diagnostics: Diagnostic[];
}

/** `file` is its name in diagnostics. */
export function checkTestFile(text: string, file: string, folder: TestedFolder): CheckedTest {
  const findings = new Findings(file, text);
  if (isEmpty(text)) {
    findings.add(
      "type",
      { start: 0, end: 1 },
      "the file is empty; a test needs workflow and cases",
    );
    return { test: null, diagnostics: findings.sorted() };
  }
  const root = readFlowFile(text, findings);
  if (root === undefined) return { test: null, diagnostics: findings.sorted() };
  addMistakes({ root, findings }, "", validatorOf(testShape).mistakes(copy(root.json)));
  const workflow = workflowOf(root, folder, findings);
  if (workflow) new Reader(root, workflow, folder, findings).check();
  if (findings.hasErrors) return { test: null, diagnostics: findings.sorted() };
  const test = {
    file,
    workflow_id: String(get(root, "workflow")?.json),
    cases: toCases(root, text),
  };
  return { test, diagnostics: findings.sorted() };
}

function isEmpty(text: string): boolean {
  return text.split("\n").every((line) => /^\s*(?:#|$)/.test(line));
}

function workflowOf(
  root: TextNode,
  { workflows }: TestedFolder,
  findings: Findings,
): Workflow | undefined {
  const named = get(root, "workflow");
  if (typeof named?.json !== "string") return undefined;
  const workflow = workflows.get(named.json);
  if (workflow) return workflow;
  const message =
    workflow === null
      ? `the workflow ${show(named.json)} has mistakes, so it cannot be tested`
      : `there is no workflow ${show(named.json)} in this folder`;
  const suggestion =
    workflow === null ? "flows validate shows them" : didYouMean(named.json, workflows.keys());
  findings.add("workflow-ref", named, message, suggestion);
  return undefined;
}

/** Holds what a file says against the workflow that it tests. */
class Reader {
  constructor(
    readonly root: TextNode,
    readonly workflow: Workflow,
    readonly folder: TestedFolder,
    readonly findings: Findings,
  ) {}

  check(): void {
    const names = new Set<Json>();
    get(this.root, "cases")?.items?.forEach((node, index) => {
      const name = get(node, "name");
      if (name !== undefined && names.has(name.json)) {
        this.findings.add("value", name, `another case has the name ${show(name.json)}`);
      }
      names.add(name?.json ?? null);
      this.#case(node, `/cases/${index}`, name ?? node);
    });
  }

  #case(node: TextNode, pointer: string, place: Place): void {
    const { root, findings, workflow } = this;
    const subject = { root, findings, uses: [] };
    const at = `${pointer}/context`;
    const of = `the workflow "${workflow.id}"`;
    if (isMapped((node.json ?? {}) as JsonObject)) this.#trigger(get(node, "trigger"));
    else checkContextGiven(subject, get(node, "context"), at, place, workflow.context, of);
    this.#addresses(get(node, "stubs"), (step, entry, base) => this.#stub(step, entry, base), {
      pointer: `${pointer}/stubs`,
    });
    this.#addresses(get(node, "answers"), (step, { key }) => this.#answer(step, key), {});
    get(node, "signals")?.items?.forEach((signal) => {
      this.#signal(get(signal, "name"));
    });
    const expect = get(node, "expect");
    for (const key of ["attempts", "steps"]) this.#addresses(get(expect, key), () => {}, {});
    this.#addresses(get(expect, "calls"), (step, { key }) => this.#called(step, key), {});
    const ids = [...(get(expect, "path")?.items ?? []), get(get(expect, "error"), "step_id")];
    for (const id of ids) {
      if (typeof id?.json === "string") this.#ownStep(id.json, id);
    }
    const [one, other] = [get(expect, "output"), get(expect, "outputs")];
    if (one && other) findings.add("value", one, '"output" and "outputs" exclude each other');
  }

  /** The case leaves its context to a trigger of the workflow: there must be one. */
  #trigger(given: TextNode | undefined): void {
    const type = get(given, "type");
    const { id, triggers = [] } = this.workflow;
    if (type === undefined || triggers.some((each) => each.type === type.json)) return;
    const message = `the workflow "${id}" has no trigger of type ${show(type.json)}`;
    this.findings.add("value", type, message, "or give the case a context");
  }

  #addresses(
    node: TextNode | undefined,
    check: (step: Step, entry: Entry, pointer: string) => void,
    { pointer = "" },
  ): void {
    for (const [address, entry] of node?.entries ?? []) {
      const found = stepAt(address, this.workflow, this.folder.workflows);
      const escaped = address.replaceAll("~", "~0").replaceAll("/", "~1");
      if ("step" in found) check(found.step, entry, `${pointer}/${escaped}`);
      else this.#unknown(found, entry.key);
    }
  }

  #unknown(found: Exclude<Addressed, { step: Step }>, place: Place): void {
    const message = `there is no step ${show(found.unknown)} in workflow "${found.in}"`;
    const suggestion = didYouMean(found.unknown, found.candidates);
    this.findings.add("step-ref", place, message, suggestion);
  }

  /** The run's own steps alone: those of a sub-workflow's run are no part of its path. */
  #ownStep(id: string, place: Place): void {
    const steps = stepsById(this.workflow);
    if (steps.has(id)) return;
    const found = { unknown: id, in: this.workflow.id, candidates: [...steps.keys()] };
    this.#unknown(found, place);
  }

  #stub(step: Step, { key, value }: Entry, pointer: string): void {
    const type = this.folder.catalog[step.type];
    if (type?.control && step.type !== "workflow") {
      const message = `"${step.id}" is of type ${step.type}, which takes no stub`;
      this.findings.add("value", key, message, INSTEAD[step.type]);
      return;
    }
    const schema = type?.output;
    if (schema === undefined) return;
    const stubs = value.items ?? [value];
    stubs.forEach((stub, index) => {
      const output = get(stub, "output");
      if (output === undefined) return;
      const base = `${pointer}${value.items ? `/${index}` : ""}/output`;
      // A test may leave out of an answer what the workflow does not read.
      const mistakes = mistakesIn(output.json, schema).filter(({ kind }) => kind !== "missing-key");
      const told = mistakes.map((mistake) => ({
        ...mistake,
        message: `not an answer to a step of type ${step.type}: ${mistake.message}`,
      }));
      addMistakes(this, base, told);
    });
  }

  #answer(step: Step, place: Place): void {
    if (step.type === "approval") return;
    const message = `"${step.id}" is of type ${step.type}; people answer steps of type approval`;
    this.findings.add("value", place, message);
  }

  #called(step: Step, place: Place): void {
    const type = this.folder.catalog[step.type];
    if (!type?.control || step.type === "workflow") return;
    const message = `"${step.id}" is of type ${step.type}, which calls no one`;
    this.findings.add("value", place, message, "expect its output under steps");
  }

  #signal(name: TextNode | undefined): void {
    if (typeof name?.json !== "string") return;
    const waits = [...stepsById(this.workflow).values()].filter(({ type }) => type === "wait");
    const names = [...new Set(waits.map(({ config }) => String(config.signal)))];
    if (names.includes(name.json) || names.some((each) => each.includes("${{"))) return;
    const known = names.length === 0 ? "there is no wait step" : `they wait for ${listed(names)}`;
    const what = `the signal ${show(name.json)}`;
    const message = `no step of "${this.workflow.id}" waits for ${what}: ${known}`;
    this.findings.add("value", name, message, didYouMean(name.json, names));
  }
}

/** What to write for steps that the engine performs itself. */
const INSTEAD: { readonly [type: string]: string } = {
  approval: "write what a person says under answers",
  wait: "send its signal under signals",
  delay: "its time passes at once; leave the stub out",
};

function copy(value: Json): Json {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

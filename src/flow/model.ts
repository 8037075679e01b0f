// A flow file as a graph: bodies, their steps, and where each step may go. Tolerates mistakes.

import type { Place } from "./findings.js";
import type { Entry, TextNode } from "./tree.js";

/** A way from a step to another of its body, or to the body's end (null). */
export interface Edge {
  kind: "next" | "fall" | "case" | "otherwise" | "on_error";
  to: string | null;
  place: Place;
}

export interface StepModel {
  id: string;
  /** Of the id's value. */
  place: Place;
  type: string;
  node: TextNode;
  /** JSON pointer to the step. */
  pointer: string;
  body: BodyModel;
  /** Position in the body's list. */
  index: number;
  edges: Edge[];
  /** Of a `foreach` (one) and a `parallel` (one a branch). */
  bodies: BodyModel[];
}

export interface BodyModel {
  /** `the workflow`, `foreach "remind_each"`, `branch "chat" of "announce"`. */
  name: string;
  node: TextNode;
  pointer: string;
  /** The step that holds it; undefined for the workflow's own. */
  parent?: StepModel;
  steps: StepModel[];
  byId: ReadonlyMap<string, StepModel>;
  entry: StepModel | undefined;
  entryPoint?: { to: string; place: Place };
  /** The workflow's `on_error`, which any of its steps may lead to. */
  onError?: { to: string; place: Place };
  /** A step has no id, or no readable one: who is who is not known. */
  broken: boolean;
}

/** Steps whose `next_step_id` says nothing: they go where their cases say, or nowhere. */
const WITHOUT_NEXT: ReadonlySet<string> = new Set(["branch", "fail"]);

export function buildModel(root: TextNode): BodyModel {
  const body = buildBody(root, "", "the workflow", undefined);
  const onError = text(get(get(root, "on_error"), "next_step_id"));
  return onError === undefined ? body : { ...body, onError: { to: onError.value, place: onError } };
}

/** Every body of a file, outermost first. */
export function* bodiesOf(body: BodyModel): Generator<BodyModel> {
  yield body;
  for (const step of body.steps) {
    for (const inner of step.bodies) {
      yield* bodiesOf(inner);
    }
  }
}

/** Every step of a file, in the order of the text. */
export function* stepsOf(body: BodyModel): Generator<StepModel> {
  for (const step of body.steps) {
    yield step;
    for (const inner of step.bodies) {
      yield* stepsOf(inner);
    }
  }
}

/** The value under a key; undefined for what is no mapping. */
export function get(node: TextNode | undefined, key: string): TextNode | undefined {
  return node?.entries?.get(key)?.value;
}

function buildBody(
  node: TextNode,
  pointer: string,
  name: string,
  parent: StepModel | undefined,
): BodyModel {
  const steps: StepModel[] = [];
  const byId = new Map<string, StepModel>();
  const list = get(node, "steps")?.items ?? [];
  const body: BodyModel = { name, node, pointer, steps, byId, entry: undefined, broken: false };
  if (parent !== undefined) {
    body.parent = parent;
  }
  list.forEach((item, index) => {
    const id = text(get(item, "id"));
    if (id === undefined) {
      body.broken = true;
      return;
    }
    const step = buildStep(item, id.value, id, `${pointer}/steps/${index}`, body);
    steps.push(step);
    if (!byId.has(step.id)) {
      byId.set(step.id, step);
    }
  });
  steps.forEach((step, index) => {
    step.edges = edgesOf(step, steps[index + 1]);
  });
  const entry = text(get(node, "entry_point"));
  body.entry = entry === undefined ? steps[0] : byId.get(entry.value);
  if (entry !== undefined) {
    body.entryPoint = { to: entry.value, place: entry };
  }
  return body;
}

function buildStep(
  node: TextNode,
  id: string,
  place: Place,
  pointer: string,
  body: BodyModel,
): StepModel {
  const type = text(get(node, "type"))?.value ?? "";
  const index = body.steps.length;
  const at = { start: place.start, end: place.end };
  const step: StepModel = {
    id,
    place: at,
    type,
    node,
    pointer,
    body,
    index,
    edges: [],
    bodies: [],
  };
  step.bodies = innerBodies(step);
  return step;
}

function innerBodies(step: StepModel): BodyModel[] {
  const config = get(step.node, "config");
  if (config === undefined) {
    return [];
  }
  if (step.type === "foreach") {
    return [buildBody(config, `${step.pointer}/config`, `foreach "${step.id}"`, step)];
  }
  if (step.type === "parallel") {
    const branches = get(config, "branches")?.entries ?? new Map<string, Entry>();
    return [...branches].map(([name, { value }]) => {
      const escaped = name.replaceAll("~", "~0").replaceAll("/", "~1");
      const pointer = `${step.pointer}/config/branches/${escaped}`;
      return buildBody(value, pointer, `branch "${name}" of "${step.id}"`, step);
    });
  }
  return [];
}

function edgesOf(step: StepModel, following: StepModel | undefined): Edge[] {
  const edges: Edge[] = [];
  const next = get(step.node, "next_step_id");
  if (next !== undefined && !WITHOUT_NEXT.has(step.type)) {
    push(edges, "next", next);
  }
  if (next === undefined && !WITHOUT_NEXT.has(step.type)) {
    edges.push({ kind: "fall", to: following?.id ?? null, place: step.place });
  }
  if (step.type === "branch") {
    const config = get(step.node, "config");
    for (const item of get(config, "cases")?.items ?? []) {
      push(edges, "case", get(item, "next_step_id"));
    }
    push(edges, "otherwise", get(config, "otherwise"));
  }
  push(edges, "on_error", get(get(step.node, "on_error"), "next_step_id"));
  return edges;
}

function push(edges: Edge[], kind: Edge["kind"], node: TextNode | undefined): void {
  if (node !== undefined && (typeof node.json === "string" || node.json === null)) {
    edges.push({ kind, to: node.json, place: { start: node.start, end: node.end } });
  }
}

function text(node: TextNode | undefined): (Place & { value: string }) | undefined {
  return typeof node?.json === "string"
    ? { value: node.json, start: node.start, end: node.end }
    : undefined;
}

// Every expression of a file, with where it stands, what it may read there, and what it does read.

import type { Catalog } from "./catalog.js";
import {
  accepts,
  type Checked,
  checkBare,
  checkText,
  type Type,
  type TypeEnv,
  triggerEnv,
  typeEnv,
  typeOf,
  withError,
  withItem,
} from "./expression/index.js";
import type { Json, JsonObject } from "./json.js";
import { type BodyModel, get, type StepModel, stepsOf } from "./model.js";
import type { TextNode } from "./tree.js";

export type Role =
  | "config"
  | "items" // of a foreach
  | "collect" // of a foreach: read inside it, after its steps
  | "when" // of a branch's case
  | "if"
  | "retry"
  | "on_error"
  | "outputs"
  | "trigger"
  | "group"; // of concurrency

export interface Use {
  role: Role;
  node: TextNode;
  pointer: string;
  /** The step it belongs to; for `collect`, the foreach. */
  step: StepModel | undefined;
  /** Whose steps it may name, and those of the bodies around. */
  body: BodyModel;
  checked: Checked;
  /** What its place wants of it, and it does not give. */
  misfit?: Type;
}

export function collectUses(root: TextNode, body: BodyModel, catalog: Catalog): Use[] {
  return new Collector(root, body, catalog).collect();
}

class Collector {
  readonly #root: TextNode;
  readonly #body: BodyModel;
  readonly #catalog: Catalog;
  readonly #base: TypeEnv;
  readonly #uses: Use[] = [];

  constructor(root: TextNode, body: BodyModel, catalog: Catalog) {
    this.#root = root;
    this.#body = body;
    this.#catalog = catalog;
    const context = get(root, "context")?.json;
    this.#base = typeEnv({
      ...(isObject(context) ? { context } : {}),
      steps: [...stepsOf(body)].map((step) => outputOf(step, catalog)),
      secrets: secretNames(root),
    });
  }

  collect(): Use[] {
    const root = this.#root;
    this.#steps(this.#body, this.#base);
    const failing = withError(this.#base);
    this.#bare(get(get(get(root, "defaults"), "retry"), "when"), "/defaults/retry/when", failing, {
      role: "retry",
    });
    this.#texts(get(root, "outputs"), "/outputs", this.#base, { role: "outputs" });
    const group = get(get(root, "concurrency"), "group");
    const start = only(this.#base, ["context", "trigger", "workflow"]);
    this.#texts(group, "/concurrency/group", start, { role: "group" });
    get(root, "triggers")?.items?.forEach((trigger, index) => {
      const env = triggerEnv(this.#base, String(get(trigger, "type")?.json));
      this.#texts(get(trigger, "context"), `/triggers/${index}/context`, env, { role: "trigger" });
    });
    return this.#uses;
  }

  #steps(body: BodyModel, env: TypeEnv): void {
    const failing = afterErrors(body);
    for (const step of body.steps) {
      this.#step(step, failing.has(step) ? withError(env) : env);
    }
  }

  #step(step: StepModel, env: TypeEnv): void {
    const { node, pointer } = step;
    const about = { step, body: step.body };
    this.#bare(get(node, "if"), `${pointer}/if`, env, { ...about, role: "if" });
    const when = get(get(node, "retry"), "when");
    this.#bare(when, `${pointer}/retry/when`, withError(env), { ...about, role: "retry" });
    const output = get(get(node, "on_error"), "output");
    const instead = { ...about, role: "on_error" as const };
    this.#texts(output, `${pointer}/on_error/output`, withError(env), instead);
    const config = get(node, "config");
    if (config === undefined) {
      return;
    }
    switch (step.type) {
      case "branch":
        get(config, "cases")?.items?.forEach((item, index) => {
          const at = `${pointer}/config/cases/${index}/when`;
          this.#bare(get(item, "when"), at, env, { ...about, role: "when" });
        });
        break;
      case "foreach":
        this.#foreach(step, config, env);
        break;
      case "parallel":
        for (const inner of step.bodies) {
          this.#steps(inner, env);
        }
        break;
      default:
        this.#config(step, config, env);
    }
  }

  #foreach(step: StepModel, config: TextNode, env: TypeEnv): void {
    const { pointer } = step;
    const first = this.#uses.length;
    const items = get(config, "items");
    this.#texts(items, `${pointer}/config/items`, env, { step, body: step.body, role: "items" });
    const use = this.#uses[first];
    const list = use?.node === items ? use?.checked.type : undefined;
    const as = get(config, "as")?.json;
    const item = list?.kind === "list" ? list.item : typeOf(undefined);
    const inside = withItem(env, typeof as === "string" ? as : "item", item);
    for (const inner of step.bodies) {
      this.#steps(inner, inside);
      const about = { step, body: inner, role: "collect" as const };
      this.#texts(get(config, "collect"), `${pointer}/config/collect`, inside, about);
    }
    if (use !== undefined && list !== undefined && !accepts(LIST, list)) {
      use.misfit = LIST;
    }
  }

  #config(step: StepModel, config: TextNode, env: TypeEnv): void {
    const type = Object.hasOwn(this.#catalog, step.type) ? this.#catalog[step.type] : undefined;
    const about = { step, body: step.body, role: "config" as const };
    const secrets = type !== undefined && !type.control;
    this.#texts(config, `${step.pointer}/config`, env, about, secrets, type?.config);
  }

  /** A value with expressions in its texts, at any depth. */
  #texts(
    node: TextNode | undefined,
    pointer: string,
    env: TypeEnv,
    about: Pick<Use, "role"> & Partial<Use>,
    secrets = false,
    schema?: Json,
  ): void {
    if (node === undefined) {
      return;
    }
    if (typeof node.json === "string" && node.json.includes("${{")) {
      const checked = checkText(node.json, env, { secrets });
      const use = this.#add(node, pointer, checked, about);
      const wanted = typeOf(schema);
      if (checked.findings.length === 0 && !accepts(wanted, checked.type)) {
        use.misfit = wanted;
      }
    }
    node.items?.forEach((item, index) => {
      const inner = isObject(schema) ? schema.items : undefined;
      this.#texts(item, `${pointer}/${index}`, env, about, secrets, inner);
    });
    for (const [key, { value }] of node.entries ?? []) {
      const at = `${pointer}/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      this.#texts(value, at, env, about, secrets, propertyOf(schema, key));
    }
  }

  /** An expression without braces, as a condition. */
  #bare(
    node: TextNode | undefined,
    pointer: string,
    env: TypeEnv,
    about: Pick<Use, "role"> & Partial<Use>,
  ): void {
    if (typeof node?.json === "string") {
      this.#add(node, pointer, checkBare(node.json, env, "bool"), about);
    }
  }

  #add(
    node: TextNode,
    pointer: string,
    checked: Checked,
    about: Pick<Use, "role"> & Partial<Use>,
  ): Use {
    const use: Use = { step: undefined, body: this.#body, ...about, node, pointer, checked };
    this.#uses.push(use);
    return use;
  }
}

const LIST = typeOf({ type: "array" });

/** The steps that a failure may have led to. */
function afterErrors(body: BodyModel): ReadonlySet<StepModel> {
  const found = new Set<StepModel>();
  const open = body.steps.flatMap(({ edges }) =>
    edges.filter(({ kind }) => kind === "on_error").map(({ to }) => to),
  );
  open.push(body.onError?.to ?? null);
  while (open.length > 0) {
    const step = body.byId.get(open.pop() ?? "");
    if (step !== undefined && !found.has(step)) {
      found.add(step);
      open.push(...step.edges.map(({ to }) => to));
    }
  }
  return found;
}

/** The foreach steps around a body, innermost first. */
export function foreachesAround(body: BodyModel): StepModel[] {
  const found: StepModel[] = [];
  for (let step = body.parent; step !== undefined; step = step.body.parent) {
    if (step.type === "foreach") {
      found.push(step);
    }
  }
  return found;
}

/** Can `from` read this step: its own, one of a body around it, or inside a parallel of those? */
export function isVisible(step: StepModel, from: BodyModel): boolean {
  let home: BodyModel | undefined = step.body;
  while (home.parent?.type === "parallel" && !isAround(home, from)) {
    home = home.parent.body;
  }
  return isAround(home, from);
}

function isAround(outer: BodyModel, inner: BodyModel): boolean {
  let body: BodyModel | undefined = inner;
  while (body !== undefined && body.node !== outer.node) {
    body = body.parent?.body;
  }
  return body !== undefined;
}

export function secretNames(root: TextNode): string[] {
  const items = get(root, "secrets")?.items ?? [];
  return items.flatMap(({ json }) => (typeof json === "string" ? [json] : []));
}

/** A step's declared output, or its type's; of `set`, the names are known. */
function outputOf(step: StepModel, catalog: Catalog): { id: string; output?: Json } {
  const declared = get(step.node, "output")?.json;
  if (isObject(declared)) {
    return { id: step.id, output: declared };
  }
  if (step.type === "set") {
    const names = [...(get(get(step.node, "config"), "values")?.entries?.keys() ?? [])];
    const properties = Object.fromEntries(names.map((name): [string, Json] => [name, {}]));
    return { id: step.id, output: { type: "object", properties, additionalProperties: false } };
  }
  const output = Object.hasOwn(catalog, step.type) ? catalog[step.type]?.output : undefined;
  return { id: step.id, ...(output === undefined ? {} : { output }) };
}

function only(env: TypeEnv, roots: readonly string[]): TypeEnv {
  return { roots: new Map([...env.roots].filter(([root]) => roots.includes(root))) };
}

function propertyOf(schema: Json | undefined, key: string): Json | undefined {
  if (!isObject(schema)) {
    return undefined;
  }
  const { properties, additionalProperties } = schema;
  return isObject(properties) && Object.hasOwn(properties, key)
    ? properties[key]
    : additionalProperties;
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

// `flows fmt`: one layout for flow files and their tests. Keeps every comment and every value,
// or changes nothing.

import {
  type Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  visit,
  type YAMLMap,
} from "yaml";
import { canonicalJson } from "./canonical.js";
import type { Catalog } from "./catalog.js";
import type { Diagnostic } from "./diagnostic.js";
import { stepEnvelope, triggerSchemas, workflowEnvelope } from "./envelope.js";
import { Findings } from "./findings.js";
import { readDocument } from "./flow-file.js";
import type { Json, JsonObject } from "./json.js";
import { testShape } from "./test-shape.js";
import { toTree } from "./tree.js";

export interface Formatted {
  /** Undefined: the text could not be read, as the diagnostics say. */
  text: string | undefined;
  diagnostics: Diagnostic[];
}

/** The text with its keys in the order of the schemas; formatting it again changes nothing. */
export function formatFlow(text: string, file: string, catalog: Catalog): Formatted {
  return format(text, file, (document) => orderWorkflow(document, catalog));
}

/** The same for a file of tests. */
export function formatTest(text: string, file: string): Formatted {
  return format(text, file, (document) => orderRoot(document, testShape));
}

type Order = (document: Document) => void;

const AS_IT_IS: Order = () => {};

function format(text: string, file: string, order: Order): Formatted {
  const findings = new Findings(file, text);
  const value = readValue(text, findings);
  if (value === undefined) {
    return { text: undefined, diagnostics: findings.sorted() };
  }
  const before = proofOf(value, text);
  for (const each of [order, AS_IT_IS]) {
    const once = layOut(text, each);
    const twice = once === undefined ? undefined : layOut(once, each);
    // The first time, a comment may change its line; never the second.
    const stable = twice === undefined ? undefined : layOut(twice, each);
    if (twice !== undefined && twice === stable && proof(twice) === before) {
      return { text: twice, diagnostics: [] };
    }
  }
  // An alias that would come before its anchor, or a comment where none can be written.
  return { text, diagnostics: [] };
}

function readValue(text: string, findings: Findings): Json | undefined {
  const document = readDocument(text, findings);
  const tree = document === undefined ? undefined : toTree(document, text, findings);
  return findings.hasErrors ? undefined : tree?.json;
}

/** All that formatting must keep: the values, and the comments in any order. */
function proofOf(value: Json, text: string): string {
  return canonicalJson([value, commentsOf(text).sort()]);
}

function proof(text: string): string | undefined {
  const value = readValue(text, new Findings("", text));
  return value === undefined ? undefined : proofOf(value, text);
}

function commentsOf(text: string): string[] {
  const comments: string[] = [];
  let scalar = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (!scalar && lexeme.startsWith("#")) {
      comments.push(lexeme.slice(1).trim());
    }
    scalar = lexeme === "\u001f";
  }
  return comments.filter((comment) => comment !== "");
}

function layOut(text: string, order: Order): string | undefined {
  const document = readDocument(text, new Findings("", text));
  if (document === undefined) {
    return undefined;
  }
  keepCommentsOfKeys(document, text);
  order(document);
  if (isMap(document.contents) && document.contents.flow && commentsOf(text).length === 0) {
    return asJson(document, text);
  }
  const yaml = withTightLists(written(document));
  const tidy = keepsBlanks(document) ? yaml : yaml?.replace(/[ \t]+$/gm, "");
  return tidy === undefined ? undefined : `${tidy.trimEnd()}\n`;
}

/** `key: # why` stays on its line; the library takes it for a comment above the value. */
function keepCommentsOfKeys(document: Document, text: string): void {
  visit(document, {
    Pair(_, { key, value }) {
      if (!isScalar(key) || !isCollection(value) || !value.commentBefore || value.flow) {
        return;
      }
      const at = key.range?.[1] ?? text.length;
      if (/^[ \t]*:[ \t]+#/.test(text.slice(at, at + 1_000))) {
        const [first, ...rest] = value.commentBefore.split("\n");
        key.comment = first ?? null;
        value.commentBefore = rest.length > 0 ? rest.join("\n") : null;
      }
    },
  });
}

/** Undefined: an alias stands before its anchor now. */
function written(document: Document): string | undefined {
  try {
    return document.toString({ lineWidth: 0, indent: 2, indentSeq: true });
  } catch {
    return undefined;
  }
}

/** `[a, b]`, but `{ a: 1 }`: the writer pads both or none. */
function withTightLists(yaml: string | undefined): string | undefined {
  const kept: string[] = [];
  let scalar = false;
  for (const lexeme of new Lexer().lex(yaml ?? "")) {
    if (!scalar && /^ +$/.test(lexeme) && kept.at(-1) === "[") {
      continue;
    }
    if (lexeme === "]" && !scalar && / /.test(kept.at(-1) ?? "") && !isIndent(kept)) {
      kept.pop();
    }
    if (scalar || !MARKS.has(lexeme)) {
      kept.push(lexeme);
    }
    scalar = !scalar && lexeme === "\u001f";
  }
  return yaml === undefined ? undefined : kept.join("");
}

/** The lexer's own, which stand for no text. */
const MARKS: ReadonlySet<string> = new Set(["\u0002", "\u0018", "\u001f"]);

/** Do the last lexemes begin a line? */
function isIndent(lexemes: readonly string[]): boolean {
  return !/^ +$/.test(lexemes.at(-1) ?? "") || (lexemes.at(-2) ?? "\n").endsWith("\n");
}

/** A block scalar may end its lines with blanks that count. */
function keepsBlanks(document: Document): boolean {
  return /BLOCK_/.test(JSON.stringify(scalarTypes(document.contents)));
}

function scalarTypes(node: unknown): (string | undefined)[] {
  if (isMap(node)) {
    return node.items.flatMap(({ value }) => scalarTypes(value));
  }
  if (isSeq(node)) {
    return node.items.flatMap(scalarTypes);
  }
  return isScalar(node) ? [node.type] : [];
}

/** A file that is JSON stays JSON. */
function asJson(document: Document, text: string): string | undefined {
  try {
    JSON.parse(text.replace(/^\ufeff/, ""));
  } catch {
    return written(document);
  }
  return `${JSON.stringify(document.toJS(), null, 2)}\n`;
}

function orderWorkflow(document: Document, catalog: Catalog): void {
  const root = orderRoot(document, workflowEnvelope);
  if (root === undefined) {
    return;
  }
  for (const trigger of listAt(root, "triggers")) {
    const schema = triggerSchemas[String(trigger.get("type"))];
    if (schema !== undefined) {
      order(trigger, schema);
    }
  }
  orderSteps(root, catalog);
}

function orderRoot(document: Document, schema: JsonObject): YAMLMap | undefined {
  const root = document.contents;
  if (!isMap(root)) {
    return undefined;
  }
  const first = root.items[0]?.key;
  const header = isScalar(first) ? first.commentBefore : undefined;
  order(root, schema);
  const now = root.items[0]?.key;
  if (isScalar(first) && isScalar(now) && first !== now && header) {
    // What stands above the first key is about the file.
    first.commentBefore = null;
    now.commentBefore = now.commentBefore ? `${header}\n${now.commentBefore}` : header;
  }
  return root;
}

function orderSteps(body: YAMLMap, catalog: Catalog): void {
  for (const step of listAt(body, "steps")) {
    const type = String(step.get("type"));
    const { config: _, ...properties } = stepEnvelope.properties as JsonObject;
    order(step, stepEnvelope, properties);
    const config = step.get("config");
    if (!isMap(config)) {
      continue;
    }
    const schema = Object.hasOwn(catalog, type) ? catalog[type]?.config : undefined;
    if (schema !== undefined) {
      order(config, schema);
    }
    if (type === "foreach") {
      orderSteps(config, catalog);
    }
    const branches = type === "parallel" ? config.get("branches") : undefined;
    for (const { value } of isMap(branches) ? branches.items : []) {
      if (isMap(value)) {
        orderSteps(value, catalog);
      }
    }
  }
}

/** Keys in the order of the schema; those it does not name stay behind, as they are. */
function order(map: YAMLMap, schema: JsonObject, inside = schema.properties as JsonObject): void {
  const known = Object.keys((schema.properties as JsonObject | undefined) ?? {});
  const place = (key: unknown) => {
    const at = known.indexOf(String(isScalar(key) ? key.value : key));
    return at === -1 ? known.length : at;
  };
  map.items.sort((a, b) => place(a.key) - place(b.key));
  for (const { key, value } of map.items) {
    const property = inside?.[String(isScalar(key) ? key.value : key)];
    if (isMap(value) && isObject(property) && isObject(property.properties)) {
      order(value, property);
    }
    const items = isObject(property) ? property.items : undefined;
    for (const item of isSeq(value) && isObject(items) ? value.items : []) {
      if (isMap(item) && isObject(items) && isObject(items.properties)) {
        order(item, items);
      }
    }
  }
}

function listAt(map: YAMLMap, key: string): YAMLMap[] {
  const list = map.get(key);
  return isSeq(list) ? list.items.filter((item) => isMap(item)) : [];
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

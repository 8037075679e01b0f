// Writes a definition into the text of a flow file, so that comments of unchanged parts stay.

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { canonicalJson } from "../../flow/canonical.js";
import { Findings } from "../../flow/findings.js";
import { readDocument } from "../../flow/flow-file.js";
import type { Json, JsonObject } from "../../flow/json.js";

/** Long lines stay as they are: a text that is folded anew looks changed where it is not. */
const STYLE = { lineWidth: 0, aliasDuplicateObjects: false } as const;

/** A flow file that is new. */
export function newText(file: string, definition: JsonObject): string {
  if (file.endsWith(".json")) return `${JSON.stringify(definition, null, 2)}\n`;
  return stringify(definition, STYLE);
}

/** Undefined: the text is no YAML, so that nothing in it can be kept. */
export function editedText(file: string, text: string, definition: JsonObject): string | undefined {
  const document = readDocument(text, new Findings(file, text));
  if (document === undefined) return undefined;
  if (file.endsWith(".json")) return newText(file, definition);
  const edited = merged(document, definition);
  if (edited !== undefined) return edited;
  // A part that aliases share was changed in one place: then it is written out in all of them.
  document.contents = document.createNode(definition, STYLE) as Node;
  return document.toString(STYLE);
}

/** Undefined: an alias has lost what it stands for, or it now says something else. */
function merged(document: Document, definition: JsonObject): string | undefined {
  try {
    document.contents = merge(document, document.contents, definition);
    const isMeant = canonicalJson(document.toJS() as Json) === canonicalJson(definition);
    return isMeant ? document.toString(STYLE) : undefined;
  } catch {
    return undefined;
  }
}

function merge(document: Document, node: unknown, value: Json): Node {
  if (isAlias(node) && said(document, node) === canonicalJson(value)) return node;
  if (isMap(node) && isObject(value)) return mergeMap(document, node, value);
  if (isSeq(node) && Array.isArray(value)) return mergeSeq(document, node, value);
  if (isScalar(node) && node.value === value) return node;
  const made = document.createNode(value, STYLE) as Node;
  if (isScalar(node) && isScalar(made)) return dressed(made, node);
  const old = node as Partial<Node> | null;
  if (old?.commentBefore) made.commentBefore = old.commentBefore;
  if (old?.spaceBefore) made.spaceBefore = true;
  return made;
}

/** The new value in the old one's place: with its comment, and in its kind of quotes. */
function dressed(made: Scalar, old: Scalar): Scalar {
  if (old.comment) made.comment = old.comment;
  if (old.commentBefore) made.commentBefore = old.commentBefore;
  if (old.spaceBefore) made.spaceBefore = true;
  const isQuoted = old.type === Scalar.QUOTE_DOUBLE || old.type === Scalar.QUOTE_SINGLE;
  if (isQuoted && typeof made.value === "string") made.type = old.type as Scalar.Type;
  return made;
}

function mergeMap(document: Document, map: YAMLMap, value: JsonObject): Node {
  const pairs = new Map(map.items.map((pair) => [keyOf(pair), pair]));
  map.items = map.items.filter((pair) => Object.hasOwn(value, keyOf(pair)));
  for (const [key, item] of Object.entries(value)) {
    const pair = pairs.get(key);
    if (pair === undefined) map.items.push(document.createPair(key, item, STYLE) as Pair);
    else pair.value = merge(document, pair.value, item);
  }
  return map;
}

function keyOf(pair: Pair): string {
  return String(isScalar(pair.key) ? pair.key.value : pair.key);
}

/** A step is known by its id, wherever it moves; other entries by what they say, or their place. */
function mergeSeq(document: Document, seq: YAMLSeq, values: Json[]): Node {
  const old = seq.items;
  handDown(seq);
  const free = new Set(old);
  const known = values.map(finder(document, old)).map((node) => {
    free.delete(node);
    return node;
  });
  seq.items = values.map((value, index) => {
    const place = old[index];
    return merge(document, known[index] ?? (free.delete(place) ? place : undefined), value);
  });
  space(seq, old);
  return seq;
}

/** The library takes a comment above the first entry for one about them all. */
function handDown(seq: YAMLSeq): void {
  const first = seq.items[0];
  if (!isNode(first) || !seq.commentBefore || seq.flow) return;
  first.commentBefore = [seq.commentBefore, first.commentBefore].filter(Boolean).join("\n");
  seq.commentBefore = null;
}

/** Each entry is found once. */
function finder(document: Document, items: unknown[]): (value: Json) => unknown {
  const byMark = new Map<string, unknown[]>();
  for (const node of items) {
    const mark = isMap(node) ? markOf(node.toJS(document) as Json) : said(document, node);
    const alike = byMark.get(mark);
    if (alike === undefined) byMark.set(mark, [node]);
    else alike.push(node);
  }
  return (value) => byMark.get(markOf(value))?.shift();
}

/** Blank lines stand between entries as they did, also where the first one is another now. */
function space(seq: YAMLSeq, old: readonly unknown[]): void {
  const isSpaced = (node: unknown) => isNode(node) && node.spaceBefore === true;
  const isFirstSpaced = isSpaced(old[0]);
  const areOthersSpaced = old.slice(1).some(isSpaced);
  const before = new Set(old.slice(1));
  seq.items.forEach((node, index) => {
    if (!isNode(node)) return;
    if (index === 0) node.spaceBefore = isFirstSpaced;
    else if (!before.has(node)) node.spaceBefore = areOthersSpaced;
  });
}

function markOf(value: Json): string {
  const id = isObject(value) ? value.id : undefined;
  return id === undefined ? canonicalJson(value) : `id ${canonicalJson(id)}`;
}

function said(document: Document, node: unknown): string {
  return canonicalJson((node as Node).toJS(document) as Json);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Values with their places: YAML nodes become plain JSON that remembers where it stood.

import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Pair,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { MAX_FLOW_ALIASES, MAX_FLOW_DEPTH, MAX_FLOW_KEYS, MAX_FLOW_VALUES } from "../limits.js";
import type { Findings, Place } from "./findings.js";
import type { Json, JsonObject } from "./json.js";

export type Style = "plain" | "single" | "double" | "literal" | "folded";

export interface TextNode extends Place {
  json: Json;
  /** Of a mapping. */
  entries?: ReadonlyMap<string, Entry>;
  /** Of a list. */
  items?: readonly TextNode[];
  /** Of a scalar. */
  style?: Style;
  /** Levels of nesting in it, and values in it, with aliases followed. */
  depth: number;
  size: number;
}

export interface Entry {
  key: Place;
  value: TextNode;
}

/** Undefined: there is nothing in the document, or something that may not be followed. */
export function toTree(document: Document, text: string, findings: Findings): TextNode | undefined {
  const builder = new TreeBuilder(text, findings);
  if (document.contents === null || (isScalar(document.contents) && text.trim() === "")) {
    findings.add("type", { start: 0, end: 1 }, "the file is empty; a workflow needs id and steps");
    return undefined;
  }
  const root = builder.node(document.contents, { start: 0, end: 1 });
  return builder.refused ? undefined : root;
}

/** The value at a JSON pointer, as far as it leads. */
export function nodeAt(root: TextNode, pointer: string): TextNode {
  let node = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    const next = node.entries?.get(name)?.value ?? node.items?.[Number(name)];
    if (next === undefined) {
      return node;
    }
    node = next;
  }
  return node;
}

/** Where to point for a value: at its key where it has one and is itself a collection. */
export function placeAt(root: TextNode, pointer: string): Place {
  const node = nodeAt(root, pointer);
  return node.entries === undefined && node.items === undefined
    ? node
    : (keyAt(root, pointer) ?? opening(node));
}

/** The key under which the value at a JSON pointer stands. */
export function keyAt(root: TextNode, pointer: string): Place | undefined {
  const cut = pointer.lastIndexOf("/");
  if (cut === -1) {
    return undefined;
  }
  const name = pointer
    .slice(cut + 1)
    .replaceAll("~1", "/")
    .replaceAll("~0", "~");
  return nodeAt(root, pointer.slice(0, cut)).entries?.get(name)?.key;
}

/** A collection as a whole is no place to look at: its first key, or its first character. */
function opening(node: TextNode): Place {
  const first = node.entries?.values().next().value;
  return first?.key ?? { start: node.start, end: Math.min(node.end, node.start + 1) };
}

const STYLES: { readonly [type: string]: Style } = {
  PLAIN: "plain",
  QUOTE_SINGLE: "single",
  QUOTE_DOUBLE: "double",
  BLOCK_LITERAL: "literal",
  BLOCK_FOLDED: "folded",
};

class TreeBuilder {
  refused = false;
  readonly #text: string;
  readonly #findings: Findings;
  readonly #anchors = new Map<string, TextNode | "open">();
  #aliases = 0;
  #beyond = false;

  constructor(text: string, findings: Findings) {
    this.#text = text;
    this.#findings = findings;
  }

  /** `empty` is where a value would stand that is not written. */
  node(node: unknown, empty: Place): TextNode {
    if (isAlias(node)) {
      return this.#alias(node.source, place(node.range, empty));
    }
    if (!isMap(node) && !isSeq(node) && !isScalar(node)) {
      return { ...empty, json: null, depth: 0, size: 1 };
    }
    if (node.anchor !== undefined) {
      this.#anchors.set(node.anchor, "open");
    }
    const built = isMap(node)
      ? this.#map(node, place(node.range, empty))
      : isSeq(node)
        ? this.#list(node, place(node.range, empty))
        : this.#scalar(node, place(node.range, empty));
    if (built.depth > MAX_FLOW_DEPTH) {
      this.#refuse("size", built, `nested deeper than ${MAX_FLOW_DEPTH} levels`);
    }
    if (built.size > MAX_FLOW_VALUES) {
      const message = `more than ${MAX_FLOW_VALUES} values, those of aliases counted each time`;
      this.#refuse("size", { start: built.start, end: built.start + 1 }, message);
      return { ...place(node.range, empty), json: null, depth: 0, size: 1 };
    }
    if (node.anchor !== undefined) {
      this.#anchors.set(node.anchor, built);
    }
    return built;
  }

  #map(map: YAMLMap, at: Place): TextNode {
    const entries = new Map<string, Entry>();
    const json: JsonObject = {};
    if (map.items.length > MAX_FLOW_KEYS) {
      const message = `${map.items.length} keys in one mapping; at most ${MAX_FLOW_KEYS} are read`;
      this.#refuse("size", { start: at.start, end: at.start + 1 }, message);
      return { ...at, json, entries, depth: 1, size: 1 };
    }
    for (const pair of map.items) {
      this.#pair(pair, at, entries, json);
    }
    let depth = 0;
    let size = 1;
    for (const { value } of entries.values()) {
      depth = Math.max(depth, value.depth);
      size += value.size;
    }
    return { start: at.start, end: at.end, json, entries, depth: depth + 1, size };
  }

  #pair(pair: Pair, map: Place, entries: Map<string, Entry>, json: JsonObject): void {
    const key = isScalar(pair.key) ? pair.key : undefined;
    const at = place(key?.range ?? (pair.key as { range?: Range } | null)?.range, map);
    const value = this.node(pair.value, at);
    const name = key === undefined ? undefined : this.#keyName(key, at);
    if (name === undefined) {
      this.#findings.add("syntax", at, "a key must be text");
      return;
    }
    if (name === "<<" && key?.type === "PLAIN") {
      const message = "merge keys (<<) are not supported; write the keys out";
      this.#refuse("alias", at, message);
      return;
    }
    if (name === "__proto__") {
      this.#findings.add("unknown-key", at, 'the key "__proto__" is not allowed');
      return;
    }
    if (entries.has(name)) {
      this.#findings.add("duplicate-key", at, `the key ${JSON.stringify(name)} is here twice`);
      return;
    }
    entries.set(name, { key: at, value });
    json[name] = value.json;
  }

  #keyName(key: Scalar, at: Place): string | undefined {
    if (typeof key.value === "string") {
      return key.value;
    }
    // 200: and true: are texts to JSON, spelled as they are here.
    return key.value === null ? undefined : this.#text.slice(at.start, at.end);
  }

  #list(list: YAMLSeq, at: Place): TextNode {
    const items = list.items.map((item) => this.node(item, at));
    let depth = 0;
    let size = 1;
    const json: Json[] = [];
    for (const item of items) {
      depth = Math.max(depth, item.depth);
      size += item.size;
      json.push(item.json);
    }
    return { start: at.start, end: at.end, json, items, depth: depth + 1, size };
  }

  #scalar(scalar: Scalar, at: Place): TextNode {
    const style = STYLES[scalar.type ?? ""] ?? "plain";
    const json = this.#json(scalar, at);
    return { start: at.start, end: at.end, json, style, depth: 0, size: 1 };
  }

  #json(scalar: Scalar, at: Place): Json {
    const value = scalar.value;
    if (typeof value === "string") {
      // The text itself was looked through; only an escape can bring such a character in.
      const escaped =
        scalar.type === "QUOTE_DOUBLE" && this.#text.slice(at.start, at.end).includes("\\");
      if (
        escaped &&
        /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)
      ) {
        this.#findings.add("syntax", at, "the text holds NUL or half a character");
      }
      return value;
    }
    if (typeof value === "number") {
      const source = this.#text.slice(at.start, at.end);
      if (!Number.isFinite(value)) {
        this.#findings.add("value", at, `${source} is no JSON number`);
        return null;
      }
      if (/^[-+]?(?:\d+|0[xo]\w+)$/.test(source) && !Number.isSafeInteger(value)) {
        const message = "the number is beyond ±2^53-1, where whole numbers lose digits";
        this.#findings.add("unsafe-integer", at, message, "quote it, and it stays text");
      }
      return value;
    }
    return typeof value === "boolean" ? value : null;
  }

  #alias(name: string, at: Place): TextNode {
    const nothing = { ...at, json: null, depth: 0, size: 1 };
    this.#aliases += 1;
    if (this.#aliases > MAX_FLOW_ALIASES) {
      this.#refuse("size", at, `more than ${MAX_FLOW_ALIASES} aliases`);
      return nothing;
    }
    const target = this.#anchors.get(name);
    if (target === undefined) {
      this.#refuse("alias", at, `no anchor &${name} stands before this alias`);
      return nothing;
    }
    if (target === "open") {
      this.#refuse("alias", at, `the alias *${name} stands inside its own anchor`);
      return nothing;
    }
    return target;
  }

  #refuse(kind: "size" | "alias", at: Place, message: string): void {
    // Beyond a limit nothing is read, so whatever else seems wrong may only follow from that.
    if (!this.#beyond) {
      this.#findings.add(kind, at, message);
    }
    this.refused = true;
    this.#beyond ||= kind === "size";
  }
}

type Range = [number, number, number];

function place(range: Range | null | undefined, empty: Place): Place {
  return range === null || range === undefined ? empty : { start: range[0], end: range[1] };
}

// The JSON Schemas that a flow file holds are themselves valid, bounded, and closed to the world.

import { canonicalJson } from "../canonical.js";
import type { Findings, Place } from "../findings.js";
import type { Json, JsonObject } from "../json.js";
import { didYouMean, listed, type Mistake, show } from "../mistakes.js";
import { get, stepsOf } from "../model.js";
import { placeAt, type TextNode } from "../tree.js";
import { compilePattern, validatorOf } from "../validator.js";
import type { Rule } from "./rule.js";

export const schemas: Rule = {
  name: "schemas",
  says: "context and output are valid JSON Schemas that refer to nothing outside themselves.",
  kinds: ["unknown-key", "type", "value", "regex"],
  after: [],
  check({ root, body, findings }) {
    const context = get(root, "context");
    const type = get(context, "type");
    const types = [type?.json ?? []].flat().map(String);
    if (type !== undefined && types.every((name) => TYPES.includes(name) && name !== "object")) {
      const message = 'a context is always a mapping: its type must be "object"';
      findings.add("value", type, message);
    }
    const nodes = [
      get(root, "context"),
      ...[...stepsOf(body)].map(({ node }) => get(node, "output")),
    ];
    for (const node of nodes) {
      if (node?.entries !== undefined) {
        new SchemaCheck(node, findings).run();
      }
    }
  },
};

class SchemaCheck {
  readonly #root: TextNode;
  readonly #findings: Findings;
  #clean = true;
  #references = false;

  constructor(root: TextNode, findings: Findings) {
    this.#root = root;
    this.#findings = findings;
  }

  run(): void {
    this.#schema(this.#root);
    // Without references there is nothing left that compiling, which takes long, could find.
    if (this.#clean && this.#references) {
      this.#compile();
    }
  }

  /** What the meta-schema says, and what it lets pass: misspelled keywords, wrong patterns. */
  #schema(node: TextNode): void {
    for (const [key, { key: place, value }] of node.entries ?? []) {
      this.#shape(SHAPES[key], place, value);
      if (!KEYWORDS.has(key) && !key.startsWith("x-")) {
        const message = `unknown keyword ${show(key)} in a JSON Schema`;
        this.#add("unknown-key", place, message, didYouMean(key, KEYWORDS));
      } else if (UNSUPPORTED.has(key)) {
        const message = `${key} is not supported; use $defs, and $ref with "#/$defs/…"`;
        this.#add("value", place, message);
      } else if (key === "$ref") {
        this.#reference(value);
      } else if (key === "type") {
        this.#type(value);
      } else if (key === "default") {
        this.#default(node, value);
      } else if (key === "format") {
        this.#format(value);
      } else if (key === "pattern") {
        this.#pattern(value, value.json);
      } else if (key === "patternProperties") {
        for (const [pattern, entry] of value.entries ?? []) {
          this.#pattern(entry.key, pattern);
          this.#schema(entry.value);
        }
      } else if (OF_SCHEMAS.has(key)) {
        for (const entry of value.entries?.values() ?? []) {
          this.#schema(entry.value);
        }
      } else if (SCHEMA_LISTS.has(key)) {
        value.items?.forEach((entry) => {
          this.#schema(entry);
        });
      } else if (SCHEMA_VALUES.has(key)) {
        this.#schema(value);
      }
    }
  }

  #shape(shape: JsonObject | undefined, key: Place, value: TextNode): void {
    if (shape === undefined) return;
    const isScalar = value.entries === undefined && value.items === undefined;
    for (const { kind, path, message, suggestion } of validatorOf(shape).mistakes(value.json)) {
      const place = path === "" && !isScalar ? key : placeAt(value, path);
      this.#add(kind, place, message, suggestion);
    }
  }

  #type(value: TextNode): void {
    for (const type of value.items ?? [value]) {
      if (!TYPES.includes(String(type.json))) {
        const message = `must be ${listed(TYPES)}, not ${show(type.json)}`;
        this.#add("value", type, message, didYouMean(String(type.json), TYPES));
      }
    }
  }

  /** A default that does not fit would keep every run that needs it from starting. */
  #default(schema: TextNode, value: TextNode): void {
    const types = [get(schema, "type")?.json ?? []].flat();
    const fits = types.some((type) => typesOf(value.json).includes(String(type)));
    if (types.length > 0 && !fits && types.every((type) => TYPES.includes(String(type)))) {
      this.#add("type", value, `the default is not of type ${listed(types)}`);
    }
    const values = get(schema, "enum")?.items?.map(({ json }) => canonicalJson(json));
    if (values !== undefined && !values.includes(canonicalJson(value.json))) {
      this.#add("value", value, "the default is none of the values in enum");
    }
  }

  #format(value: TextNode): void {
    if (typeof value.json === "string" && !FORMATS.includes(value.json)) {
      const message = `unknown format ${show(value.json)}`;
      this.#add("value", value, message, didYouMean(value.json, FORMATS));
    }
  }

  #reference(value: TextNode): void {
    this.#references = true;
    if (typeof value.json !== "string") {
      return;
    }
    if (!/^#(?:\/|$)/.test(value.json)) {
      const message = `$ref ${show(value.json)} leads out of the schema; it must begin with "#/"`;
      this.#add("value", value, message, "copy the schema into $defs");
    } else if (!hasPointer(this.#root, value.json.slice(1))) {
      this.#add("value", value, `there is no ${show(value.json)} in this schema`);
    }
  }

  #pattern(place: { start: number; end: number }, pattern: Json): void {
    if (typeof pattern !== "string") {
      return;
    }
    try {
      compilePattern(pattern);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `the pattern is not one that RE2 knows: ${why}`;
      this.#add("regex", place, message, "look-around and back-references are not supported");
    }
  }

  /** A reference to nowhere, or one that goes round in circles, shows only now. */
  #compile(): void {
    try {
      validatorOf(this.#root.json as JsonObject).mistakes({});
    } catch (error) {
      const why =
        error instanceof RangeError
          ? "a $ref leads back to itself without end"
          : error instanceof Error
            ? error.message
            : String(error);
      this.#add("value", placeAt(this.#root, ""), `the JSON Schema cannot be used: ${why}`);
    }
  }

  #add(kind: Mistake["kind"], place: { start: number; end: number }, ...rest: [string, string?]) {
    this.#clean = false;
    this.#findings.add(kind, place, ...rest);
  }
}

/** As references in a JSON Schema are written: percent-encoded. */
function hasPointer(root: TextNode, pointer: string): boolean {
  let node: TextNode | undefined = root;
  for (const part of pointer.split("/").slice(1)) {
    const name = decodeName(part).replaceAll("~1", "/").replaceAll("~0", "~");
    node = node?.entries?.get(name)?.value ?? node?.items?.[Number(name)];
  }
  return node !== undefined;
}

function decodeName(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function typesOf(value: Json): string[] {
  if (typeof value === "number") {
    return Number.isInteger(value) ? ["number", "integer"] : ["number"];
  }
  return [value === null ? "null" : Array.isArray(value) ? "array" : typeof value];
}

const FORMATS = [
  ..."date time date-time iso-time iso-date-time duration uri uri-reference url email".split(" "),
  ..."hostname ipv4 ipv6 uuid regex json-pointer relative-json-pointer byte int32 int64".split(" "),
  ..."uri-template float double password binary json-pointer-uri-fragment".split(" "),
];

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];

const OF_SCHEMAS: ReadonlySet<string> = new Set(["properties", "$defs", "dependentSchemas"]);
const SCHEMA_LISTS: ReadonlySet<string> = new Set(["allOf", "anyOf", "oneOf", "prefixItems"]);
const SCHEMA_VALUES: ReadonlySet<string> = new Set(
  (
    "items additionalProperties not if then else contains propertyNames unevaluatedProperties " +
    "unevaluatedItems contentSchema"
  ).split(" "),
);

/** They name a schema for the whole process, and two files may use one name. */
const UNSUPPORTED: ReadonlySet<string> = new Set(
  "$id $anchor $dynamicRef $dynamicAnchor $vocabulary".split(" "),
);

const KEYWORDS: ReadonlySet<string> = new Set([
  ...OF_SCHEMAS,
  ...SCHEMA_LISTS,
  ...SCHEMA_VALUES,
  ...UNSUPPORTED,
  ..."$schema $ref $comment title description default deprecated readOnly writeOnly".split(" "),
  ..."examples type enum const multipleOf maximum exclusiveMaximum minimum".split(" "),
  ..."exclusiveMinimum maxLength minLength pattern maxItems minItems uniqueItems".split(" "),
  ..."maxContains minContains maxProperties minProperties required dependentRequired".split(" "),
  ..."patternProperties unevaluatedItems format contentEncoding contentMediaType".split(" "),
  ..."contentSchema".split(" "),
]);

const TEXT = { type: "string" };
const FLAG = { type: "boolean" };
const LIST = { type: "array" };
const NUMBER = { type: "number" };
const COUNT = { type: "integer", minimum: 0 };
const NAMES = { type: "array", items: TEXT, uniqueItems: true };
const SCHEMA = { type: ["object", "boolean"] };

/** What the meta-schema says of a keyword's value; of `type`, `#type` says it in one sentence. */
const SHAPES: { readonly [keyword: string]: JsonObject } = Object.assign(Object.create(null), {
  ...each("$schema $ref $comment title description pattern format", TEXT),
  ...each("contentEncoding contentMediaType", TEXT),
  ...each("deprecated readOnly writeOnly uniqueItems", FLAG),
  ...each("enum examples", LIST),
  ...each("maximum exclusiveMaximum minimum exclusiveMinimum", NUMBER),
  ...each("multipleOf", { type: "number", exclusiveMinimum: 0 }),
  ...each("maxLength minLength maxItems minItems maxContains minContains", COUNT),
  ...each("maxProperties minProperties", COUNT),
  ...each("required", NAMES),
  ...each("dependentRequired", { type: "object", additionalProperties: NAMES }),
  ...each([...SCHEMA_VALUES].join(" "), SCHEMA),
  ...each([...SCHEMA_LISTS].join(" "), { type: "array", minItems: 1, items: SCHEMA }),
  ...each([...OF_SCHEMAS].join(" "), { type: "object", additionalProperties: SCHEMA }),
  ...each("patternProperties", { type: "object", additionalProperties: SCHEMA }),
});

function each(keywords: string, shape: JsonObject): { [keyword: string]: JsonObject } {
  return Object.fromEntries(keywords.split(" ").map((keyword) => [keyword, shape]));
}

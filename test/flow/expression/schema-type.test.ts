// From JSON Schemas to types.

import { describe, expect, it } from "vitest";
import { accepts, nameOf, type Type, typeOf } from "../../../src/flow/expression/index.js";
import type { Json, JsonObject } from "../../../src/flow/json.js";

/** A type in a few letters, to read a table by. */
function short(type: Type): string {
  const maybe = "nullable" in type && type.nullable ? "?" : "";
  switch (type.kind) {
    case "string":
      return `string${type.values ? `(${type.values.join("|")})` : ""}${maybe}`;
    case "list":
      return `[${short(type.item)}]${maybe}`;
    case "object": {
      const named = [...type.properties].map(([name, one]) => `${name}: ${short(one)}`);
      const rest = type.rest === null ? [] : [`…: ${short(type.rest)}`];
      return `{${[...named, ...rest].join(", ")}}${maybe}`;
    }
    default:
      return `${type.kind}${maybe}`;
  }
}

describe("a JSON Schema says which type its values have", () => {
  it.each<[Json | undefined, string]>([
    [undefined, "dyn"],
    [true, "dyn"],
    [{}, "dyn"],
    [{ type: "string" }, "string"],
    [{ type: "integer" }, "double"],
    [{ type: "number" }, "double"],
    [{ type: "boolean" }, "bool"],
    [{ type: "null" }, "null"],
    [{ type: "array" }, "[dyn]"],
    [{ type: "array", items: { type: "string" } }, "[string]"],
    [{ type: "array", prefixItems: [{ type: "string" }], items: { type: "number" } }, "[dyn]"],
    [{ type: "object" }, "{…: dyn}"],
    [{ type: "object", properties: { a: { type: "string" } } }, "{a: string, …: dyn}"],
    [{ type: "object", properties: { a: true }, additionalProperties: false }, "{a: dyn}"],
    [{ type: "object", additionalProperties: { type: "number" } }, "{…: double}"],
    [{ properties: { a: { type: "number" } }, additionalProperties: false }, "{a: double}"],
    [{ enum: ["eu", "us"] }, "string(eu|us)"],
    [{ enum: ["eu", null] }, "string(eu)?"],
    [{ enum: ["eu", 1] }, "dyn"],
    [{ enum: [1, 2.5] }, "double"],
    [{ const: "eu" }, "string(eu)"],
    [{ const: null }, "null"],
    [{ type: ["string", "null"] }, "string?"],
    [{ type: ["null"] }, "null"],
    [{ type: ["integer", "number"] }, "double"],
    [{ type: ["string", "number"] }, "dyn"],
    [{ anyOf: [{ type: "string" }, { type: "string", minLength: 1 }] }, "string"],
    [{ anyOf: [{ type: "string" }, { type: "number" }] }, "dyn"],
    [{ oneOf: [{ type: "number" }, { type: "null" }] }, "double?"],
    [
      { type: "object", properties: { a: true }, additionalProperties: false, allOf: [{}] },
      "{a: dyn, …: dyn}",
    ],
    [{ $ref: "#/$defs/id", $defs: { id: { type: "string" } } }, "string"],
    [{ $ref: "#/$defs/gone" }, "dyn"],
    [{ $ref: "https://elsewhere.example/schema" }, "dyn"],
    [{ type: "frob" }, "dyn"],
  ])("%j is %s", (schema, type) => {
    expect(short(typeOf(schema))).toBe(type);
  });

  it("ends where a schema contains itself", () => {
    const node: JsonObject = {
      type: "object",
      properties: { value: { type: "string" }, next: { $ref: "#" }, other: { $ref: "#" } },
      additionalProperties: false,
    };
    const type = typeOf(node);
    expect(type.kind).toBe("object");
    expect(nameOf(type)).toBe("an object");
  });

  it("takes any JSON as a schema", () => {
    const odd: Json[] = [
      null,
      1,
      "a",
      [],
      { enum: [] },
      { anyOf: [] },
      { properties: 1 },
      { $ref: 1 },
    ];
    for (const schema of odd) {
      expect(() => typeOf(schema)).not.toThrow();
    }
  });
});

describe("a value of one type can stand where another one is wanted", () => {
  const type = (schema: Json) => typeOf(schema);
  it.each<[Json, Json, boolean]>([
    [{ type: "string" }, { type: "string" }, true],
    [{ type: "string" }, { type: "number" }, false],
    [{ type: "integer" }, { type: "number" }, true],
    [{}, { type: "number" }, true],
    [{ type: "number" }, {}, true],
    [{ type: "number" }, { type: "null" }, false],
    [{ type: ["number", "null"] }, { type: "null" }, true],
    [{ enum: ["a", "b"] }, { enum: ["b", "c"] }, true],
    [{ enum: ["a", "b"] }, { enum: ["c"] }, false],
    [{ type: "array", items: { type: "string" } }, { type: "array" }, true],
    [
      { type: "array", items: { type: "string" } },
      { type: "array", items: { type: "number" } },
      false,
    ],
    [
      { type: "object", additionalProperties: false },
      { type: "object", properties: { a: { type: "string" } } },
      false,
    ],
  ])("%j, given %j: %s", (wanted, given, fits) => {
    expect(accepts(type(wanted), type(given))).toBe(fits);
  });
});

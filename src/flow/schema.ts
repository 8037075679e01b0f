// The JSON Schema of flow files that editors use: generated from the envelope and the catalog.

import type { Catalog } from "./catalog.js";
import { DURATION_PATTERN } from "./duration.js";
import { stepEnvelope, triggerSchemas, workflowEnvelope } from "./envelope.js";
import type { Json, JsonObject } from "./json.js";

/**
 * Draft 7, which every editor knows. `if`/`then` by step type, not `oneOf`: of a `oneOf`, editors
 * complete only what all branches have.
 */
export function workflowSchema(catalog: Catalog): JsonObject {
  const workflow = editable(workflowEnvelope, false) as JsonObject;
  const properties = workflow.properties as JsonObject;
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Workflow",
    description: "A workflow of Mini-Zaps: one flow file.",
    ...workflow,
    properties: {
      ...properties,
      triggers: triggers(properties.triggers as JsonObject),
      steps: { $ref: "#/definitions/steps" },
    },
    definitions: {
      steps: {
        type: "array",
        description: "What is done, from the entry point on.",
        minItems: 1,
        items: { $ref: "#/definitions/step" },
      },
      step: step(catalog),
    },
  };
}

function step(catalog: Catalog): JsonObject {
  const envelope = editable(stepEnvelope, false) as JsonObject;
  const types = Object.values(catalog).filter(({ planned }) => planned !== true);
  return {
    ...envelope,
    properties: {
      ...(envelope.properties as JsonObject),
      type: {
        description: "What the step does.",
        enum: types.map(({ type }) => type),
        enumDescriptions: types.map(({ description }) => description),
      },
    },
    allOf: types.map(({ type, description, config }) => ({
      if: { required: ["type"], properties: { type: { const: type } } },
      // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's word
      then: {
        ...(needsConfig(config) ? { required: ["config"] } : {}),
        properties: {
          type: { description },
          // The mapping itself is written out: an expression may only stand in it.
          config: {
            title: `config of ${type}`,
            description,
            ...(editable({ ...config, "x-literal": true }, true) as JsonObject),
          },
        },
      },
    })),
  };
}

function triggers(list: JsonObject): JsonObject {
  const items = list.items as JsonObject;
  return {
    ...list,
    items: {
      ...items,
      allOf: Object.entries(triggerSchemas).map(([type, schema]) => ({
        if: { required: ["type"], properties: { type: { const: type } } },
        // biome-ignore lint/suspicious/noThenProperty: it is JSON Schema's word
        then: editable(schema, false),
      })),
    },
  };
}

function needsConfig(config: JsonObject): boolean {
  return "required" in config || "oneOf" in config || "anyOf" in config;
}

/** Our own words become those of editors; with `expressions`, a value may be one instead. */
export function editable(schema: Json, expressions: boolean): Json {
  if (Array.isArray(schema)) {
    return schema.map((entry) => editable(entry, expressions));
  }
  if (schema === null || typeof schema !== "object") {
    return schema;
  }
  if (schema["x-steps"] === true) {
    return { $ref: "#/definitions/steps" };
  }
  const result: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (MAPS.has(key)) {
      const entries = Object.entries(value as JsonObject);
      result[key] = Object.fromEntries(
        entries.map(([name, entry]) => [name, editable(entry, expressions)]),
      );
    } else if (SCHEMAS.has(key)) {
      result[key] = editable(value, expressions);
    } else if (key === "propertyNames") {
      result[key] = editable(value, false);
    } else if (key === "dependentRequired") {
      result.dependencies = value;
    } else if (key === "x-duration") {
      result.pattern = DURATION_PATTERN;
    } else if (key === "x-wanted") {
      result.patternErrorMessage = `must be ${String(value)}`;
    } else {
      result[key] = value;
    }
  }
  delete result["x-literal"];
  delete result["x-duration-key"];
  return expressions && schema["x-literal"] !== true ? orExpression(result) : result;
}

const MAPS: ReadonlySet<string> = new Set(["properties", "patternProperties", "$defs"]);
const SCHEMAS: ReadonlySet<string> = new Set(["items", "additionalProperties", "anyOf", "allOf"]);

const EXPRESSION = "\\$\\{\\{";

/** Keywords of other types leave text alone, so it is enough to allow text that has `${{`. */
function orExpression(schema: JsonObject): JsonObject {
  if ("enum" in schema || "const" in schema) {
    const { description, ...rest } = schema;
    const alternatives = [rest, { type: "string", pattern: EXPRESSION }];
    return { ...(description === undefined ? {} : { description }), anyOf: alternatives };
  }
  const types = [schema.type ?? []].flat() as string[];
  const { format: _, ...result } = schema;
  if (types.length > 0 && !types.includes("string")) {
    result.type = [...types, "string"];
    result.pattern = EXPRESSION;
  } else if (typeof result.pattern === "string") {
    result.pattern = `(?:${result.pattern})|${EXPRESSION}`;
  }
  return result;
}

// The catalog as it is when every step type is executed: what the language is tested with.

import { catalog } from "../../src/connectors/index.js";
import type { Catalog, StepType } from "../../src/flow/catalog.js";
import type { JsonObject } from "../../src/flow/json.js";

const text = { type: "string" };
const url = { type: "string", pattern: "^https?://[^/?#]" };
const anyMap = { type: "object" };

const worldly = (type: string, properties: JsonObject, required: string[]): StepType => ({
  type,
  description: `The ${type} step.`,
  config: { type: "object", additionalProperties: false, required, properties },
  control: false,
});

/** Stand in for types whose connectors are written in another room, where they are missing. */
const others: Catalog = {
  http: worldly("http", { url, method: text, query: anyMap, headers: anyMap, body: {} }, ["url"]),
};

export const whole: Catalog = Object.assign(
  Object.create(null) as Catalog,
  others,
  Object.fromEntries(
    Object.values(catalog).map(({ planned: _, ...type }): [string, StepType] => [type.type, type]),
  ),
);

// Is what a connector's file defines a step type? Its schemas are held to ajv's strict rules.

import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { catalog } from "../../../connectors/index.js";
import type { Json, JsonObject } from "../../../flow/json.js";
import { validatorOf } from "../../../flow/validator.js";
import type { Loaded } from "./connector-process.js";

export interface Definition {
  type: string;
  description: string;
  config: JsonObject;
  output?: JsonObject;
}

/** Or a sentence that says what is wrong with it. */
export function definitionOf({ definitions }: Extract<Loaded, { definitions: Json[] }>) {
  const [first, second] = definitions as [JsonObject?, JsonObject?];
  if (first === undefined) return "the file exports nothing that defineConnector has made";
  if (second !== undefined) return "the file defines two step types: give each its own file";
  return mistakeOf(first) ?? toDefinition(first);
}

function toDefinition({ type, description, config, output }: JsonObject): Definition {
  return {
    type: String(type),
    description: typeof description === "string" ? description : `The user's ${type} step.`,
    config: config as JsonObject,
    ...(output !== undefined && { output: output as JsonObject }),
  };
}

function mistakeOf({ type, description, config, output, run }: JsonObject): string | undefined {
  if (typeof type !== "string" || !/^[a-z][a-z0-9_]{0,63}$/.test(type)) {
    return 'its "type" must be a small letter, then small letters, digits or _';
  }
  if (type in catalog) return `there is a built-in step type "${type}": choose another name`;
  if (description !== undefined && typeof description !== "string") {
    return 'its "description" must be text';
  }
  if (run !== "function") return 'its "run" must be a function';
  if (!isObject(config)) return 'its "config" must be a JSON Schema';
  if (config.type !== "object") return 'its "config" must be a JSON Schema of type "object"';
  if (output !== undefined && !isObject(output)) return 'its "output" must be a JSON Schema';
  return schemaMistake("config", config) ?? (output && schemaMistake("output", output));
}

function schemaMistake(name: string, schema: JsonObject): string | undefined {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
  ajvFormats.default(ajv);
  try {
    ajv.compile(schema);
    // As it is used: with patterns that can be checked in bounded time.
    validatorOf(schema).mistakes({});
  } catch (error) {
    return `its "${name}" is no JSON Schema that can be checked: ${(error as Error).message}`;
  }
  return undefined;
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

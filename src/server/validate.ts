// Compiles a route's schemas once, and reads a request into what its handler gets.

import type { IncomingMessage, ServerResponse } from "node:http";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import type { TSchema } from "typebox";
import { readJson } from "./body.js";
import { type FieldError, Problem, quote } from "./problem.js";
import type { Input, Route } from "./route.js";

export interface Incoming {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
  /** Decoded, unchecked. */
  param(name: string): string | undefined;
}

export type Reader = (request: Incoming) => Promise<Input | Problem>;

/** One reader for each route. */
export function makeReader(route: Route): Reader {
  const params = Object.entries(route.params);
  const query = makeQueryReader(route.query);
  const headers = makeHeaderReader(route.headers);
  const body = route.body && { ...route.body, validate: validator(route.body.schema) };
  return async ({ incoming, outgoing, param }) => {
    const parsed: { [name: string]: string } = {};
    for (const [name, { parse, otherwise }] of params) {
      const text = param(name) ?? "";
      const value = parse(text);
      if (value === undefined) return otherwise(text);
      parsed[name] = value;
    }
    const asked = query(incoming.url ?? "");
    if (asked instanceof Problem) return asked;
    const named = headers(incoming);
    if (named instanceof Problem) return named;
    const input: Input = {
      method: incoming.method ?? "",
      params: parsed,
      query: asked,
      headers: named,
      body: {},
      incoming,
      outgoing,
    };
    if (body === undefined) return input;
    const json = await readJson(incoming);
    if (json instanceof Problem) return json;
    if (json === undefined && body.required) {
      const detail = `A body is wanted: ${body.description}`;
      return new Problem("invalid_request", `${detail}, with \`Content-Type: application/json\`.`);
    }
    if (json !== undefined) input.body = json;
    return body.validate("The body", input.body) ?? input;
  };
}

/** Undefined: `value` fits the schema. */
type Validate = (what: string, value: unknown) => Problem | undefined;

// Not all errors: a body of a thousand unknown keys is one mistake.
const makeAjv = () => new Ajv2020({ strict: true, allErrors: false });
let ajv: Ajv2020 | undefined;

/** Compiled at a route's first request: all of them would take a third of the start's time. */
function validator(schema: TSchema): Validate {
  let validate: ValidateFunction | undefined;
  return (what, value) => {
    ajv ??= makeAjv();
    validate ??= ajv.compile(schema);
    return validate(value) ? undefined : invalid(what, validate);
  };
}

type Named = { [name: string]: unknown };

function makeQueryReader(schema: TSchema): (url: string) => Named | Problem {
  const validate = validator(schema);
  const properties = propertiesOf(schema);
  const isOptional = (schema as { required?: unknown }).required === undefined;
  return (url) => {
    const values: Named = Object.create(null);
    const at = url.indexOf("?");
    if (at < 0 && isOptional) return values;
    for (const [name, value] of new URLSearchParams(at < 0 ? "" : url.slice(at + 1))) {
      if (name in values) return twice(name);
      const isInteger = properties[name]?.type === "integer" && /^-?\d{1,15}$/.test(value);
      values[name] = isInteger ? Number(value) : value;
    }
    return validate("The query", values) ?? values;
  };
}

function twice(name: string): Problem {
  const errors = [{ path: name, message: "is given more than once" }];
  const detail = `The query's parameter ${quote(name)} is given more than once: give it once.`;
  return new Problem("invalid_request", detail, { errors });
}

function makeHeaderReader(schema: TSchema): (incoming: IncomingMessage) => Named | Problem {
  const validate = validator(schema);
  const names = Object.keys(propertiesOf(schema));
  return ({ headers }) => {
    const values: Named = {};
    for (const name of names) if (headers[name] !== undefined) values[name] = headers[name];
    return validate("A header", values) ?? values;
  };
}

function propertiesOf(schema: TSchema): { [name: string]: { type?: string } } {
  const { properties } = schema as { properties?: { [name: string]: { type?: string } } };
  return Object.assign(Object.create(null), properties);
}

function invalid(what: string, { errors }: ValidateFunction): Problem {
  const found = (errors ?? []).map(fieldError);
  const said = found.map(({ path, message }) => (path === "" ? message : `${path} ${message}`));
  const detail = `${what} does not fit: ${said.join("; ")}.`;
  return new Problem("invalid_request", detail, { errors: found });
}

function fieldError({ instancePath, keyword, params, message }: ErrorObject): FieldError {
  if (keyword === "additionalProperties") {
    const name = String(params.additionalProperty).slice(0, 80);
    return { path: `${instancePath}/${name}`, message: "is not known here" };
  }
  if (keyword === "enum") {
    const allowed = (params.allowedValues as unknown[]).join(", ");
    return { path: instancePath, message: `must be one of ${allowed}` };
  }
  return { path: instancePath, message: message ?? keyword };
}

// The OpenAPI 3.1 document, made from the route table: it says what the routes do, and no more.

import type { TSchema } from "typebox";
import { PROBLEM_TYPE, PROBLEMS, type ProblemKind } from "./problem.js";
import type { AnswerDoc, Route } from "./route.js";
import { COMPONENTS, ProblemRef } from "./schemas.js";

export interface DocumentOptions {
  version: string;
  /** Whether a token is wanted. */
  token: boolean;
}

/** What any route may refuse with, before its own handler has a say. */
const ANY: readonly ProblemKind[] = [
  "bad_request",
  "invalid_request",
  "foreign_origin",
  "wrong_host",
  "too_many_requests",
  "internal",
  "closing",
];
const ANY_WITH_BODY: readonly ProblemKind[] = [
  "invalid_json",
  "request_timeout",
  "body_too_large",
  "unsupported_media_type",
];
const TAGS = [
  { name: "workflows", description: "What can be started." },
  { name: "runs", description: "What was started." },
  { name: "hooks", description: "What others tell." },
  { name: "server", description: "The server itself." },
];

export function makeDocument(routes: readonly Route[], options: DocumentOptions): object {
  const paths: { [path: string]: { [method: string]: object } } = {};
  for (const route of routes) {
    const methods = paths[route.path] ?? {};
    methods[route.method.toLowerCase()] = operation(route, options.token);
    paths[route.path] = methods;
  }
  const scheme = { securitySchemes: { token: { type: "http", scheme: "bearer" } } };
  return {
    openapi: "3.1.0",
    info: {
      title: "Mini-Zaps",
      version: options.version,
      description: "Workflows that live as files, and their durable runs.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: TAGS,
    ...(options.token ? { security: [{ token: [] }] } : {}),
    paths,
    components: { schemas: COMPONENTS, ...(options.token ? scheme : {}) },
  };
}

function operation(route: Route, token: boolean): object {
  const { body } = route;
  const content = body && { "application/json": { schema: body.schema } };
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    "x-scope": route.scope,
    ...(route.scope === "public" && { security: [] }),
    ...(route.description === undefined ? {} : { description: route.description }),
    parameters: parameters(route),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            description: body.description,
            required: body.required,
            content,
          },
        }),
    responses: responses(route, token),
  };
}

function parameters(route: Route): object[] {
  const inPath = Object.entries(route.params).map(([name, { schema }]) => ({
    name,
    in: "path",
    required: true,
    schema,
  }));
  return [...inPath, ...named(route.query, "query"), ...named(route.headers, "header")];
}

function named(schema: TSchema, place: "query" | "header"): object[] {
  const { properties = {}, required = [] } = schema as {
    properties?: { [name: string]: TSchema };
    required?: string[];
  };
  return Object.entries(properties).map(([name, of]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: of,
  }));
}

function responses(route: Route, token: boolean): { [status: string]: object } {
  const kinds = [
    ...ANY,
    ...(token && route.scope !== "public" ? (["unauthorized", "forbidden"] as const) : []),
    ...(Object.keys(route.params).length > 0 ? (["not_found"] as const) : []),
    ...(route.body === undefined ? [] : ANY_WITH_BODY),
    ...route.problems,
  ];
  const byStatus = new Map<number, string[]>();
  for (const kind of kinds) {
    const { status } = PROBLEMS[kind];
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${kind}\``]);
  }
  const refused = [...byStatus].map(([status, found]) => [status, problemResponse(found)]);
  const answered = Object.entries(route.answers).map(([status, doc]) => [status, response(doc)]);
  return Object.fromEntries([...answered, ...refused]) as { [status: string]: object };
}

function problemResponse(kinds: string[]): object {
  const content = { [PROBLEM_TYPE]: { schema: ProblemRef } };
  return { description: kinds.join(" or "), content };
}

function response({ description, schema, content_type, headers = {} }: AnswerDoc): object {
  const type = content_type ?? "application/json";
  const content = { [type]: schema === undefined ? {} : { schema } };
  const described = Object.entries(headers).map(([name, text]) => [
    name,
    { description: text, schema: { type: "string" } },
  ]);
  return {
    description,
    ...(schema === undefined && content_type === undefined ? {} : { content }),
    ...(described.length === 0 ? {} : { headers: Object.fromEntries(described) }),
  };
}

// The route table: what this server answers to. Routing, validation and /openapi.json come from it.

import { Type } from "../flow/type.js";
import { DOCS_ROUTES } from "./docs.js";
import { type Route, route } from "./route.js";
import { HOOK_ROUTES } from "./routes-hooks.js";
import { getMetrics } from "./routes-metrics.js";
import { RUN_ROUTES } from "./routes-runs.js";
import { WORKFLOW_ROUTES } from "./routes-workflows.js";
import { HealthRef } from "./schemas.js";

const getHealth = route({
  method: "GET",
  scope: "read",
  path: "/health",
  id: "get_health",
  tag: "server",
  summary: "How the server and its flow files stand",
  description: "Needs the token like any other route, when there is one.",
  answers: {
    200: { description: "`degraded`: it serves, but something needs a look.", schema: HealthRef },
  },
  problems: [],
  async handle(_, { host }) {
    return { status: 200, body: await host.health() };
  },
});

const getDocument = route({
  method: "GET",
  scope: "read",
  path: "/openapi.json",
  id: "get_openapi",
  tag: "server",
  summary: "This API as an OpenAPI 3.1 document",
  answers: {
    200: { description: "The document.", schema: Type.Object({ openapi: Type.String() }) },
  },
  problems: [],
  async handle(_, { document }) {
    return { status: 200, body: document };
  },
});

export const ROUTES: readonly Route[] = [
  ...WORKFLOW_ROUTES,
  ...RUN_ROUTES,
  ...HOOK_ROUTES,
  getHealth,
  getMetrics,
  getDocument,
  ...DOCS_ROUTES,
];

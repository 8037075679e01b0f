// The route that shows what was counted.

import { Type } from "../flow/type.js";
import { route } from "./route.js";

const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

export const getMetrics = route({
  method: "GET",
  scope: "read",
  path: "/metrics",
  id: "get_metrics",
  tag: "server",
  summary: "Counts and durations, for Prometheus",
  description: "Since the server's start, never by run; its labels take few values.",
  answers: {
    200: {
      description: "Prometheus' text format.",
      content_type: "text/plain",
      schema: Type.String(),
    },
  },
  problems: [],
  async handle(_, { host, metrics }) {
    const body = await metrics.text(host.figures?.());
    return { status: 200, body, headers: { "content-type": CONTENT_TYPE } };
  },
});

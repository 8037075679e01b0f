// The route of a run's log: what its steps wrote, page by page.

import { Type } from "../flow/type.js";
import { DEFAULT_PAGE, MAX_LOG_PAGE } from "../limits.js";
import { runIdParam, unknownRun } from "./params.js";
import { type Route, route } from "./route.js";
import { LogPageRef, StepName } from "./schemas.js";

export const runLogs: Route = route({
  method: "GET",
  scope: "read",
  path: "/api/runs/{run_id}/logs",
  id: "run_logs",
  tag: "runs",
  summary: "Read what the steps of a run wrote",
  description:
    "Lines of log steps, of a program's stdout and stderr, and of connectors, in order. The log " +
    "of a run is bounded. To follow it, ask again with the `cursor` of the answer as `after`.",
  params: { run_id: runIdParam },
  query: Type.Object(
    {
      step: Type.Optional(StepName),
      limit: Type.Optional(
        Type.Integer({ minimum: 1, maximum: MAX_LOG_PAGE, default: DEFAULT_PAGE }),
      ),
      after: Type.Optional(
        Type.String({
          description: "The `cursor` of the page before.",
          pattern: "^(0|[1-9][0-9]{0,14})$",
        }),
      ),
    },
    { additionalProperties: false },
  ),
  answers: { 200: { description: "One page.", schema: LogPageRef } },
  problems: ["unknown_run"],
  async handle({ params, query }, { host }) {
    const page = await host.runner.logs(params.run_id, { limit: DEFAULT_PAGE, ...query });
    return page === undefined ? unknownRun(params.run_id) : { status: 200, body: page };
  },
});

// The routes about runs: how they stand, what may be wished of them, and their changes live.

import Type from "typebox";
import { isRefusal, type Refusal } from "../engine/command.js";
import type { Run } from "../engine/run.js";
import type { RunQuery } from "../engine/runner.js";
import { DEFAULT_PAGE, MAX_CHANGE_ID, MAX_CURSOR, MAX_PAGE, MAX_REASON } from "../limits.js";
import type { Answer } from "./answer.js";
import { watchRun } from "./events.js";
import { runIdParam, unknownRun } from "./params.js";
import { type Problem, problemOf } from "./problem.js";
import { type Route, route } from "./route.js";
import { RunRef, RunStatusText, RunSummaryRef, WorkflowIdText } from "./schemas.js";

const tag = "runs";

const getRun = route({
  method: "GET",
  path: "/api/runs/{run_id}",
  id: "get_run",
  tag,
  summary: "Show one run",
  params: { run_id: runIdParam },
  answers: { 200: { description: "The run's document, as it is stored.", schema: RunRef } },
  problems: ["unknown_run"],
  async handle({ params }, { host }) {
    const run = await host.runner.get(params.run_id);
    return run === undefined ? unknownRun(params.run_id) : { status: 200, body: run };
  },
});

const listRuns = route({
  method: "GET",
  path: "/api/runs",
  id: "list_runs",
  tag,
  summary: "List runs, newest first",
  query: Type.Object(
    {
      workflow_id: Type.Optional(WorkflowIdText),
      status: Type.Optional(RunStatusText),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_PAGE, default: DEFAULT_PAGE })),
      cursor: Type.Optional(
        Type.String({
          description: "The `next_cursor` of the page before.",
          pattern: `^[!-~]{1,${MAX_CURSOR}}$`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
  answers: {
    200: {
      description: "One page.",
      schema: Type.Object({
        runs: Type.Array(RunSummaryRef),
        next_cursor: Type.Union([Type.String(), Type.Null()], { description: "Null: the last." }),
      }),
    },
  },
  problems: [],
  async handle({ query }, { host }) {
    const asked: RunQuery = { limit: DEFAULT_PAGE, ...query };
    return { status: 200, body: await host.runner.list(asked) };
  },
});

const cancelRun = route({
  method: "POST",
  path: "/api/runs/{run_id}/cancel",
  id: "cancel_run",
  tag,
  summary: "Cancel a run",
  params: { run_id: runIdParam },
  body: {
    schema: Type.Object(
      { reason: Type.Optional(Type.String({ maxLength: MAX_REASON })) },
      { additionalProperties: false },
    ),
    required: false,
    description: 'why, as `{ "reason": "…" }`',
  },
  answers: { 200: { description: "The run, cancelled.", schema: RunRef } },
  problems: ["unknown_run", "wrong_status", "busy"],
  async handle({ params, body }, { host }) {
    return runOr(await host.runner.cancel(params.run_id, body.reason));
  },
});

function wish(name: "pause" | "resume" | "retry", summary: string, done: string): Route {
  return route({
    method: "POST",
    path: `/api/runs/{run_id}/${name}`,
    id: `${name}_run`,
    tag,
    summary,
    params: { run_id: runIdParam },
    body: {
      schema: Type.Object({}, { additionalProperties: false }),
      required: false,
      description: "nothing, or `{}`",
    },
    answers: { 200: { description: done, schema: RunRef } },
    problems: ["unknown_run", "wrong_status", "busy"],
    async handle({ params }, { host }) {
      return runOr(await host.runner[name](params.run_id));
    },
  });
}

function runOr(result: Run | Refusal): Answer | Problem {
  return isRefusal(result) ? problemOf(result) : { status: 200, body: result };
}

const runEvents = route({
  method: "GET",
  path: "/api/runs/{run_id}/events",
  id: "run_events",
  tag,
  summary: "Watch a run",
  description:
    "Server-sent events: first the run as it is, then each change, until the run has ended. Each " +
    "has an `id` to resume from, an `event` (the type of the event, or `run`), and as `data` " +
    '`{"run": …, "event": …}`, where `event` is null for a whole run. Comments are signs of life.',
  params: { run_id: runIdParam },
  headers: Type.Object({
    "last-event-id": Type.Optional(
      Type.String({
        description: "The `id` of the last change that was seen: only later ones are sent.",
        pattern: `^[!-~]{1,${MAX_CHANGE_ID}}$`,
      }),
    ),
  }),
  answers: {
    200: {
      description: "The changes.",
      content_type: "text/event-stream",
      schema: Type.String(),
    },
    204: { description: "The run has ended, and its last change was seen: do not come again." },
  },
  problems: ["unknown_run", "busy"],
  handle: watchRun,
});

export const RUN_ROUTES: readonly Route[] = [
  listRuns,
  getRun,
  cancelRun,
  wish("pause", "Pause a run", "The run, paused: what is in flight ends, nothing new begins."),
  wish("resume", "Resume a paused run", "The run, running again."),
  wish("retry", "Go on from the failed step", "The run, running again."),
  runEvents,
];

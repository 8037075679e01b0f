// The routes about runs: how they stand, what may be wished of them, and their changes live.

import { isRefusal, type Refusal } from "../engine/command.js";
import type { Run } from "../engine/run.js";
import type { RunQuery } from "../engine/runner.js";
import { SIGNAL_NAME_PATTERN } from "../engine/waiting-for.js";
import type { Json } from "../flow/json.js";
import { Type } from "../flow/type.js";
import { DEFAULT_PAGE, MAX_CHANGE_ID, MAX_CURSOR, MAX_PAGE, MAX_REASON } from "../limits.js";
import type { Answer } from "./answer.js";
import { watchRun } from "./events.js";
import { runIdParam, unknownRun } from "./params.js";
import { type Problem, problemOf } from "./problem.js";
import { type Route, route } from "./route.js";
import { runLogs } from "./routes-logs.js";
import { RunRef, RunStatusText, RunSummaryRef, StepName, WorkflowIdText } from "./schemas.js";

const tag = "runs";

const SignalName = Type.String({ pattern: SIGNAL_NAME_PATTERN });

const getRun = route({
  method: "GET",
  scope: "read",
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
  scope: "read",
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
  scope: "trigger",
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

const retryRun = route({
  method: "POST",
  scope: "trigger",
  path: "/api/runs/{run_id}/retry",
  id: "retry_run",
  tag,
  summary: "Go on from the failed step, or from a step named in `from`",
  params: { run_id: runIdParam },
  body: {
    schema: Type.Object({ from: Type.Optional(StepName) }, { additionalProperties: false }),
    required: false,
    description: 'nothing, or `{ "from": "<a step\'s id or key>" }`',
  },
  answers: { 200: { description: "The run, running again.", schema: RunRef } },
  problems: ["unknown_run", "unknown_step", "wrong_status", "busy"],
  async handle({ params, body }, { host }) {
    return runOr(await host.runner.retry(params.run_id, body.from));
  },
});

const signalRun = route({
  method: "POST",
  scope: "trigger",
  path: "/api/runs/{run_id}/signal",
  id: "signal_run",
  tag,
  summary: "Send a run a signal that a wait step goes on with",
  params: { run_id: runIdParam },
  body: {
    schema: Type.Object(
      { name: SignalName, data: Type.Optional(Type.Unknown()) },
      { additionalProperties: false },
    ),
    required: true,
    description: "the signal's name, and the data that becomes the step's output",
  },
  answers: { 200: { description: "The run. It keeps a signal that came early.", schema: RunRef } },
  problems: ["unknown_run", "wrong_status", "busy"],
  async handle({ params, body }, { host }) {
    const data = (body.data ?? null) as Json;
    return runOr(await host.runner.signal(params.run_id, body.name, data));
  },
});

function answerRun(name: "approve" | "reject", approved: boolean): Route {
  return route({
    method: "POST",
    scope: "trigger",
    path: `/api/runs/{run_id}/${name}`,
    id: `${name}_run`,
    tag,
    summary: `Answer an approval: ${name}`,
    params: { run_id: runIdParam },
    body: {
      schema: Type.Object(
        {
          step_id: Type.Optional(StepName),
          comment: Type.Optional(Type.String({ maxLength: MAX_REASON })),
        },
        { additionalProperties: false },
      ),
      required: false,
      description: "a comment, and the step where several wait for an answer",
    },
    answers: { 200: { description: "The run, going on.", schema: RunRef } },
    problems: ["unknown_run", "unknown_step", "wrong_status", "busy"],
    async handle({ params, body }, { host }) {
      const { step_id, comment = null } = body;
      const answer = { approved, comment, ...(step_id === undefined ? {} : { step_id }) };
      return runOr(await host.runner.answer(params.run_id, answer));
    },
  });
}

function wish(name: "pause" | "resume", summary: string, done: string): Route {
  return route({
    method: "POST",
    scope: "trigger",
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
  scope: "read",
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
  retryRun,
  signalRun,
  answerRun("approve", true),
  answerRun("reject", false),
  runEvents,
  runLogs,
];

// The routes about workflows: what is served, how a flow file is written, how a run is started.

import { isRefusal } from "../engine/command.js";
import type { ServedWorkflow } from "../engine/runner.js";
import { parseDuration } from "../flow/duration.js";
import type { JsonObject } from "../flow/json.js";
import { Type } from "../flow/type.js";
import {
  DEFAULT_SCHEDULE_MS,
  MAX_IDEMPOTENCY_KEY,
  MAX_LISTED_FIRINGS,
  MAX_WAIT_MS,
} from "../limits.js";
import { firingsBetween } from "../triggers/schedule.js";
import { unknownWorkflow, workflowIdParam } from "./params.js";
import { Problem, problemOf } from "./problem.js";
import { type Route, route } from "./route.js";
import {
  ListedWorkflowRef,
  RunRef,
  ServedWorkflowRef,
  TriggeredRef,
  WorkflowIdText,
} from "./schemas.js";
import { untilEnd } from "./wait.js";

const tag = "workflows";

/** A time with its offset. */
const TIME = {
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d{1,9})?)?(Z|[+-]\\d\\d:\\d\\d)$",
};

const putWorkflow = route({
  method: "POST",
  scope: "admin",
  path: "/api/workflows",
  id: "put_workflow",
  tag,
  summary: "Create or update a workflow's flow file",
  description:
    "One more editor of the flows folder: an existing file keeps its comments. " +
    "A definition with errors is answered with its diagnostics, and nothing is written.",
  body: {
    schema: Type.Record(Type.String(), Type.Unknown()),
    required: true,
    description: "the workflow's definition, as in a flow file",
  },
  answers: {
    200: { description: "The flow file was updated.", schema: ServedWorkflowRef },
    201: {
      description: "The flow file was created.",
      schema: ServedWorkflowRef,
      headers: { Location: "Where the workflow is." },
    },
  },
  problems: ["invalid_definition"],
  async handle({ body }, { host, loopback }) {
    const may = { private_hosts: loopback };
    const put = await host.workflows.put(body as JsonObject, may);
    if ("diagnostics" in put) {
      const count = put.diagnostics.filter((found) => found.severity === "error").length;
      const errors = count === 1 ? "1 error" : `${count} errors`;
      const detail = `The definition has ${errors}; nothing was written.`;
      return new Problem("invalid_definition", detail, { diagnostics: put.diagnostics });
    }
    if (!put.created) return { status: 200, body: put.workflow };
    const headers = { location: `/api/workflows/${put.workflow.id}` };
    return { status: 201, body: put.workflow, headers };
  },
});

const listWorkflows = route({
  method: "GET",
  scope: "read",
  path: "/api/workflows",
  id: "list_workflows",
  tag,
  summary: "List the workflows",
  answers: {
    200: {
      description: "Every flow file's workflow, without its definition.",
      schema: Type.Object({ workflows: Type.Array(ListedWorkflowRef) }),
    },
  },
  problems: [],
  async handle(_, { host }) {
    const served = await host.workflows.list();
    return { status: 200, body: { workflows: served.map(withoutDefinition) } };
  },
});

const syncWorkflows = route({
  method: "POST",
  scope: "admin",
  path: "/api/sync",
  id: "sync_workflows",
  tag,
  summary: "Read the whole flows folder again",
  description: "Answered when every file is checked and served. The folder is watched anyway.",
  body: {
    schema: Type.Object({}, { additionalProperties: false }),
    required: false,
    description: "nothing, or `{}`",
  },
  answers: {
    200: {
      description: "Every flow file's workflow, without its definition.",
      schema: Type.Object({ workflows: Type.Array(ListedWorkflowRef) }),
    },
  },
  problems: [],
  async handle(_, { host }) {
    const served = await host.workflows.sync();
    return { status: 200, body: { workflows: served.map(withoutDefinition) } };
  },
});

function withoutDefinition({ workflow: _, ...listed }: ServedWorkflow) {
  return listed;
}

const getWorkflow = route({
  method: "GET",
  scope: "read",
  path: "/api/workflows/{id}",
  id: "get_workflow",
  tag,
  summary: "Show one workflow",
  params: { id: workflowIdParam },
  answers: { 200: { description: "The workflow as it is served.", schema: ServedWorkflowRef } },
  problems: ["unknown_workflow"],
  async handle({ params }, { host }) {
    const served = await host.workflows.get(params.id);
    return served === undefined ? unknownWorkflow(params.id) : { status: 200, body: served };
  },
});

const triggerWorkflow = route({
  method: "POST",
  scope: "trigger",
  path: "/api/workflows/{id}/trigger",
  id: "trigger_workflow",
  tag,
  summary: "Start a run",
  description:
    "Answered once the run is on disk. With `wait` the answer comes when the run has ended (200 " +
    "with the run), or when the time is up (202; the run goes on).",
  params: { id: workflowIdParam },
  query: Type.Object(
    {
      wait: Type.Optional(
        Type.String({
          description: `How long to wait for the end: 500ms, 30s; at most ${MAX_WAIT_MS / 1000}s.`,
          maxLength: 20,
        }),
      ),
    },
    { additionalProperties: false },
  ),
  headers: Type.Object({
    "idempotency-key": Type.Optional(
      Type.String({
        description: "The same key for the same workflow and context gives the same run.",
        pattern: `^[!-~]{1,${MAX_IDEMPOTENCY_KEY}}$`,
      }),
    ),
  }),
  body: {
    schema: Type.Object(
      { context: Type.Optional(Type.Record(Type.String(), Type.Unknown())) },
      { additionalProperties: false },
    ),
    required: false,
    description: 'the run\'s context, as `{ "context": {…} }`',
  },
  answers: {
    200: {
      description: "The run has ended (with `wait`), or an earlier request had created it.",
      schema: Type.Union([RunRef, TriggeredRef]),
      headers: { Location: "Where the run is." },
    },
    202: {
      description: "The run is on disk, and goes on.",
      schema: TriggeredRef,
      headers: { Location: "Where the run is." },
    },
  },
  problems: [
    "unknown_workflow",
    "invalid_workflow",
    "context_mismatch",
    "idempotency_mismatch",
    "busy",
  ],
  async handle({ params, query, headers, body, outgoing }, door) {
    const wait_ms = query.wait === undefined ? 0 : parseDuration(query.wait);
    if (wait_ms === undefined || wait_ms > MAX_WAIT_MS) return badWait(query.wait ?? "");
    const leave = wait_ms === 0 ? undefined : door.waits.take();
    if (wait_ms > 0 && leave === undefined) {
      const detail = `${door.waits.limit} others wait already: trigger without wait, or later.`;
      return new Problem("busy", detail);
    }
    try {
      const key = headers["idempotency-key"];
      const triggered = await door.host.runner.trigger({
        workflow_id: params.id,
        context: (body.context ?? {}) as JsonObject,
        ...(key === undefined ? {} : { idempotency_key: key }),
      });
      if (isRefusal(triggered)) {
        if (triggered.refused !== "invalid_workflow") return problemOf(triggered);
        return problemOf(triggered, (await door.host.workflows.get(params.id))?.diagnostics);
      }
      const { run_id, created } = triggered;
      const location = { location: `/api/runs/${run_id}` };
      if (wait_ms > 0) {
        const run = await untilEnd(door, run_id, wait_ms, outgoing);
        if (run?.ended === true) return { status: 200, body: run.run, headers: location };
        const status = run?.run.status ?? triggered.status;
        return { status: 202, body: { run_id, status }, headers: location };
      }
      const status = created ? 202 : 200;
      return { status, body: { run_id, status: triggered.status }, headers: location };
    } finally {
      leave?.();
    }
  },
});

function badWait(wait: string): Problem {
  const message = `must be a duration of at most ${MAX_WAIT_MS / 1000}s, like 500ms or 30s`;
  const detail = `The query's parameter wait ${message}; ${JSON.stringify(wait)} came.`;
  return new Problem("invalid_request", detail, { errors: [{ path: "/wait", message }] });
}

const listSchedule = route({
  method: "GET",
  path: "/api/schedule",
  scope: "read",
  id: "list_schedule",
  tag,
  summary: "List when schedules fire",
  query: Type.Object(
    {
      from: Type.Optional(Type.String({ ...TIME, description: "Default: now." })),
      to: Type.Optional(Type.String({ ...TIME, description: "Default: a day later." })),
    },
    { additionalProperties: false },
  ),
  answers: {
    200: {
      description: "Every firing from `from` on and before `to`, of the workflows as served.",
      schema: Type.Object({
        from: Type.String(),
        to: Type.String(),
        is_cut: Type.Boolean({ description: `More than ${MAX_LISTED_FIRINGS}: ask for less.` }),
        firings: Type.Array(
          Type.Object({
            at: Type.String({ description: "ISO 8601, in UTC." }),
            workflow_id: WorkflowIdText,
            cron: Type.String(),
            timezone: Type.String(),
          }),
        ),
      }),
    },
  },
  problems: [],
  async handle({ query }, { host }) {
    const from = query.from === undefined ? Date.now() : Date.parse(query.from);
    const to = query.to === undefined ? from + DEFAULT_SCHEDULE_MS : Date.parse(query.to);
    if (!(from < to)) {
      const detail = "The query's from and to must be times, and to the later one.";
      return new Problem("invalid_request", detail);
    }
    const served = await host.workflows.list();
    const workflows = served.flatMap(({ workflow }) => workflow ?? []);
    const listed = firingsBetween(workflows, from, to, MAX_LISTED_FIRINGS);
    const span = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    return { status: 200, body: { ...span, ...listed } };
  },
});

export const WORKFLOW_ROUTES: readonly Route[] = [
  putWorkflow,
  listWorkflows,
  getWorkflow,
  triggerWorkflow,
  syncWorkflows,
  listSchedule,
];

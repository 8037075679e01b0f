// The shapes that go over the wire, as the OpenAPI document names them.

import type { Static, TSchema } from "typebox";
import { RUN_ID_PATTERN, WORKFLOW_ID_PATTERN } from "../engine/ids.js";
import type { BodyState, Run, RunStatus, StepStatus } from "../engine/run.js";
import type { Health, LogPage, RunSummary, ServedWorkflow } from "../engine/runner.js";
import { type Diagnostic, KINDS } from "../flow/diagnostic.js";
import { Type } from "../flow/type.js";
import { PROBLEMS, type ProblemDetails, type ProblemKind } from "./problem.js";

export const RUN_STATUSES: RunStatus[] = [
  "pending",
  "running",
  "paused",
  "completed",
  "failed",
  "cancelled",
];

const STEP_STATUSES: StepStatus[] = [
  "pending",
  "running",
  "waiting",
  "completed",
  "failed",
  "skipped",
  "cancelled",
];

export const WorkflowIdText = Type.String({
  pattern: WORKFLOW_ID_PATTERN,
  description: "The id of a workflow.",
});
export const RunIdText = Type.String({
  pattern: RUN_ID_PATTERN,
  description: "The id of a run, as its trigger was answered with.",
});
/** A step's id, or a key such as `remind_each#0/3/send#0`. */
export const StepName = Type.String({ pattern: "^[A-Za-z0-9_#/-]{1,500}$" });
export const RunStatusText = Type.Enum(RUN_STATUSES);

const Time = Type.String({ format: "date-time", description: "ISO 8601, in UTC, with ms." });
const TimeOrNull = Type.Union([Time, Type.Null()]);
const AnyJson = Type.Unknown({ description: "Any JSON value." });
const AnyObject = Type.Record(Type.String(), Type.Unknown());

const Failure = Type.Object({
  kind: Type.String({ description: "For programs: http_status, network, timeout, …" }),
  message: Type.String({ description: "For people." }),
  status: Type.Optional(Type.Integer()),
  exit_code: Type.Optional(Type.Integer()),
  step_id: Type.Optional(Type.String()),
  key: Type.Optional(Type.String()),
});
const FailureOrNull = Type.Union([ref("Failure", Failure), Type.Null()]);

/** Steps hold bodies, which hold steps: only the document can say so. */
const BodyStateRef = Type.Unsafe<BodyState>({ $ref: "#/components/schemas/BodyState" });

const StepState = Type.Object({
  status: Type.Enum(STEP_STATUSES),
  attempt: Type.Integer({ minimum: 0, description: "From 1; 0 before the first." }),
  iteration: Type.Integer({ minimum: 0, description: "From 0; each pass of a loop adds one." }),
  started_at: TimeOrNull,
  finished_at: TimeOrNull,
  output: AnyJson,
  error: FailureOrNull,
  until: Type.Optional(Time),
  signal: Type.Optional(Type.String({ description: "What a waiting step goes on with." })),
  message: Type.Optional(Type.String({ description: "Of an `approval`: what is asked." })),
  child_run_id: Type.Optional(
    Type.String({ description: "Of a `workflow`: the run that it started." }),
  ),
  items: Type.Optional(Type.Array(BodyStateRef, { description: "Of a `foreach`, in order." })),
  branches: Type.Optional(
    Type.Record(Type.String(), BodyStateRef, { description: "Of a `parallel`, by name." }),
  ),
});

const BodyStateShape = Type.Object({
  status: Type.Enum(["pending", "running", "completed"]),
  item: AnyJson,
  output: AnyJson,
  steps: Type.Record(Type.String(), ref("StepState", StepState)),
});

const summary = {
  id: RunIdText,
  workflow_id: WorkflowIdText,
  workflow_version: Type.String({ description: "SHA-256 of the workflow's canonical JSON." }),
  status: RunStatusText,
  created_at: Time,
  started_at: TimeOrNull,
  finished_at: TimeOrNull,
  error: FailureOrNull,
};

const WaitingForShape = Type.Object({
  step_id: Type.String(),
  key: Type.String({ description: "Names the step, where several wait." }),
  message: Type.Optional(Type.String({ description: "What a person is asked." })),
  signal: Type.Optional(Type.String({ description: "The signal's name." })),
  until: Type.Optional(Time),
});

const RunSummaryShape = Type.Object({
  ...summary,
  waiting_for: Type.Optional(
    Type.Array(ref("WaitingFor", WaitingForShape), {
      description: "Of a paused run: what it waits for; nothing, when it is held by hand.",
    }),
  ),
});

const RunShape = Type.Object({
  ...summary,
  context: AnyObject,
  trigger: Type.Object({
    type: Type.Enum(["manual", "schedule", "webhook", "workflow"]),
    idempotency_key: Type.Optional(Type.String()),
    run_id: Type.Optional(
      Type.String({ description: "Of `workflow`: the run that started this one." }),
    ),
    key: Type.Optional(Type.String({ description: "Of the step of that run." })),
  }),
  steps: Type.Record(Type.String(), ref("StepState", StepState), {
    description: "By step id: the latest iteration of each step that was reached.",
  }),
  output: AnyJson,
  deadline_at: Type.Optional(Time),
  open: Type.Array(Type.String()),
  step_count: Type.Integer({ minimum: 0 }),
  seq: Type.Integer({ minimum: 0 }),
});

const DiagnosticShape = Type.Object({
  file: Type.String(),
  line: Type.Integer({ minimum: 1 }),
  column: Type.Integer({ minimum: 1 }),
  end_line: Type.Integer({ minimum: 1 }),
  end_column: Type.Integer({ minimum: 1 }),
  kind: Type.Enum([...KINDS]),
  severity: Type.Enum(["error", "warning"]),
  message: Type.String(),
  suggestion: Type.Optional(Type.String()),
});

const listed = {
  id: WorkflowIdText,
  name: Type.String(),
  version: Type.Union([Type.String(), Type.Null()], {
    description: "Null: the file was never valid, so nothing is served under this id.",
  }),
  file: Type.String({ description: "The flow file, relative to the flows folder." }),
  valid: Type.Boolean({ description: "False: the file has errors; the last good one is served." }),
  diagnostics: Type.Array(held<Diagnostic>()("Diagnostic", DiagnosticShape)),
};

const ListedWorkflowShape = Type.Object(listed);

const WorkflowShape = Type.Object(
  {
    id: WorkflowIdText,
    name: Type.String(),
    entry_point: Type.String(),
    steps: Type.Array(
      Type.Object({
        id: Type.String(),
        type: Type.String(),
        config: AnyObject,
        next_step_id: Type.Union([Type.String(), Type.Null()]),
      }),
    ),
    max_steps: Type.Integer({ minimum: 1 }),
  },
  { description: "The checked definition: every default filled in, every duration in ms." },
);

const ServedWorkflowShape = Type.Object({
  ...listed,
  workflow: Type.Union([ref("Workflow", WorkflowShape), Type.Null()]),
});

const LogLineShape = Type.Object({
  at: Time,
  step_id: Type.String(),
  key: Type.String({ description: "Of the step's instance, as the run's document has it." }),
  attempt: Type.Integer({ minimum: 1 }),
  stream: Type.Enum(["stdout", "stderr", "log"]),
  level: Type.Optional(Type.Enum(["debug", "info", "warn", "error"])),
  text: Type.String(),
  data: Type.Optional(AnyJson),
});

const LogPageShape = Type.Object({
  lines: Type.Array(ref("LogLine", LogLineShape)),
  cursor: Type.String({ description: "Where the next page begins, also of lines to come." }),
  more: Type.Boolean({ description: "There are further lines already." }),
});

const count = Type.Integer({ minimum: 0 });

const HealthShape = Type.Object({
  status: Type.Enum(["ok", "degraded"]),
  version: Type.String(),
  workflows: Type.Object({ served: count, invalid: count }),
  diagnostics: count,
  refused_starts: Type.Array(
    Type.Object({
      workflow_id: WorkflowIdText,
      trigger: Type.String({ description: 'As `schedule "0 9 * * 1-5 UTC"`.' }),
      at: Type.String({ description: "What it fired for: a time." }),
      message: Type.String(),
    }),
    { description: "Triggers whose last start was refused." },
  ),
  runs: Type.Object({
    pending: count,
    running: count,
    paused: count,
    completed: count,
    failed: count,
    cancelled: count,
  }),
  store: Type.Object({
    trouble: Type.Union([Type.String(), Type.Null()], {
      description: "Why runs are refused or documents lag: a full disk, a full queue.",
    }),
    documents_waiting: count,
  }),
});

const TriggeredShape = Type.Object({ run_id: RunIdText, status: RunStatusText });

const ProblemShape = Type.Object(
  {
    type: Type.String({ description: "`urn:mini-zaps:problem:<kind>`" }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: "What is wrong, and what to do." }),
    kind: Type.Enum(Object.keys(PROBLEMS) as ProblemKind[]),
    instance: Type.Optional(Type.String()),
    errors: Type.Optional(
      Type.Array(Type.Object({ path: Type.String(), message: Type.String() }), {
        description: "What does not fit, and where: a JSON pointer, or a parameter's name.",
      }),
    ),
    diagnostics: Type.Optional(Type.Array(held<Diagnostic>()("Diagnostic", DiagnosticShape))),
  },
  { description: "RFC 9457 problem details." },
);

/** By name; `$ref` is how the rest of the document speaks of them. */
export const COMPONENTS: { readonly [name: string]: TSchema } = {
  Run: RunShape,
  RunSummary: RunSummaryShape,
  WaitingFor: WaitingForShape,
  StepState,
  BodyState: BodyStateShape,
  Failure,
  Triggered: TriggeredShape,
  LogLine: LogLineShape,
  LogPage: LogPageShape,
  ListedWorkflow: ListedWorkflowShape,
  ServedWorkflow: ServedWorkflowShape,
  Workflow: WorkflowShape,
  Diagnostic: DiagnosticShape,
  Health: HealthShape,
  Problem: ProblemShape,
};

export const RunRef = held<Run>()("Run", RunShape);
export const LogPageRef = held<LogPage>()("LogPage", LogPageShape);
export const TriggeredRef = ref("Triggered", TriggeredShape);
export const ServedWorkflowRef = held<ServedWorkflow>()("ServedWorkflow", ServedWorkflowShape);
export const ListedWorkflowRef = ref("ListedWorkflow", ListedWorkflowShape);
export const RunSummaryRef = held<RunSummary>()("RunSummary", RunSummaryShape);
export const ProblemRef = held<ProblemDetails>()("Problem", ProblemShape);
export const HealthRef = held<Health>()("Health", HealthShape);

function ref<T extends TSchema>(name: string, _shape: T) {
  return Type.Unsafe<Static<T>>({ $ref: `#/components/schemas/${name}` });
}

/** The compiler's word that the documents we hold are what their shape says. */
function held<Held>() {
  return <T extends TSchema>(
    name: string,
    _shape: T & (Held extends Static<T> ? unknown : never),
  ) => Type.Unsafe<Held>({ $ref: `#/components/schemas/${name}` });
}

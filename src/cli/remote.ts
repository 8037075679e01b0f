// A running server as a runner and its workflows: the same interfaces, over the HTTP routes.

import { isRefusal, type Refusal } from "../engine/command.js";
import { FINISHED, type Run } from "../engine/run.js";
import type {
  AbortSignalLike,
  Change,
  Health,
  Host,
  LogPage,
  LogQuery,
  Put,
  Runner,
  RunQuery,
  RunSummary,
  ServedWorkflow,
  Triggered,
  Workflows,
} from "../engine/runner.js";
import type { JsonObject } from "../flow/json.js";
import { type Answer, Http, unexpected } from "./http.js";
import { serverSentEvents } from "./sse.js";

/** Closing it lets nothing go: the store belongs to the server. */
export function connect(url: string, token: string | undefined): Host {
  const http = new Http(url, token);
  return {
    runner: remoteRunner(http),
    workflows: remoteWorkflows(http),
    health: async () => http.expect<Health>(await http.get("/health"), 200),
    close: async () => {},
  };
}

function remoteRunner(http: Http): Runner {
  const control = async (
    runId: string,
    what: string,
    body?: JsonObject,
  ): Promise<Run | Refusal> => {
    return http.refusable<Run>(await http.post(`${runPath(runId)}/${what}`, body));
  };
  return {
    trigger: async ({ workflow_id, context, idempotency_key }) => {
      const headers = idempotency_key === undefined ? {} : { "idempotency-key": idempotency_key };
      const answer = await http.post(`${workflowPath(workflow_id)}/trigger`, { context }, headers);
      const body = http.refusable<Pick<Triggered, "run_id" | "status">>(answer);
      return isRefusal(body) ? body : { ...body, created: answer.status === 202 };
    },
    get: async (runId) => http.orUndefined<Run>(await http.get(runPath(runId))),
    logs: async (runId, query) => {
      return http.orUndefined<LogPage>(await http.get(`${runPath(runId)}/logs?${search(query)}`));
    },
    list: async (query) => {
      const answer = await http.get(`/api/runs?${search(query)}`);
      return http.expect<{ runs: RunSummary[]; next_cursor: string | null }>(answer, 200);
    },
    watch: (runId, after, signal) => watch(http, runId, after, signal),
    ended: async (runId, signal) => {
      let run: Run | undefined;
      for await (const change of (await watch(http, runId, undefined, signal)) ?? []) {
        run = change.run;
      }
      return run;
    },
    pause: (runId) => control(runId, "pause"),
    resume: (runId) => control(runId, "resume"),
    cancel: (runId, reason) =>
      control(runId, "cancel", reason === undefined ? undefined : { reason }),
    retry: (runId, from) => control(runId, "retry", from === undefined ? undefined : { from }),
    signal: (runId, name, data) => control(runId, "signal", { name, data }),
    answer: (runId, { approved, comment, step_id }) =>
      control(runId, approved ? "approve" : "reject", {
        ...(comment === null ? {} : { comment }),
        ...(step_id === undefined ? {} : { step_id }),
      }),
  };
}

function remoteWorkflows(http: Http): Workflows {
  // A listing comes without the definitions.
  const list = (answer: Answer): ServedWorkflow[] => {
    const { workflows } = http.expect<{ workflows: Omit<ServedWorkflow, "workflow">[] }>(
      answer,
      200,
    );
    return workflows.map((listed) => ({ ...listed, workflow: null }));
  };
  return {
    list: async () => list(await http.get("/api/workflows")),
    get: async (id) => http.orUndefined<ServedWorkflow>(await http.get(workflowPath(id))),
    put: async (definition): Promise<Put> => {
      const answer = await http.post("/api/workflows", definition);
      if (answer.status === 422) return { diagnostics: http.problem(answer).diagnostics ?? [] };
      if (answer.status !== 200 && answer.status !== 201) throw unexpected(http.url, answer);
      return { created: answer.status === 201, workflow: answer.body as ServedWorkflow };
    },
    sync: async () => list(await http.post("/api/sync")),
  };
}

/** Ids go into a path only through here. */
function runPath(runId: string): string {
  return `/api/runs/${encodeURIComponent(runId)}`;
}

function workflowPath(id: string): string {
  return `/api/workflows/${encodeURIComponent(id)}`;
}

function search(query: RunQuery | LogQuery): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) parameters.set(name, String(value));
  }
  return parameters.toString();
}

async function watch(
  http: Http,
  runId: string,
  after: string | undefined,
  signal: AbortSignalLike,
): Promise<AsyncIterable<Change> | undefined> {
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  signal.addEventListener("abort", () => controller.abort());
  const open = (from: string | undefined) =>
    http.stream(`${runPath(runId)}/events`, from, controller.signal);
  const first = await open(after);
  return first && changes(first, open, after, controller.signal);
}

/** A broken stream is opened again where it stopped; that the server is gone ends it loudly. */
async function* changes(
  first: AsyncIterable<Uint8Array>,
  open: (after: string | undefined) => Promise<AsyncIterable<Uint8Array> | undefined>,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<Change, void, undefined> {
  let stream: AsyncIterable<Uint8Array> | undefined = first;
  let last = after;
  while (stream !== undefined) {
    try {
      for await (const { id, data } of serverSentEvents(stream)) {
        const { run, event } = JSON.parse(data) as { run: Run; event: unknown };
        last = id;
        yield (event ? { id, type: "event", event, run } : { id, type: "run", run }) as Change;
        if (FINISHED.has(run.status)) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof SyntaxError) throw error;
    }
    if (signal.aborted) return;
    stream = await open(last);
  }
}

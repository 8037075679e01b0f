// The parts of paths that are not fixed: each with its one parser, and what is said otherwise.

import { parseRunId, parseWorkflowId, type RunId, type WorkflowId } from "../engine/ids.js";
import { Problem, quote } from "./problem.js";
import type { Param } from "./route.js";
import { RunIdText, WorkflowIdText } from "./schemas.js";

export const workflowIdParam: Param<WorkflowId> = {
  schema: WorkflowIdText,
  parse: parseWorkflowId,
  otherwise: unknownWorkflow,
};

export const runIdParam: Param<RunId> = {
  schema: RunIdText,
  parse: parseRunId,
  otherwise: unknownRun,
};

export function unknownWorkflow(id: string): Problem {
  const detail = `There is no workflow ${quote(id)}: GET /api/workflows lists those there are.`;
  return new Problem("unknown_workflow", detail);
}

export function unknownRun(id: string): Problem {
  return new Problem("unknown_run", `There is no run ${quote(id)}: GET /api/runs lists the runs.`);
}

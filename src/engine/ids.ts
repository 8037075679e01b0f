// The ids of workflows and runs, as parsed types. Every door makes them here, and nowhere else.

/** A text that has been checked; only the parsers below make one. */
export type WorkflowId = string & { readonly checked: "workflow_id" };
export type RunId = string & { readonly checked: "run_id" };

/** Also the file name of a workflow in the store: no dot, no slash, no empty name. */
export const WORKFLOW_ID_PATTERN = "^[A-Za-z_][A-Za-z0-9_-]{0,63}$";
/** 26 digits of Crockford's base 32 in lower case, which has no i, l, o and u. */
export const RUN_ID_PATTERN = "^run_[0-9a-hjkmnp-tv-z]{26}$";

const WORKFLOW_ID = new RegExp(WORKFLOW_ID_PATTERN);
const RUN_ID = new RegExp(RUN_ID_PATTERN);

export function parseWorkflowId(text: string): WorkflowId | undefined {
  return WORKFLOW_ID.test(text) ? (text as WorkflowId) : undefined;
}

export function parseRunId(text: string): RunId | undefined {
  return RUN_ID.test(text) ? (text as RunId) : undefined;
}

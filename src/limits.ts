// Every limit, with its unit and its reason.

/** Bytes of one flow file: `yaml` parses 256 KiB in tens of ms; no hand-written flow comes near. */
export const MAX_FLOW_FILE_BYTES = 256 * 1024;
/** Levels of nesting in a flow file: `yaml` recurses, and deeper texts can abort the process. */
export const MAX_FLOW_DEPTH = 64;
/** Keys of one mapping: `yaml` looks for duplicates in quadratic time. */
export const MAX_FLOW_KEYS = 1_000;
/** Aliases of one flow file: enough for shared headers, too few for an alias bomb. */
export const MAX_FLOW_ALIASES = 50;
/** Diagnostics reported for one file: beyond, a reader starts again from the top anyway. */
export const MAX_DIAGNOSTICS = 100;

/** Step executions of a run, when the workflow does not say. */
export const DEFAULT_MAX_STEPS = 10_000;
/** Step executions a workflow may ask for: keeps a run's document and its replay bounded. */
export const MAX_STEPS = 1_000_000;
/** ms a step's attempt may take when neither step nor defaults say: most HTTP calls end in 30 s. */
export const DEFAULT_STEP_TIMEOUT_MS = 30_000;
/** ms: the longest duration a flow file may name (ten years), far below what Date can hold. */
export const MAX_DURATION_MS = 10 * 365 * 24 * 3_600_000;

/** Bytes of a request body: a context is a small JSON value, not a file. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** Bytes of a response body that a step keeps as its output: it is copied into the run's document. */
export const MAX_RESPONSE_BYTES = 1024 * 1024;
/** Levels of nesting in a context: JSON.stringify recurses. */
export const MAX_JSON_DEPTH = 100;
/** Runs on one page of a listing. */
export const MAX_PAGE = 200;
export const DEFAULT_PAGE = 50;
/** Characters of an idempotency key: longer ones are documents, not keys. */
export const MAX_IDEMPOTENCY_KEY = 255;
/** ms: the longest `retry-after` that is honoured; beyond, the other side had better be asked. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

// What a user's own step type is made of, and `defineConnector`, which says that something is one.

/** `Config` is what the step gives: the type that the JSON Schema in `config` describes. */
export interface ConnectorDefinition<Config = { [name: string]: unknown }> {
  /** The step type: a small letter, then small letters, digits or _. */
  type: string;
  /** One sentence, shown by editors. */
  description?: string;
  /** JSON Schema of the step's config: a plain object, or what TypeBox makes. */
  config: object;
  /** JSON Schema of what `run` gives: types the expressions that read it, checked when it comes. */
  output?: object;
  /** Performs one attempt of one step; what it gives, as JSON, is the step's output. */
  run(config: Config, context: ConnectorContext): unknown;
}

export interface ConnectorContext {
  /** The same for every attempt of a step, never for another step: an idempotency key. */
  key: string;
  run_id: string;
  workflow_id: string;
  step_id: string;
  /** From 1. */
  attempt: number;
  /** Aborted when the step's time is up, or when it is cancelled; soon after, the process ends. */
  signal: AbortSignal;
  /** Writes a line into the run's log; so does console.log. */
  log(message: string, data?: unknown): void;
}

const MARK = Symbol.for("mini-zaps.connector");

/** To be exported from a file in `connectors/`, one a file. */
export function defineConnector<Config = { [name: string]: unknown }>(
  definition: ConnectorDefinition<Config>,
): ConnectorDefinition<Config> {
  return Object.defineProperty({ ...definition }, MARK, { value: true });
}

export function isDefinition(value: unknown): value is ConnectorDefinition {
  return typeof value === "object" && value !== null && MARK in value;
}

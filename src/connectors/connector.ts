// The shape of a connector: a step type's schema and, for those that touch the world, `run`.

import type { TSchema } from "typebox";
import type { RunConnector } from "../engine/ports.js";

export interface Connector {
  type: string;
  /** One sentence, shown by editors on hover. */
  description: string;
  config: TSchema;
  output?: TSchema;
  /** Changes nothing outside: in a test it needs no stub, and its output is null. */
  harmless?: true;
  /** ms that `run` may take to stop once its signal says so. Default: ABORT_GRACE_MS. */
  stop_ms?: number;
  /** The language knows it, but this version does not execute it: a step of it is refused. */
  planned?: true;
  /** Absent: a control type, whose rules the engine has. */
  run?: RunConnector;
}

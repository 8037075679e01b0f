// What the engine must know of a control type: how it begins, and what else can happen to it.

import type { Step } from "../flow/workflow.js";
import type { Draft } from "./draft.js";

export interface Control {
  /** May throw an ExpressionError: then the step fails with it. */
  begin(draft: Draft, key: string, step: Step): void;
  /** A body inside has come to its end. */
  bodyEnded?(draft: Draft, key: string, body: string): void;
  /** The time that the step waited for has come. Absent: the step is complete. */
  due?(draft: Draft, key: string, step: Step): void;
}

// What the language must know of each step type. The connectors room fills it, from above.

import type { JsonObject } from "./json.js";

export interface StepType {
  type: string;
  /** One sentence, shown by editors on hover. */
  description: string;
  /** JSON Schema of the step's `config`, with descriptions and defaults. */
  config: JsonObject;
  /** JSON Schema of the step's `output`, as far as it is known. Absent: any value. */
  output?: JsonObject;
  /** Control types have only rules that the engine reads; the others touch the world. */
  control: boolean;
  /** Changes nothing outside: in a test it needs no stub, and its output is null. */
  harmless?: true;
  /** This version does not execute it yet: a step of it is refused by name. */
  planned?: true;
}

/** By step type. Has no prototype: look-ups of `constructor` find nothing. */
export type Catalog = { readonly [type: string]: StepType };

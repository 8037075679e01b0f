// Evaluates expressions over plain JSON.

import type { Json, JsonObject } from "../json.js";
import { parseCel } from "./cel.js";
import { ExpressionError } from "./finding.js";

/** The values of the roots. Secrets are never among them. */
export interface Scope {
  readonly [root: string]: Json | undefined;
}

/** A string with a secret in it, for the host to fill in just before the call. */
export interface SecretText {
  /** JSON pointer into the config; an empty string stands there. */
  pointer: string;
  parts: (string | { secret: string })[];
}

export interface FilledConfig {
  config: JsonObject;
  secrets: SecretText[];
}

/** The value of an expression without braces. Throws an `ExpressionError`. */
export function evaluateBare(text: string, scope: Scope): Json {
  try {
    return parseCel(text)(scope);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ExpressionError("syntax", message, text, 0, text.length);
  }
}

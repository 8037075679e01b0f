// Does a call's config still fit its schema, now that its expressions have values?

import type { JsonObject } from "../flow/json.js";
import { validatorOf } from "../flow/validator.js";
import type { Call } from "./ports.js";
import type { Failure } from "./run.js";

/** What was checked in the file is checked again. Fills defaults into the config. */
export function configMisfit(
  schema: JsonObject,
  { config, secrets, type }: Call,
): Failure | undefined {
  // Where a secret belongs an empty string stands. Its value is never held against a schema, since
  // what does not fit is shown.
  const blank = new Set(secrets.map(({ pointer }) => pointer));
  const mistakes = validatorOf(schema).mistakes(config);
  const mistake = mistakes.find(({ path }) => !blank.has(path));
  if (mistake === undefined) return undefined;
  const where = `config${mistake.path}`.replaceAll("/", ".");
  const message = `the ${type} step cannot be performed: ${where}: ${mistake.message}`;
  return { kind: "invalid_config", message };
}

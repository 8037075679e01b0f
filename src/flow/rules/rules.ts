// The rules of one file, in the order they run.

import { braces } from "./braces.js";
import { expressions } from "./expressions.js";
import { ids } from "./ids.js";
import { keys } from "./keys.js";
import { loops } from "./loops.js";
import { maybeMissing } from "./maybe-missing.js";
import { fallThrough, unreachable } from "./reach.js";
import type { Rule } from "./rule.js";
import { schedule } from "./schedule.js";
import { schemas } from "./schemas.js";
import { secrets } from "./secrets.js";
import { signature } from "./signature.js";
import { stepRef } from "./step-ref.js";
import { tainted } from "./tainted.js";
import { triggerContext } from "./trigger-context.js";

export const RULES: readonly Rule[] = [
  keys,
  schemas,
  ids,
  stepRef,
  unreachable,
  fallThrough,
  loops,
  expressions,
  braces,
  maybeMissing,
  schedule,
  signature,
  triggerContext,
  secrets,
  tainted,
];

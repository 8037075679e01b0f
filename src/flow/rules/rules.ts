// The rules of one file, in the order they run.

import { ids } from "./ids.js";
import { keys } from "./keys.js";
import { loops } from "./loops.js";
import { fallThrough, unreachable } from "./reach.js";
import type { Rule } from "./rule.js";
import { schemas } from "./schemas.js";
import { stepRef } from "./step-ref.js";

export const RULES: readonly Rule[] = [
  keys,
  schemas,
  ids,
  stepRef,
  unreachable,
  fallThrough,
  loops,
];

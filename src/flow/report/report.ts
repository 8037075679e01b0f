// The reporters by name.

import { human } from "./human.js";
import { json } from "./json.js";
import type { Reporter } from "./reporter.js";

export type { Reporter, ReportOptions } from "./reporter.js";

export const reporters: { readonly human: Reporter; readonly json: Reporter } = { human, json };

// The reporters by name.

import { github } from "./github.js";
import { human } from "./human.js";
import { json } from "./json.js";
import type { Reporter } from "./reporter.js";
import { sarif } from "./sarif.js";

export type { Reporter } from "./reporter.js";

export type Format = "human" | "json" | "github" | "sarif";

export const reporters: { readonly [format in Format]: Reporter } = { human, json, github, sarif };

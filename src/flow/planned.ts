// Keys that the language knows and this version does not execute yet: refused, not ignored.

/** Top-level keys of a workflow. Whoever executes one takes it out; step types have a flag. */
export const PLANNED: ReadonlySet<string> = new Set(["triggers"]);

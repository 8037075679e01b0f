// Regular expressions by RE2: linear in the text, whatever the pattern.

import { RE2JS } from "re2js";
import { MAX_COMPILED_PATTERNS, MAX_PATTERN_LENGTH } from "../../limits.js";
import { Cache } from "./cache.js";

/** What is wrong with a pattern. */
export class PatternError extends Error {}

const compiled = new Cache<RE2JS>(MAX_COMPILED_PATTERNS);

/** Does the pattern match anywhere in the text? */
export function matchesPattern(text: string, pattern: string): boolean {
  return compiled.get(pattern, compilePattern).test(text);
}

/** What is wrong with the pattern; undefined: nothing. */
export function patternMistake(pattern: string): string | undefined {
  try {
    compiled.get(pattern, compilePattern);
    return undefined;
  } catch (error) {
    if (error instanceof PatternError) {
      return error.message;
    }
    throw error;
  }
}

function compilePattern(pattern: string): RE2JS {
  if (pattern.length > MAX_PATTERN_LENGTH) {
    throw new PatternError(`a regular expression has at most ${MAX_PATTERN_LENGTH} characters`);
  }
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PatternError(reason.replace(/^error parsing regexp: /, ""));
  }
}

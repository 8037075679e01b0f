// Whether the flow file itself fixes the host of a url, or what a run brings chooses it.

import { type ExpressionPart, findExpressions } from "./expression/index.js";
import type { Json, JsonObject } from "./json.js";

/**
 * The expressions in a url's scheme, host and port that could give anything. Not among them: a
 * secret, which is the owner's word, and context that its schema bounds by an enum or a const,
 * whose values stand in the flow file.
 */
export function choosers(url: string, context: Json | undefined): ExpressionPart[] {
  const found: ExpressionPart[] = [];
  for (const part of hostParts(url)) {
    if (!isSecret(part) && !isEnumerated(part, context)) found.push(part);
  }
  return found;
}

/** The expressions of a url up to the end of its host and port. */
export function hostParts(url: string): ExpressionPart[] {
  const found: ExpressionPart[] = [];
  let before = "";
  for (const part of findExpressions(url).parts) {
    if (part.kind === "literal") {
      before += part.text;
    } else {
      found.push(part);
      before += "x";
    }
    if (ENDED.test(before)) break;
  }
  return found;
}

/**
 * Not yet where a parser of urls could read on: slashes of either kind after `//` are skipped, and
 * blanks are dropped. What comes first is scheme and host, as in `${{ secrets.BASE }}/path`.
 */
const ENDED = /^(?:https?:\/\/[^/?#\\\s]+[/?#]|x(?:[?#]|\/(?![/\\])))/;

export function isSecret({ text }: ExpressionPart): boolean {
  return /^\s*secrets\.\w+\s*$/.test(text);
}

function isEnumerated({ text }: ExpressionPart, context: Json | undefined): boolean {
  const path = /^\s*context((?:\.[A-Za-z_]\w*)+)\s*$/.exec(text)?.[1]?.slice(1).split(".");
  if (path === undefined) return false;
  let at = context;
  for (const name of path) {
    const properties: Json | undefined = isObject(at) ? at.properties : undefined;
    at = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  }
  return isObject(at) && (at.enum !== undefined || at.const !== undefined);
}

function isObject(value: Json | undefined): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

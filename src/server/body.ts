// Reads a request's body: bounded while it comes in, JSON only, of bounded depth.

import type { IncomingMessage } from "node:http";
import { hasInfinity, type Json } from "../flow/json.js";
import { MAX_BODY_BYTES, MAX_JSON_DEPTH } from "../limits.js";
import { findMistake } from "./json-mistake.js";
import { Problem, quote } from "./problem.js";

/** Levels of nesting of a body: those of a context, in its envelope. */
const MAX_DEPTH = MAX_JSON_DEPTH + 1;

/** Undefined: there is none. */
export async function readJson(incoming: IncomingMessage): Promise<Json | undefined | Problem> {
  if (!hasBody(incoming)) return undefined;
  const refused = checkType(incoming);
  if (refused !== null) return refused;
  const bytes = await readBytes(incoming);
  if (bytes instanceof Problem) return bytes;
  return bytes.length === 0 ? undefined : parseJson(bytes);
}

function hasBody(incoming: IncomingMessage): boolean {
  const length = incoming.headers["content-length"];
  return incoming.headers["transfer-encoding"] !== undefined || Number(length ?? 0) > 0;
}

/** By its declared length; a body without one is counted as it comes. */
export function isTooLarge(incoming: IncomingMessage): boolean {
  return Number(incoming.headers["content-length"] ?? 0) > MAX_BODY_BYTES;
}

/** A form of a web page cannot send this type; so no form can start a run. */
function checkType(incoming: IncomingMessage): Problem | null {
  const type = incoming.headers["content-type"];
  const encoding = incoming.headers["content-encoding"];
  if (encoding !== undefined && encoding !== "identity") {
    const detail = `The body is encoded as ${quote(encoding)}: send it as it is`;
    return unsupported(`${detail}, without Content-Encoding.`);
  }
  if (type === "application/json") return null;
  if (/^application\/json *(; *charset="?utf-8"? *)?$/i.test(type ?? "")) return null;
  const came = type === undefined ? "The body has no Content-Type" : `The body is ${quote(type)}`;
  return unsupported(`${came}: send JSON in UTF-8, with \`Content-Type: application/json\`.`);
}

function unsupported(detail: string): Problem {
  const headers = { "accept-post": "application/json" };
  return new Problem("unsupported_media_type", detail, { headers });
}

/** Stops at the limit, whether or not a length was declared; the rest is not kept. */
export function readBytes(incoming: IncomingMessage): Promise<Buffer | Problem> {
  if (isTooLarge(incoming)) return Promise.resolve(tooLarge());
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (result: Buffer | Problem) => {
      incoming.off("data", onData).off("end", onEnd).off("error", onGone).off("close", onGone);
      resolve(result);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > MAX_BODY_BYTES) {
        incoming.pause();
        finish(tooLarge());
      }
    };
    const onEnd = () => finish(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    // Nobody is left to read the answer.
    const onGone = () => finish(new Problem("bad_request", "The body ended before its time."));
    incoming.on("data", onData).on("end", onEnd).on("error", onGone).on("close", onGone);
  });
}

function tooLarge(): Problem {
  const detail = `The body is larger than ${MAX_BODY_BYTES} bytes: a context is a small JSON value`;
  return new Problem("body_too_large", `${detail}, not a file.`);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true });

export function parseJson(bytes: Buffer): Json | Problem {
  let text: string;
  try {
    text = UTF8.decode(bytes);
  } catch {
    return new Problem("invalid_json", "The body is not UTF-8: send JSON in UTF-8.");
  }
  if (isDeeper(text, MAX_DEPTH)) {
    const detail = `The body is nested more than ${MAX_DEPTH} levels deep: make it flatter.`;
    return new Problem("invalid_json", detail);
  }
  let value: Json;
  try {
    value = JSON.parse(text) as Json;
  } catch {
    return malformed(text);
  }
  if (hasPrototypeKey(text, value)) {
    const detail = "The body has a key `__proto__`: programs mistake it for an object's prototype";
    return new Problem("invalid_json", `${detail}. Give it another name.`);
  }
  if (HUGE.test(text) && hasInfinity(value)) {
    const detail = "The body has a number that is too large: at most 1.797e308 can be kept";
    return new Problem("invalid_json", `${detail}. Send it as a text.`);
  }
  return value;
}

/** Without this in its text, no number of a body is infinite. */
const HUGE = /[eE]\+?\d{3}|\d{200}/;

function malformed(text: string): Problem {
  const { position, message } = findMistake(text);
  const before = text.slice(0, position).split("\n");
  const column = (before.at(-1) ?? "").length + 1;
  const where = `line ${before.length}, column ${column} (position ${position})`;
  return new Problem("invalid_json", `Malformed JSON at ${where}: ${message}.`);
}

/** Looked for before parsing: what comes later recurses. Brackets inside strings do not count. */
function isDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === BACKSLASH) i++;
      else if (code === QUOTE) inString = false;
    } else if (code === QUOTE) {
      inString = true;
    } else if (code === BRACE || code === BRACKET) {
      if (++depth > limit) return true;
    } else if (code === BRACE + 2 || code === BRACKET + 2) {
      depth--;
    }
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** `JSON.parse` makes it a plain key, but the next `copy[key] = value` would not. */
function hasPrototypeKey(text: string, value: Json): boolean {
  // Without the word or an escape in the text there is none: the usual case costs one search.
  if (!text.includes("__proto__") && !text.includes("\\u")) return false;
  const open: Json[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next === null || typeof next !== "object") continue;
    if (Object.hasOwn(next, "__proto__")) return true;
    for (const inner of Object.values(next)) open.push(inner);
  }
  return false;
}

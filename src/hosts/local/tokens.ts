// The tokens of a store: one file each, with a hash in it. A server that runs sees each change.

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SCOPES, type Scope } from "../../engine/runner.js";
import { MAX_TOKENS, RACY_MS } from "../../limits.js";
import { errorCode } from "./store-error.js";

export interface Token {
  name: string;
  scope: Scope;
  created_at: string;
}

interface Kept extends Token {
  /** Of the token's text. It has 256 random bits, so a slow hash would add nothing. */
  sha256: string;
}

export interface Tokens {
  /** What the bearer may do; undefined: nothing. */
  find(token: string): Token | undefined;
  count(): number;
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/;

export function isTokenName(text: string): boolean {
  return NAME.test(text);
}

/** The token's text is nowhere but in the answer. Undefined: there is one of this name. */
export function createToken(store: string, name: string, scope: Scope): string | undefined {
  const text = `flows_${randomBytes(32).toString("base64url")}`;
  const kept: Kept = {
    name,
    scope,
    created_at: new Date(Date.now()).toISOString(),
    sha256: sha256(text).toString("hex"),
  };
  mkdirSync(folderOf(store), { recursive: true, mode: 0o700 });
  try {
    // Exclusively: of two who take one name at once, one is told.
    const how = { flag: "wx", mode: 0o600 };
    writeFileSync(fileOf(store, name), `${JSON.stringify(kept, null, 2)}\n`, how);
    return text;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return undefined;
    throw error;
  }
}

/** Oldest first. */
export function listTokens(store: string): Token[] {
  return read(store).map(({ sha256: _, ...token }) => token);
}

/** False: there is none of this name. */
export function revokeToken(store: string, name: string): boolean {
  try {
    rmSync(fileOf(store, name));
    return true;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Looks at the folder's time with the first request of each turn of the loop, and at its files when
 * that has changed: the requests of one turn came at the same time.
 */
export function openTokens(store: string): Tokens {
  let seen: number | undefined;
  let kept: { token: Token; hash: Buffer }[] = [];
  let hasLooked = false;
  const folder = folderOf(store);
  const fresh = () => {
    if (hasLooked) return kept;
    hasLooked = true;
    setImmediate(() => {
      hasLooked = false;
    });
    const changed = statSync(folder, { throwIfNoEntry: false })?.mtimeMs;
    if (changed !== seen) {
      kept = read(store).map(({ sha256: hash, ...token }) => ({
        token,
        hash: Buffer.from(hash, "hex"),
      }));
      // A folder that has just changed may change again with the same time.
      const isYoung = changed !== undefined && Date.now() - changed < RACY_MS;
      seen = isYoung ? undefined : changed;
    }
    return kept;
  };
  return {
    count: () => fresh().length,
    find: (text) => {
      const given = sha256(text);
      // All are compared, whichever it is.
      const found = fresh().filter(({ hash }) => timingSafeEqual(hash, given));
      return found[0]?.token;
    },
  };
}

function read(store: string): Kept[] {
  const names = namesIn(folderOf(store)).slice(0, MAX_TOKENS);
  const found = names.flatMap((file) => parse(join(folderOf(store), file)) ?? []);
  return found.sort((a, b) => a.created_at.localeCompare(b.created_at));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => /^[A-Za-z0-9_-]+\.json$/.test(file));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  }
}

/** A file that is torn, or of another hand, lets nobody in. */
function parse(file: string): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const isWhole = /^[0-9a-f]{64}$/.test(kept.sha256) && SCOPES.includes(kept.scope);
    return isWhole && NAME.test(kept.name) ? kept : undefined;
  } catch {
    return undefined;
  }
}

function folderOf(store: string): string {
  return join(store, "tokens");
}

function fileOf(store: string, name: string): string {
  return join(folderOf(store), `${name}.json`);
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

// Who may do what: what a request's token grants, held against what its route asks for.

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { SCOPES, type Scope } from "../engine/runner.js";
import { Problem } from "./problem.js";

/** What a route asks for. `public`: it checks who comes by itself, as by a signature. */
export type RouteScope = Scope | "public";

export interface TokenOptions {
  /** Grants everything. */
  token?: string;
  /** Tokens that may be made and revoked while the server runs. */
  tokens?: { find(token: string): { name: string; scope: Scope } | undefined; count(): number };
  loopback: boolean;
}

/** Null: it may. */
export type Admit = (incoming: IncomingMessage, asked: RouteScope) => Problem | null;

/** On this machine, a server that never had a token asks nobody for one. */
export function makeAdmit({ token, tokens, loopback }: TokenOptions): Admit {
  const wanted = token === undefined ? undefined : sha256(token);
  let isOpen = loopback && token === undefined;
  return (incoming, asked) => {
    // Once there was a token, revoking the last one opens nothing.
    if (isOpen && (tokens?.count() ?? 0) > 0) isOpen = false;
    if (isOpen || asked === "public") return null;
    const text = /^bearer +([\x21-\x7e]+)$/i.exec(incoming.headers.authorization ?? "")?.[1];
    const granted = text === undefined ? undefined : scopeOf(text, wanted, tokens);
    if (granted === undefined) return noToken();
    return SCOPES.indexOf(granted) >= SCOPES.indexOf(asked) ? null : tooLittle(granted, asked);
  };
}

/** Hashed first, so that the comparison takes the same time whatever the length. */
function scopeOf(
  text: string,
  wanted: Buffer | undefined,
  tokens: TokenOptions["tokens"],
): Scope | undefined {
  if (wanted !== undefined && timingSafeEqual(sha256(text), wanted)) return "admin";
  return tokens?.find(text)?.scope;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The same words for no token and for a wrong one. */
function noToken(): Problem {
  return new Problem("unauthorized", "Send the server's token: `Authorization: Bearer TOKEN`.", {
    headers: { "www-authenticate": 'Bearer realm="flows"' },
  });
}

function tooLittle(granted: Scope, asked: Scope): Problem {
  const detail = `This needs a token with the scope ${asked}; yours has the scope ${granted}`;
  return new Problem("forbidden", `${detail}. Make one: \`flows token create --scope ${asked}\`.`, {
    headers: { "www-authenticate": `Bearer realm="flows", error="insufficient_scope"` },
  });
}

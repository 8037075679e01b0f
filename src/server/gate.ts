// What comes in at all: target, host and origin of each request are checked before any routing.

import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { Problem, quote } from "./problem.js";

export interface GateOptions {
  /** As it was asked for: `127.0.0.1`, `localhost`, `0.0.0.0`, a name. */
  host: string;
  port: number;
  loopback: boolean;
  /** Further names this server is reached by, as of a proxy; any port. */
  names?: readonly string[];
}

/** Null: come in. There is no path that is exempt, `/health` included. */
export type Gate = (incoming: IncomingMessage) => Problem | null;

/**
 * A web page must not reach the server: neither by a name that an attacker lets point here (the
 * `Host` is then foreign), nor by a form or a script of another origin.
 */
export function makeGate(options: GateOptions): Gate {
  const isOurs = hostCheck(options);
  return (incoming) =>
    checkTarget(incoming) ?? checkHost(incoming, isOurs) ?? checkOrigin(incoming);
}

/** Only a path: an absolute target (`GET http://…`) would bring a second host along. */
function checkTarget(incoming: IncomingMessage): Problem | null {
  if (incoming.url?.startsWith("/")) return null;
  const detail = `The request's target ${quote(incoming.url ?? "")} is no path`;
  return new Problem("bad_request", `${detail}: it must begin with /.`);
}

function checkHost(incoming: IncomingMessage, isOurs: (host: string) => boolean): Problem | null {
  const host = incoming.headers.host;
  if (host === undefined || host === "" || countOf(incoming.rawHeaders, "host") > 1) {
    return new Problem("bad_request", "The request needs one Host header.");
  }
  if (isOurs(host)) return null;
  const detail = `This server is not ${quote(host)}: use the address it names at its start`;
  return new Problem("wrong_host", `${detail}.`);
}

function countOf(rawHeaders: string[], name: string): number {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const raw = rawHeaders[i];
    if (raw?.length === name.length && raw.toLowerCase() === name) count++;
  }
  return count;
}

/**
 * On loopback exactly our names with our port. Elsewhere a token is needed anyway, and a port may
 * be mapped: any port, but the host must be an address (which no DNS can turn) or a known name.
 */
function hostCheck({ host, port, loopback, names = [] }: GateOptions): (host: string) => boolean {
  const known = new Set(["localhost", "127.0.0.1", "[::1]", bracketed(host), ...names].map(lower));
  if (loopback) {
    const exact = new Set([...known].map((name) => `${name}:${port}`));
    if (port === 80) for (const name of known) exact.add(name);
    return (given) =>
      exact.has(given) || exact.has(lower(given)) || isNamed(lower(given), names.map(lower));
  }
  return (given) => {
    const name = withoutPort(lower(given));
    return known.has(name) || isIP(name.replace(/^\[(.*)\]$/, "$1")) !== 0;
  };
}

function isNamed(given: string, names: string[]): boolean {
  return names.includes(withoutPort(given));
}

function withoutPort(host: string): string {
  return host.replace(/:\d{1,5}$/, "");
}

function lower(text: string): string {
  return text.toLowerCase();
}

export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

/**
 * A browser says where a request comes from. Our own pages are same-origin; an address typed by
 * hand is `none`; other programs send neither header.
 */
function checkOrigin(incoming: IncomingMessage): Problem | null {
  const { origin, host = "" } = incoming.headers;
  if (origin !== undefined) {
    const at = lower(origin);
    if (at !== `http://${lower(host)}` && at !== `https://${lower(host)}`) {
      const detail = `A page of ${quote(origin)} may not use this server`;
      return new Problem("foreign_origin", `${detail}: only its own pages may.`);
    }
  }
  const site = incoming.headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return null;
  const detail = "A page of another site may not use this server";
  return new Problem("foreign_origin", `${detail}: open its address by hand.`);
}

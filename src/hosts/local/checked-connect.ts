// The connections of requests: the literal address, every DNS answer and the connected peer are
// checked.

import { lookup as dnsLookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { buildConnector } from "undici";
import { CONNECT_TIMEOUT_MS } from "../../limits.js";
import { type EgressPolicy, type Lookup, refusal } from "./egress.js";

/**
 * For undici. The checks stand here, at the connection, since a check of the url alone is fooled by
 * redirects and by names whose answer changes, and a check of answers alone by literal addresses.
 */
export function createConnector(
  policy: EgressPolicy,
  lookup: Lookup = dnsLookup,
): buildConnector.connector {
  const connect = buildConnector({
    timeout: CONNECT_TIMEOUT_MS,
    lookup: checkedLookup(policy, lookup),
  } as buildConnector.BuildOptions);
  return (options, callback) => {
    const host = options.hostname;
    const refused = isIP(host) > 0 ? refusal(policy, host, host) : undefined;
    if (refused !== undefined) {
      callback(refused, null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      const wrongPeer = refusal(policy, host, socket.remoteAddress ?? "");
      if (wrongPeer === undefined) {
        callback(null, socket);
        return;
      }
      socket.destroy();
      callback(wrongPeer, null);
    });
  };
}

/** One bad answer refuses them all: which one is used would be up to chance. */
function checkedLookup(policy: EgressPolicy, lookup: Lookup): LookupFunction {
  return (name, options, callback) => {
    lookup(name, { ...options, all: true }, (error, answers) => {
      const refused = answers?.map(({ address }) => refusal(policy, name, address)).find(Boolean);
      const failure = error ?? refused ?? null;
      const first = answers?.[0];
      if (failure !== null || first === undefined) callback(failure ?? noAnswer(name), "", 0);
      else if (options.all === true) callback(null, answers);
      else callback(null, first.address, first.family);
    });
  };
}

function noAnswer(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`no address for ${name}`), { code: "ENOTFOUND" });
}

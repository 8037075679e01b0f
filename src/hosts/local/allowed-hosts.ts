// The hosts of --allow-host: what may be called though data chooses it, and no flow file names it.

export interface AllowedHost {
  /** As the URL parser writes it, without a dot at its end. */
  host: string;
  /** Absent: every port. */
  port?: number;
}

/** Of `HOST` or `HOST:PORT`; an IPv6 address is in brackets. Undefined: it is neither. */
export function parseAllowedHost(text: string): AllowedHost | undefined {
  const [, name = "", port] =
    /^(\[[0-9A-Fa-f:.]+\]|[^\s:/?#@\\[\]]+)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const address = `http://${name}/`;
  const number = Number(port ?? 1);
  if (name === "" || !URL.canParse(address) || number < 1 || number > 65_535) return undefined;
  const host = hostOf(new URL(address));
  if (!HOST.test(host)) return undefined;
  return { host, ...(port !== undefined && { port: number }) };
}

/** No `*`, which would stand for nothing, and no `,` between two: each has its own option. */
const HOST = /^(?:\[.*\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/;

/** A url that cannot be parsed is refused anyway, with a better sentence. */
export function isAllowed(url: string, allowed: readonly AllowedHost[]): boolean {
  if (!URL.canParse(url)) return true;
  const called = new URL(url);
  const host = hostOf(called);
  const port = Number(called.port || (called.protocol === "https:" ? 443 : 80));
  return allowed.some((each) => each.host === host && (each.port ?? port) === port);
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/\.$/, "");
}

// Where requests may go: how far an address reaches, and what the policy says of it.

import type { LookupAddress, LookupOptions } from "node:dns";
import { BlockList, isIP, isIPv4 } from "node:net";

export interface EgressPolicy {
  /** May a loopback or private address be called that stands in the url itself? */
  literal_private: boolean;
  /** Names that may lead to loopback and private addresses; lower case. */
  private_names: readonly string[];
}

/** What a workflow on a developer's machine needs, and no name on the internet can abuse. */
export const DEFAULT_EGRESS: EgressPolicy = { literal_private: true, private_names: ["localhost"] };

/** The part of `dns.lookup` that is used here; tests bring their own. */
export type Lookup = (
  name: string,
  options: LookupOptions & { all: true },
  callback: (error: NodeJS.ErrnoException | null, answers: LookupAddress[]) => void,
) => void;

/** The policy forbids the address; nothing was sent. */
export class EgressError extends Error {
  override name = "EgressError";
}

/** Why the policy forbids this address of the host; undefined: it does not. */
export function refusal(
  policy: EgressPolicy,
  host: string,
  address: string,
): EgressError | undefined {
  const reach = reachOf(address);
  const where = host === address ? host : `${host} (${address || "no address"})`;
  if (reach === "public") return undefined;
  if (reach === "forbidden") {
    return new EgressError(
      `${where} is a link-local, metadata, multicast or reserved address, ` +
        "which workflows may not call",
    );
  }
  if (isIP(host) > 0) {
    if (policy.literal_private) return undefined;
    return new EgressError(`${where} is a loopback or private address, which is not allowed here`);
  }
  if (policy.private_names.includes(host.toLowerCase().replace(/\.$/, ""))) return undefined;
  // Where no name may, an answer has named it, and listing it would not help.
  const listed = policy.private_names.length > 0 ? ", or start flows with --allow-host" : "";
  return new EgressError(
    `${where} is a name that leads to a loopback or private address: ` +
      `if that is meant, write the address itself in url${listed}`,
  );
}

/** Does it name, by itself, what is not out on the internet? */
export function isNear({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
  return isIP(host) > 0 ? reachOf(host) !== "public" : /(?:^|\.)localhost$/i.test(host);
}

export type Reach = "public" | "private" | "forbidden";

/** How far an address reaches; of an address that carries another one, the worse of both. */
export function reachOf(address: string): Reach {
  if (isIPv4(address)) return reachOf4(address);
  if (isIP(address) === 0) return "forbidden";
  const groups = groupsOf(address);
  const carried = carriedIPv4(groups);
  // A mapped address is the IPv4 address, in another spelling.
  if (carried !== undefined && groups.slice(0, 5).every((group) => group === 0)) {
    return reachOf4(carried);
  }
  if (FORBIDDEN.check(address, "ipv6")) return "forbidden";
  if (carried !== undefined && reachOf4(carried) !== "public") return "forbidden";
  return PRIVATE.check(address, "ipv6") ? "private" : "public";
}

function reachOf4(address: string): Reach {
  if (FORBIDDEN.check(address, "ipv4")) return "forbidden";
  return PRIVATE.check(address, "ipv4") ? "private" : "public";
}

/** The eight numbers of an IPv6 address. The URL parser knows every spelling and writes one. */
function groupsOf(address: string): number[] {
  const plain = new URL(`http://[${address.replace(/%.*$/, "")}]`).hostname.slice(1, -1);
  const [head = "", tail] = plain.split("::");
  const parse = (text: string) => (text === "" ? [] : text.split(":").map((g) => parseInt(g, 16)));
  const [before, after] = [parse(head), parse(tail ?? "")];
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  return [...before, ...Array<number>(zeros).fill(0), ...after];
}

/** The IPv4 address inside: mapped, compatible, NAT64 (in the last groups) or 6to4. */
function carriedIPv4(groups: number[]): string | undefined {
  const dotted = (high = 0, low = 0) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const [a, b, c, d, e, f, g, h] = groups;
  if (a === 0x2002) return dotted(b, c);
  const isNat64 = a === 0x64 && b === 0xff9b;
  const isMapped = !a && !b && !c && !d && !e && (f === 0xffff || (f === 0 && g !== 0));
  return isNat64 || isMapped ? dotted(g, h) : undefined;
}

const FORBIDDEN = blockList([
  "0.0.0.0/8", // "this host": Linux connects it to loopback, unseen
  "169.254.0.0/16", // link-local, and the metadata services of most clouds
  "100.100.100.200/32", // metadata of Alibaba
  "168.63.129.16/32", // metadata of Azure
  "192.0.0.192/32", // metadata of Oracle
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, and broadcast
  "::/128",
  "fe80::/10", // link-local
  "fd00:ec2::254/128", // metadata of Amazon
  "fd20:ce::254/128", // metadata of Google
  "ff00::/8", // multicast
  "2001::/32", // Teredo: a tunnel to an address that is not seen here
]);

const PRIVATE = blockList([
  "10.0.0.0/8",
  "100.64.0.0/10", // shared by a provider's customers
  "127.0.0.0/8",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15", // for benchmarks inside a network
  "::1/128",
  "fc00::/7",
  "fec0::/10", // site-local, as it was
]);

function blockList(subnets: string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = "", prefix] = subnet.split("/");
    list.addSubnet(net, Number(prefix), isIPv4(net) ? "ipv4" : "ipv6");
  }
  return list;
}

// How many requests one client may make: a bucket of requests that fills up again with time.

import { isIPv6 } from "node:net";
import { MAX_BURST, MAX_RATED_CLIENTS, MAX_REQUESTS_PER_SECOND } from "../limits.js";

export interface RateOptions {
  per_second: number;
  burst: number;
}

export const RATE: RateOptions = { per_second: MAX_REQUESTS_PER_SECOND, burst: MAX_BURST };

/**
 * A counter in memory is all there is to it: one process answers, so nothing is shared. False: the
 * client has to wait. `now` is in ms.
 */
export class Rate {
  /** Least recently seen first. */
  readonly #buckets = new Map<string, { level: number; at: number }>();

  constructor(readonly options: RateOptions) {}

  take(client: string, now: number): boolean {
    const { per_second, burst } = this.options;
    const key = clientOf(client);
    const bucket = this.#buckets.get(key) ?? { level: burst, at: now };
    const gained = (Math.max(now - bucket.at, 0) * per_second) / 1_000;
    const level = Math.min(burst, bucket.level + gained);
    this.#buckets.delete(key);
    this.#buckets.set(key, { level: level < 1 ? level : level - 1, at: now });
    if (this.#buckets.size > MAX_RATED_CLIENTS) this.#forget();
    return level >= 1;
  }

  #forget(): void {
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}

/** One host has all addresses of an IPv6 network of 64 bits. */
function clientOf(address: string): string {
  if (!isIPv6(address) || address.startsWith("::ffff:")) return address;
  const [head = "", tail = ""] = address.split("::");
  const before = head.split(":").filter(Boolean);
  const after = tail.split(":").filter(Boolean);
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0");
  return [...before, ...zeros, ...after].slice(0, 4).join(":");
}

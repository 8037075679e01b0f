// How a command reaches a host: the store's owner over HTTP, or the store itself if nobody owns it.

import { setTimeout as sleep } from "node:timers/promises";
import type { Host } from "../engine/runner.js";
import { openTokens } from "../hosts/local/index.js";
import { OWNER_WAIT_MS } from "../limits.js";
import { isLocked, lockedError, openHost } from "./host.js";
import { isAnswering, unreachable } from "./http.js";
import { createLog, silentLog } from "./log.js";
import { type Common, tokenFromEnvironment } from "./options.js";
import { connect } from "./remote.js";
import { packageVersion } from "./version.js";

export interface Reached {
  host: Host;
  /** This process owns the store: it has to see that runs go on, and to close it. */
  owned: boolean;
  close(): Promise<void>;
}

export interface ReachOptions {
  /** `look`: takes the store for a moment, drives no run. `run`: drives, and lets others in. */
  for: "look" | "run";
}

/**
 * The lock decides, not the address in its file, which outlives its owner. A store that is
 * changing hands is asked again until OWNER_WAIT_MS are over.
 */
async function reach(common: Common, options: ReachOptions): Promise<Reached> {
  const deadline = Date.now() + OWNER_WAIT_MS;
  for (;;) {
    try {
      return await own(common, options);
    } catch (error) {
      if (!isLocked(error)) throw error;
      const url = error.owner?.url;
      if (url !== undefined && (await isAnswering(url))) return remote(url);
      if (Date.now() > deadline) throw url ? unreachable(url) : lockedError(common.store);
    }
    await sleep(100);
  }
}

/** Does something with the host, and lets it go whatever happens. */
export async function withHost<T>(
  common: Common,
  options: ReachOptions,
  use: (reached: Reached) => Promise<T>,
): Promise<T> {
  const reached = await reach(common, options);
  try {
    return await use(reached);
  } finally {
    await reached.close();
  }
}

function remote(url: string): Reached {
  const host = connect(url, tokenFromEnvironment());
  return { host, owned: false, close: () => host.close() };
}

async function own(common: Common, options: ReachOptions): Promise<Reached> {
  const drive = options.for === "run";
  const log = drive ? await createLog(common.output, "warn") : silentLog();
  const host = await openHost(common, { watch: false, drive, log });
  if (!drive) return { host, owned: true, close: () => host.close() };
  try {
    const { startServer } = await import("../server/server.js");
    const token = tokenFromEnvironment();
    const server = await startServer(host, {
      host: "127.0.0.1",
      port: 0,
      ...(token !== undefined && { token }),
      tokens: openTokens(common.store),
      version: packageVersion(),
      log,
    });
    host.setAddress(server.url);
    const close = async () => {
      await server.close();
      await host.close();
    };
    return { host, owned: true, close };
  } catch (error) {
    await host.close();
    throw error;
  }
}

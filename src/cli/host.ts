// Opens the local host for a command, and says so loudly when it cannot go on.

import {
  type LocalHost,
  openLocalHost,
  openSecrets,
  SecretError,
  type Secrets,
  StoreError,
} from "../hosts/local/index.js";
import { allowedHosts } from "./allowed-hosts.js";
import { CliError, EXIT } from "./exit.js";
import type { Log } from "./log.js";
import { type Common, usage } from "./options.js";
import { protectOutput } from "./output.js";
import { packageVersion } from "./version.js";

export interface HostOptions {
  watch: boolean;
  drive: boolean;
  /** Which finished runs are kept; absent: all of them. */
  retention?: { days?: number; runs?: number };
  triggers?: boolean;
  log: Log;
}

/** Those of the environment and of `--secrets`; from now on, nothing that is written shows one. */
function secretsOf({ secrets: folder }: Common): Secrets {
  try {
    const secrets = openSecrets({
      environment: process.env,
      ...(folder !== undefined && { folder }),
    });
    protectOutput(secrets.redactText);
    return secrets;
  } catch (error) {
    throw error instanceof SecretError ? usage(error.message) : error;
  }
}

/** Rejects with a StoreError; `isLocked` knows the one that another owner causes. */
export async function openHost(common: Common, options: HostOptions): Promise<LocalHost> {
  const { flows, store, output } = common;
  return openLocalHost({
    flows,
    store,
    allow_shell: common.allowShell,
    allowed_hosts: allowedHosts(common),
    secrets: secretsOf(common),
    version: packageVersion(),
    ...options,
    onFailure: (error) => {
      // What was acknowledged is safe, and the next start recovers it; going on would be a lie.
      output.say(`${output.talkColors.red("flows:")} ${error.message}`);
      process.exit(EXIT.failed);
    },
  });
}

export function isLocked(error: unknown): error is StoreError {
  return error instanceof StoreError && error.kind === "locked";
}

export function lockedError(store: string): CliError {
  return new CliError(
    EXIT.unreachable,
    `The store ${store} is locked by another process that gives no address to talk to.`,
    "wait until it ends, or use another store with --store DIR",
  );
}

// The local host's public face: what the doors may use of it. What is large is loaded at first use.

import { resolve } from "node:path";
import type { Examined } from "./doctor.js";
import type { LocalHost, LocalHostOptions } from "./host.js";
import { takeLock } from "./lock.js";

export { type AllowedHost, parseAllowedHost } from "./allowed-hosts.js";
export type { Examined } from "./doctor.js";
export type { Finding } from "./doctor-finding.js";
export { decodeFlowText, isTestFile, readFlowFile, readFlowFiles } from "./flow-folder.js";
export type { LocalHost } from "./host.js";
export { readOwner } from "./lock.js";
export { saveText } from "./save-text.js";
export { openSecrets, SecretError, type Secrets } from "./secrets.js";
export { StoreError } from "./store-error.js";
export {
  createToken,
  isTokenName,
  listTokens,
  openTokens,
  revokeToken,
} from "./tokens.js";
export { connectorsFolder, loadConnectors } from "./user-connectors/load.js";

/** The store first: who finds it taken talks to its owner, and needs nothing of the rest. */
export async function openLocalHost(options: LocalHostOptions): Promise<LocalHost> {
  const lock = takeLock(resolve(options.store));
  const host = await import("./host.js");
  return host.openLocalHost(options, lock);
}

export async function examineStore(store: string, repair: boolean): Promise<Examined | undefined> {
  return (await import("./doctor.js")).examineStore(store, repair);
}

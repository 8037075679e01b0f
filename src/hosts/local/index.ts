// The local host's public face: what the doors may use of it.

export { type AllowedHost, parseAllowedHost } from "./allowed-hosts.js";
export { type Examined, examineStore } from "./doctor.js";
export type { Finding } from "./doctor-finding.js";
export { decodeFlowText, isTestFile, readFlowFile, readFlowFiles } from "./flow-folder.js";
export { type LocalHost, openLocalHost } from "./host.js";
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

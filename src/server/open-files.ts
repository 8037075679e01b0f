// How many connections the process can hold, by the files that the system lets it open.

import { CONNECTIONS_OF_FILES, MAX_CONNECTIONS } from "../limits.js";

/** Else clients could take the files that the store needs, and with them the server. */
export function mostConnections(): number {
  // Node has raised this limit as far as it may.
  const { userLimits } = process.report.getReport() as { userLimits?: UserLimits };
  const files = Number(userLimits?.open_files?.soft ?? Number.NaN);
  if (Number.isNaN(files)) return MAX_CONNECTIONS;
  return Math.min(MAX_CONNECTIONS, Math.floor(files * CONNECTIONS_OF_FILES));
}

interface UserLimits {
  open_files?: { soft: number | "unlimited" };
}

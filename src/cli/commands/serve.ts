// `flows serve`: takes the store, and serves it until a signal comes; a second one ends it at once.

import { openTokens, type StoreError } from "../../hosts/local/index.js";
import { MAX_RETENTION_DAYS, MAX_RETENTION_RUNS } from "../../limits.js";
import { ServerError, startServer } from "../../server/server.js";
import { CliError, EXIT, type ExitCode } from "../exit.js";
import { isLocked, lockedError, openHost } from "../host.js";
import { createLog } from "../log.js";
import {
  type Common,
  duration,
  type Options,
  tokenFromEnvironment,
  wholeNumber,
} from "../options.js";
import { packageVersion } from "../version.js";

export async function serve(common: Common, _: string[], options: Options): Promise<ExitCode> {
  const { output, flows, store } = common;
  const port = wholeNumber("--port", options.port as string, 0, 65_535);
  const token = (options.token as string | undefined) ?? tokenFromEnvironment();
  const shutdown_ms = duration("--shutdown-timeout", options.shutdownTimeout as string);
  const log = await createLog(output, "info");
  const stop = stopSignal();
  const uses = { watch: true, drive: true, triggers: true, retention: retentionOf(options), log };
  const host = await openHost(common, uses).catch((error) => {
    throw isLocked(error) ? taken(error, store) : error;
  });
  try {
    const server = await startServer(host, {
      host: options.host as string,
      port,
      ...(token !== undefined && { token }),
      tokens: openTokens(store),
      version: packageVersion(),
      log,
    }).catch((error) => {
      throw serverTrouble(error);
    });
    host.setAddress(server.url);
    if (output.json) output.value({ url: server.url });
    else output.result(server.url);
    log.info({ url: server.url, flows, store }, "serving");
    log.info({ signal: await stop }, "stopping: what is under way has time to end");
    await server.close();
    const left = await host.drain(shutdown_ms);
    if (left > 0) log.warn({ steps: left }, "steps are broken off: the next start repeats them");
  } finally {
    await host.close();
  }
  log.info({}, "stopped");
  return EXIT.done;
}

function retentionOf({ keepDays, keepRuns }: Options): { days?: number; runs?: number } {
  const days = keepDays as string | undefined;
  const runs = keepRuns as string | undefined;
  return {
    ...(days !== undefined && { days: wholeNumber("--keep-days", days, 0, MAX_RETENTION_DAYS) }),
    ...(runs !== undefined && { runs: wholeNumber("--keep-runs", runs, 0, MAX_RETENTION_RUNS) }),
  };
}

/** The first signal; from then on, the next one ends the process at once. */
function stopSignal(): Promise<string> {
  return new Promise((resolve) => {
    let signals = 0;
    const onSignal = (signal: string) => {
      signals += 1;
      if (signals > 1) process.exit(EXIT.interrupted);
      resolve(signal);
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  });
}

function taken(error: StoreError, store: string): CliError {
  const url = error.owner?.url;
  if (url === undefined) return lockedError(store);
  return new CliError(
    EXIT.unreachable,
    `The store ${store} is served already, at ${url}.`,
    "use that one, stop it, or serve another store with --store DIR",
  );
}

/** What was asked for with --host, --port or --token cannot be; the server's sentence says why. */
function serverTrouble(error: unknown): unknown {
  if (!(error instanceof ServerError)) return error;
  const wrongUsage = error.code !== "port_taken" && error.code !== "not_allowed";
  const hint = error.code === "port_taken" ? "--port 0 takes a free one" : undefined;
  return new CliError(wrongUsage ? EXIT.usage : EXIT.failed, error.message, hint);
}

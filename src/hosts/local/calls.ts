// Calls connectors for the engine's loop: one time-out, one outcome, and a way to stop.

import type { Connectors } from "../../connectors/index.js";
import type { Outcome } from "../../engine/command.js";
import { configMisfit } from "../../engine/misfit.js";
import {
  type Call,
  ConnectorError,
  type Io,
  type LoopPorts,
  type ProcessEnd,
  type ProcessRequest,
  type Written,
} from "../../engine/ports.js";
import type { Failure } from "../../engine/run.js";
import type { Json, JsonObject } from "../../flow/json.js";
import { ABORT_GRACE_MS, MAX_TIMER_MS } from "../../limits.js";
import { type AllowedHost, isAllowed } from "./allowed-hosts.js";
import { withSecrets } from "./fill-secrets.js";
import { openSecrets, SecretError } from "./secrets.js";
import { signer } from "./signer.js";
import { TimedOut } from "./timed-out.js";

type SecretOf = (name: string) => string;

/** What all calls share; the log is each call's own. */
export interface World {
  http: Io["http"];
  process?(request: ProcessRequest, log: Io["log"]): Promise<ProcessEnd>;
  /** What may be called though the flow file does not fix it. Absent: nothing. */
  allowed_hosts?: readonly AllowedHost[];
  /** A secret's value. Throws a SecretError; absent: there are none. */
  secretOf?: SecretOf;
}

/** Reports at most once, never before the call returns; nothing after it was stopped. */
export function createCalls(
  connectors: Connectors,
  world: World,
  write: (call: Call, entry: Written) => void = () => {},
): LoopPorts["call"] {
  const { secretOf = openSecrets({ environment: {} }).secretOf } = world;
  return (call, report) => {
    const abort = new AbortController();
    let ended = false;
    let grace: NodeJS.Timeout | undefined;
    const stopMs = connectors[call.type]?.stop_ms ?? ABORT_GRACE_MS;
    const timer = setTimeout(
      () => {
        abort.abort(new TimedOut(call.timeout_ms));
        // The connector knows best what it waited for. One that does not stop is not waited for.
        grace = setTimeout(() => end({ type: "failure", error: slow(call) }), stopMs);
      },
      Math.min(call.timeout_ms, MAX_TIMER_MS),
    );

    function end(outcome?: Outcome): void {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      clearTimeout(grace);
      if (outcome !== undefined) report(outcome);
    }

    const io = ioOf(world, call, (entry) => write(call, entry));
    void perform(connectors, call, { io, secretOf }, abort.signal).then(end);
    return () => {
      end();
      abort.abort(new Error("the step was cancelled"));
    };
  };
}

function ioOf({ http, process, allowed_hosts = [] }: World, call: Call, log: Io["log"]): Io {
  return {
    http: async (request) => {
      if (call.open_host && !isAllowed(request.url, allowed_hosts)) throw notListed(request.url);
      return http(request);
    },
    log,
    now: Date.now,
    signer,
    ...(process && { process: (request) => process(request, log) }),
  };
}

function notListed(url: string): ConnectorError {
  const { host } = new URL(url);
  const message =
    `${host} is chosen by data, and not by the flow file: write the host down in url, bound the ` +
    "value by an enum in context, or start flows with --allow-host HOST";
  return new ConnectorError({ kind: "egress", message });
}

async function perform(
  connectors: Connectors,
  call: Call,
  { io, secretOf }: { io: Io; secretOf: SecretOf },
  signal: AbortSignal,
): Promise<Outcome> {
  const connector = connectors[call.type];
  const run = connector?.run;
  if (run === undefined) {
    const message = `there is no connector for steps of type "${call.type}"`;
    return { type: "failure", error: { kind: "unknown_type", message } };
  }
  const unfit = configMisfit(connector?.config as unknown as JsonObject, call);
  if (unfit !== undefined) return { type: "failure", error: unfit };
  try {
    const output: Json | undefined = await run(withSecrets(call, secretOf), io, signal);
    return { type: "output", output: output ?? null };
  } catch (error) {
    return toFailure(call, error, signal.reason instanceof TimedOut);
  }
}

function toFailure(call: Call, error: unknown, isTimedOut: boolean): Outcome {
  if (error instanceof ConnectorError) {
    const { failure, retry_after_ms } = error;
    return {
      type: "failure",
      error: failure,
      ...(retry_after_ms !== undefined && { retry_after_ms }),
    };
  }
  if (error instanceof SecretError) {
    return { type: "failure", error: { kind: "secret", message: error.message } };
  }
  if (isTimedOut) return { type: "failure", error: slow(call) };
  const said = error instanceof Error ? error.message : String(error);
  const message = `the ${call.type} connector broke: ${said}`;
  return { type: "failure", error: { kind: "connector", message } };
}

function slow(call: Call): Failure {
  const message = `the ${call.type} step did not end within ${call.timeout_ms / 1_000} s`;
  return { kind: "timeout", message };
}

// What starts runs by itself, on the local host: times, deliveries, and ends of other runs.

import { isRefusal } from "../../engine/command.js";
import type { Run } from "../../engine/run.js";
import type { Hook as HookDoor, Runner, RunQuery, TriggerRequest } from "../../engine/runner.js";
import { Clockwork } from "../../triggers/clockwork.js";
import { signatureTrouble } from "../../triggers/signature.js";
import type { Served } from "../../triggers/start.js";
import { Successors } from "../../triggers/successors.js";
import { type Hook, hooksOf, webhookStart } from "../../triggers/webhook.js";
import type { Log } from "./log.js";
import type { Secrets } from "./secrets.js";
import { signer } from "./signer.js";
import type { Timers } from "./timers.js";
import type { TriggerMarks } from "./trigger-marks.js";

export interface TriggersOptions {
  marks: TriggerMarks;
  timers: Timers;
  secrets: Secrets;
  runner: Pick<Runner, "trigger" | "get" | "list">;
  /** What new runs get. */
  served: { all(): Iterable<Served> };
  log: Log;
}

export interface LocalTriggers {
  /** What is served may have changed. */
  follow(): void;
  /** A run has durably ended. */
  ended(run: Run): void;
  hook(path: string): HookDoor | undefined;
  stop(): void;
}

/** ms between looks at whether the clock was set back. */
const CLOCK_CHECK_MS = 60_000;

export function startTriggers(options: TriggersOptions): LocalTriggers {
  const { log, timers, runner, marks } = options;
  const now = Date.now;
  const start = (request: TriggerRequest) => runner.trigger(request);
  const wait = (until: number, due: () => void) => timers.wait(until, due);
  const tell = (workflow_id: string, message: string) => log.warn({ workflow_id }, message);
  const clockwork = new Clockwork({ now, wait, start, marks, tell });
  const check = setInterval(() => clockwork.checkClock(), CLOCK_CHECK_MS);
  check.unref();
  const get = (runId: string) => runner.get(runId);
  const list = (query: RunQuery) => runner.list(query);
  const successors = new Successors({ now, wait, start, marks, tell, get, list });
  let hooks = new Map<string, Hook>();
  const follow = () => {
    hooks = hooksOf(options.served.all());
    clockwork.follow(options.served.all());
    successors.follow(options.served.all());
  };
  follow();
  return {
    follow,
    ended: (run) => successors.ended(run),
    hook: (path) => {
      const hook = hooks.get(path);
      return hook && listening(hook, options);
    },
    stop: () => {
      clearInterval(check);
      clockwork.stop();
      successors.stop();
    },
  };
}

function listening(hook: Hook, { runner, secrets }: TriggersOptions): HookDoor {
  const { respond, signature } = hook.trigger;
  return {
    workflow_id: hook.served.workflow.id,
    respond,
    ...(signature && { scheme: signature.scheme }),
    check: (headers, body) => {
      if (signature === undefined) return undefined;
      const missing = secrets.missing(signature.secret);
      if (missing !== undefined) return { trouble: "no_secret", message: missing };
      const secret = secrets.secretOf(signature.secret);
      const message = signatureTrouble(signature, secret, { headers, body }, Date.now(), signer);
      return message === undefined ? undefined : { trouble: "unsigned", message };
    },
    deliver: async (delivery) => {
      const request = webhookStart(hook, delivery);
      return isRefusal(request) ? request : runner.trigger(request);
    },
  };
}

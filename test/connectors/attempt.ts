// One attempt of a step, through everything that stands between the engine and the network.

import { onTestFinished } from "vitest";
import { connectors } from "../../src/connectors/index.js";
import type { Outcome } from "../../src/engine/command.js";
import type { Call } from "../../src/engine/ports.js";
import { createCalls } from "../../src/hosts/local/calls.js";
import { createIo } from "../../src/hosts/local/io.js";

/** Its secrets, if it has any, are all `hidden`. */
export function attempt(
  type: string,
  config: Call["config"],
  change: Partial<Call> = {},
): Promise<Outcome> {
  const io = createIo();
  onTestFinished(() => io.close());
  const call: Call = {
    run_id: "run_1",
    workflow_id: "flow",
    step_id: "ask",
    type,
    idempotency_key: "run_1/ask#0",
    attempt: 1,
    config,
    secrets: [],
    context: {},
    timeout_ms: 30_000,
    ...change,
  };
  const world = { ...io, secretOf: () => "hidden" };
  return new Promise((resolve) => createCalls(connectors, world)(call, resolve));
}

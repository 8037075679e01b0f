// A local host in this process, on a store and flow files of its own: no server, no network.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLocalHost } from "../../dist/hosts/local/host.js";

/** Flows of steps that only wait, so that nothing outside is measured. */
const FLOWS = {
  two_steps: [nap("one", 0), nap("two", 0)],
  sleeper: [nap("one", 86_400)],
};

function nap(id, seconds) {
  return { id, type: "delay", config: { seconds } };
}

export function openHost(folder, options = {}) {
  const flows = join(folder, "flows");
  mkdirSync(flows, { recursive: true });
  for (const [id, steps] of Object.entries(FLOWS)) {
    writeFileSync(join(flows, `${id}.yaml`), JSON.stringify({ id, steps }));
  }
  return openLocalHost({
    flows,
    store: join(folder, "store"),
    watch: false,
    version: "0.0.0",
    log: { info() {}, warn: console.error, error: console.error },
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
}

/** Starts a run; answers its id once that is durable. */
export async function start(host, workflow_id, context = { invoice: 42 }) {
  const { run_id, message } = await host.runner.trigger({ workflow_id, context });
  if (run_id === undefined) throw new Error(message);
  return run_id;
}

/** Never aborted: who stops waiting is no part of what is measured. */
const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };

/** Starts a run, and waits for its end. */
export async function perform(host, workflow_id) {
  const run = await host.runner.ended(await start(host, workflow_id), signal);
  if (run.status !== "completed") throw new Error(`${run.id} is ${run.status}`);
}

/** `width` at a time, `count` in all: how many a second. */
export async function ratePerSecond(width, count, act) {
  let begun = 0;
  const lane = async () => {
    while (begun < count) await act(begun++);
  };
  const from = performance.now();
  await Promise.all(Array.from({ length: width }, lane));
  return (count * 1_000) / (performance.now() - from);
}

// Do large runs take time in proportion to their size? Each at a quarter of its size, and whole, on
// the local host with its journal and its documents. The floor is four times the quarter.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openLocalHost } from "../../dist/hosts/local/index.js";
import { inTemporaryFolder, row } from "./measure.mjs";

const ROUNDS = 3;
const NO_LOG = { debug() {}, info() {}, warn: console.error, error: console.error };

const FOREACH = `id: linear
max_steps: 100000
steps:
  - { id: first, type: set, config: { values: { factor: 2 } } }
  - id: each
    type: foreach
    config:
      items: "\${{ context.items }}"
      as: item
      max_parallel: 100
      steps:
        - id: name
          type: set
          config: { values: { n: "\${{ item * steps.first.output.factor }}" } }
        - { id: rest, type: delay, config: { seconds: 0 } }
      collect: "\${{ steps.name.output.n }}"
`;

const loop = (passes) => `id: linear
max_steps: 1000000
steps:
  - { id: poll, type: delay, config: { seconds: 0 } }
  - id: again
    type: branch
    config:
      cases: [{ when: "steps.poll.iteration < ${passes - 1}", next_step_id: poll }]
      otherwise: null
`;

const chain = (count) => `id: linear
steps:
  - { id: s0, type: set, config: { values: { n: 0 } } }
${Array.from({ length: count - 1 }, (_, i) => link(i + 1)).join("")}`;

const link = (i) => `  - id: s${i}
    type: set
    config: { values: { n: "\${{ steps.s${i - 1}.output.n + 1 }}" } }
`;

const LARGE = [
  { name: "a foreach of 10,000 items, 100 at a time", size: 10_000, file: () => FOREACH },
  { name: "a loop of 10,000 passes", size: 10_000, file: loop },
  { name: "a chain of 1,000 sets", size: 1_000, file: chain },
];

export async function linear() {
  const rows = [];
  for (const { name, size, file } of LARGE) {
    const [wholes, quarters] = [[], []];
    // The first round warms up what is compiled while it runs.
    for (let round = 0; round <= ROUNDS; round++) {
      const quarter = await timeOf(file(size / 4), size / 4);
      const whole = await timeOf(file(size), size);
      if (round === 0) continue;
      quarters.push(4 * quarter);
      wholes.push(whole);
    }
    rows.push(row(name, wholes, "ms", "4 x a quarter of it", quarters, "<= 1.5"));
  }
  return rows;
}

/** ms from the trigger to the end of the run. */
function timeOf(file, size) {
  return inTemporaryFolder(async (folder) => {
    const flows = join(folder, "flows");
    mkdirSync(flows);
    writeFileSync(join(flows, "linear.yaml"), file);
    const host = await openLocalHost({
      flows,
      store: join(folder, "store"),
      watch: false,
      version: "bench",
      log: NO_LOG,
      onFailure: (error) => {
        throw error;
      },
    });
    const items = Array.from({ length: size }, (_, i) => i);
    const from = performance.now();
    const { run_id } = await host.runner.trigger({ workflow_id: "linear", context: { items } });
    const never = new AbortController().signal;
    for await (const { run } of await host.runner.watch(run_id, undefined, never)) {
      if (run.error) throw new Error(run.error.message);
    }
    const ms = performance.now() - from;
    await host.close();
    return ms;
  });
}

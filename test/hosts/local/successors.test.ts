// Workflow triggers on a real store: each end of a run starts its successors once, crash or not.

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { isRefusal } from "../../../src/engine/command.js";
import type { Run } from "../../../src/engine/run.js";
import { type LocalHost, openLocalHost } from "../../../src/hosts/local/host.js";

const FIRST = `id: first
context: { type: object, properties: { fails: { type: boolean, default: false } } }
steps:
  - { id: one, type: fail, if: context.fails, config: { message: broken } }
outputs: { total: 12 }
`;

const AFTER = `id: after
triggers:
  - type: workflow
    workflow_id: first
    context: { total: "\${{ trigger.outputs.total }}", of: "\${{ trigger.run_id }}" }
  - type: workflow
    workflow_id: first
    on: [failed, cancelled]
    context: { why: "\${{ trigger.error.message }}", status: "\${{ trigger.status }}" }
steps:
  - { id: one, type: set, config: { values: { from: "\${{ trigger.run_id }}" } } }
`;

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "flows-after-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(dir, "flows"));
  await writeFile(join(dir, "flows", "first.yaml"), FIRST);
  await writeFile(join(dir, "flows", "after.yaml"), AFTER);
  return dir;
}

function open(dir: string, triggers = true): Promise<LocalHost> {
  const log = { info() {}, warn() {}, error() {} };
  const onFailure = (error: Error) => {
    throw error;
  };
  const folders = { flows: join(dir, "flows"), store: join(dir, "store") };
  return openLocalHost({ ...folders, watch: false, triggers, version: "0", log, onFailure });
}

async function first(host: LocalHost, fails = false): Promise<string> {
  const answer = await host.runner.trigger({ workflow_id: "first", context: { fails } });
  if (isRefusal(answer)) throw new Error(answer.message);
  return answer.run_id;
}

/** The runs of the successor, oldest first, once there are so many and they have ended. */
async function followers(host: LocalHost, count: number): Promise<Run[]> {
  for (;;) {
    const { runs } = await host.runner.list({ workflow_id: "after", limit: 50 });
    if (runs.length >= count && runs.every(({ finished_at }) => finished_at !== null)) {
      const found = await Promise.all(runs.reverse().map(({ id }) => host.runner.get(id)));
      return found.flatMap((run) => run ?? []);
    }
    await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}

test("given runs that end, then each starts the trigger that waits for such an end", async () => {
  const host = await open(await folder());
  const done = await first(host);
  const [one] = await followers(host, 1);
  expect(one).toMatchObject({
    status: "completed",
    context: { total: 12, of: done },
    trigger: {
      type: "workflow",
      workflow_id: "first",
      run_id: done,
      status: "completed",
      depth: 1,
    },
    steps: { one: { output: { from: done } } },
  });
  await first(host, true);
  const [, two] = await followers(host, 2);
  expect(two?.context).toEqual({ why: "broken", status: "failed" });
  await host.close();
});

test("given an end that nobody saw, as in a crash, then the next start sees it once", async () => {
  const dir = await folder();
  await (await open(dir)).close();
  const marks = join(dir, "store", "triggers.json");
  const before = await readFile(marks, "utf8");
  const blind = await open(dir, false);
  const done = await first(blind);
  while ((await blind.runner.get(done))?.finished_at === null) await pause();
  await blind.close();
  for (let life = 0; life < 2; life++) {
    const host = await open(dir);
    const runs = await followers(host, 1);
    expect(runs.map(({ context }) => context)).toEqual([{ total: 12, of: done }]);
    await host.close();
    // As if it had been killed before it could mark what it had started.
    await writeFile(marks, before);
  }
});

test("given a run that is retried and fails again, then its second end counts too", async () => {
  const host = await open(await folder());
  const failed = await first(host, true);
  await followers(host, 1);
  await host.runner.retry(failed);
  const runs = await followers(host, 2);
  expect(runs.map(({ trigger }) => trigger.run_id)).toEqual([failed, failed]);
  await host.close();
});

// Flow files saved ten thousand times, and a thousand switched at once: what is served afterwards
// is what the files say, and the memory is given back.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, onTestFinished, test } from "vitest";
import { isRefusal } from "../../../src/engine/command.js";
import { type LocalHost, openLocalHost } from "../../../src/hosts/local/host.js";
import { MAX_FLOW_FILES } from "../../../src/limits.js";
import { createKit, eventually, flow, quiet, secondsOf } from "./sync-kit.js";

/** Times as many: `npm run soak` asks for more. */
const SOAK = Number(process.env.SOAK ?? 1);
const SLOW = { timeout: 600_000 * SOAK };
const SAVES = 10_000 * SOAK;
const FILES = 40;
/** Saves between two breaths: some come while the files are being read. */
const BURST = 500;
const FLOWS = 1_000;
const SWITCHES = SOAK;
/** Bytes that caches and the test's own notes may keep. */
const KEPT_BYTES = 24 * 1024 * 1024;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

test("given 10 000 saves in bursts, then each file's last one is served", SLOW, async () => {
  const kit = createKit();
  const last = new Map<string, number>();
  const save = (n: number): void => {
    const id = `flow_${(n * 7) % FILES}`;
    // Now and then a text that is broken, which the next save of the file mends.
    const isBroken = n % 23 === 0 && n < SAVES - 10 * FILES;
    kit.write(`${id}.yaml`, isBroken ? `id: ${id}\nsteps: [` : flow(id, n));
    if (!isBroken) last.set(id, n);
  };
  for (let n = 0; n < FILES; n += 1) save(n + 1);
  const workflows = await kit.open();
  const before = await heap();
  for (let n = 1; n <= SAVES; n += 1) {
    save(n);
    if (n % BURST === 0) await sleep(n % (4 * BURST) === 0 ? 150 : 20);
  }
  await eventually(() => [...last].every(([id, n]) => secondsOf(workflows, id) === n));
  expect(await workflows.list()).toHaveLength(FILES);
  for (const entry of await workflows.list()) expect(entry).toMatchObject({ valid: true });
  // The test's kit remembers every version that was saved; the program does not.
  kit.saved.clear();
  kit.logged.length = 0;
  expect((await heap()) - before).toBeLessThan(KEPT_BYTES);
});

test("given a full folder, when one more flow is saved, then it is named", SLOW, async () => {
  const kit = createKit();
  for (let n = 0; n < MAX_FLOW_FILES; n += 1) kit.write(`${n}.yaml`, "");
  const workflows = await kit.open();
  await quiet();
  kit.write("z.yaml", flow("z"));
  const kindsOf = async (file: string): Promise<string[] | undefined> => {
    const entry = (await workflows.list()).find((one) => one.file === file);
    return entry?.diagnostics.map(({ kind }) => kind);
  };
  await eventually(async () => (await kindsOf("z.yaml")) !== undefined);
  expect([await kindsOf("z.yaml"), workflows.current("z")]).toEqual([["size"], undefined]);
  kit.remove("7.yaml");
  await eventually(() => workflows.current("z") !== undefined);
  expect(await kindsOf("z.yaml")).toEqual([]);
});

test("given 1 000 flows, when git switches branches, then all are served right", SLOW, async () => {
  const repo = makeRepo();
  const host = await open(repo);
  const seconds = (id: string): unknown => servedSeconds(host, id);
  expect([seconds("flow_1"), seconds("flow_999")]).toEqual([1, 1]);
  const load = startLoad(host);
  // Each branch once, so that what is kept of both is there already.
  await checkOut(repo, host, "other");
  await checkOut(repo, host, "main");
  const before = await heap();
  for (let n = 0; n < SWITCHES; n += 1) {
    await checkOut(repo, host, "other");
    await checkOut(repo, host, "main");
  }
  const { triggered, refused } = await load.stop();
  expect((await heap()) - before).toBeLessThan(KEPT_BYTES);
  expect(refused).toEqual([]);
  expect(triggered).toBeGreaterThan(10);
  await host.workflows.sync();
  const served = await host.workflows.list();
  expect(served.filter(({ valid }) => valid)).toHaveLength(FLOWS);
});

/** Of objects, after all garbage is gone. */
async function heap(): Promise<number> {
  for (let n = 0; n < 3; n += 1) {
    collect();
    await sleep(20);
  }
  return process.memoryUsage().heapUsed;
}

/** Branch main has 1 000 flows; the other has changed all, lacks some, and has some new ones. */
function makeRepo(): string {
  const repo = mkdtempSync(join(tmpdir(), "branches-"));
  onTestFinished(() => rmSync(repo, { recursive: true, force: true, maxRetries: 5 }));
  const git = (...args: string[]): void => runGit(repo, ...args);
  const write = (id: string, seconds: number): void =>
    writeFileSync(join(repo, "flows", `${id}.yaml`), flow(id, seconds));
  mkdirSync(join(repo, "flows"));
  git("init", "-q", "-b", "main");
  for (let n = 0; n < FLOWS; n += 1) write(`flow_${n}`, 1);
  writeFileSync(join(repo, "flows", "steady.md"), "main");
  git("add", "-A");
  git("commit", "-qm", "main");
  git("checkout", "-qb", "other");
  for (let n = 0; n < FLOWS; n += 1) write(`flow_${n}`, 2);
  for (let n = 900; n < FLOWS; n += 1) rmSync(join(repo, "flows", `flow_${n}.yaml`));
  for (let n = 0; n < 100; n += 1) write(`new_${n}`, 2);
  writeFileSync(join(repo, "flows", "steady.md"), "other");
  git("add", "-A");
  git("commit", "-qm", "other");
  git("checkout", "-q", "main");
  return repo;
}

function runGit(repo: string, ...args: string[]): void {
  const settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "gc.auto=0"];
  const { status, stderr } = spawnSync("git", ["-C", repo, ...settings, ...args]);
  if (status !== 0) throw new Error(String(stderr));
}

async function open(repo: string): Promise<LocalHost> {
  const nothing = (): void => {};
  const host = await openLocalHost({
    flows: join(repo, "flows"),
    store: join(repo, "store"),
    watch: true,
    version: "0.0.0",
    log: { info: nothing, warn: nothing, error: nothing },
    onFailure: (error) => {
      throw error;
    },
  });
  onTestFinished(() => host.close());
  return host;
}

/** Triggers one flow after the other that both branches have, and waits for none. */
function startLoad(host: LocalHost) {
  let isOver = false;
  let triggered = 0;
  const refused: unknown[] = [];
  const loading = (async () => {
    while (!isOver) {
      const request = { workflow_id: `flow_${triggered % 900}`, context: {} };
      const answer = await host.runner.trigger(request);
      if (isRefusal(answer)) refused.push(answer);
      else triggered += 1;
      await sleep(5);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await loading;
      return { triggered, refused };
    },
  };
}

async function checkOut(repo: string, host: LocalHost, branch: "main" | "other"): Promise<void> {
  runGit(repo, "checkout", "-q", branch);
  expect(readFileSync(join(repo, "flows", "steady.md"), "utf8")).toBe(branch);
  const wanted = branch === "main" ? 1 : 2;
  const isRight = (id: string, is: number | undefined): boolean => servedSeconds(host, id) === is;
  await eventually(() => {
    for (let n = 0; n < 900; n += 1) if (!isRight(`flow_${n}`, wanted)) return false;
    for (let n = 900; n < FLOWS; n += 1) {
      if (!isRight(`flow_${n}`, branch === "main" ? 1 : undefined)) return false;
    }
    for (let n = 0; n < 100; n += 1) {
      if (!isRight(`new_${n}`, branch === "main" ? undefined : 2)) return false;
    }
    return true;
  });
}

function servedSeconds(host: LocalHost, id: string): unknown {
  const current = (host.workflows as unknown as Served).current(id);
  return current?.workflow.steps[0]?.config.seconds;
}

interface Served {
  current(id: string): { workflow: { steps: { config: { seconds: unknown } }[] } } | undefined;
}

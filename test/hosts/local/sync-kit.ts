// For the tests of the sync: a folder of real flow files, a store, and what is served of them.

import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { onTestFinished } from "vitest";
import { catalog } from "../../../src/connectors/index.js";
import type { ServedWorkflow } from "../../../src/engine/runner.js";
import { canonicalJson } from "../../../src/flow/canonical.js";
import type { Json } from "../../../src/flow/json.js";
import type { Workflow } from "../../../src/flow/workflow.js";
import { type LocalWorkflows, openWorkflows } from "../../../src/hosts/local/sync.js";

export interface Kit {
  flows: string;
  store: string;
  /** By version: everything that was ever saved. */
  saved: Map<string, Workflow>;
  /** What was logged, as `<level> <message>`. */
  logged: string[];
  write(file: string, text: string): void;
  remove(file: string): void;
  open(options?: Partial<Parameters<typeof openWorkflows>[0]>): Promise<LocalWorkflows>;
  /** The ids that have a document in the store. */
  documents(): string[];
  document(id: string): Json;
}

export function createKit(files: { [file: string]: string } = {}): Kit {
  const dir = mkdtempSync(join(tmpdir(), "sync-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const flows = join(dir, "flows");
  const store = join(dir, "store");
  mkdirSync(flows);
  mkdirSync(store);
  const saved = new Map<string, Workflow>();
  const logged: string[] = [];
  const say = (level: string) => (_fields: object, message: string) => {
    logged.push(`${level} ${message}`);
  };
  const kit: Kit = {
    flows,
    store,
    saved,
    logged,
    write(file, text) {
      mkdirSync(dirname(join(flows, file)), { recursive: true });
      writeFileSync(join(flows, file), text);
    },
    remove: (file) => rmSync(join(flows, file), { recursive: true }),
    async open(options = {}) {
      const workflows = await openWorkflows({
        flows,
        store,
        watch: true,
        catalog,
        saveVersion: async (version, workflow) => {
          saved.set(version, workflow);
        },
        log: { info: say("info"), warn: say("warn"), error: say("error") },
        ...options,
      });
      onTestFinished(() => workflows.close());
      return workflows;
    },
    documents: () =>
      readdirSync(join(store, "workflows"))
        .filter((name) => name.endsWith(".json"))
        .map((name) => name.replace(/\.json$/, ""))
        .sort(),
    document: (id) => JSON.parse(readFileSync(join(store, "workflows", `${id}.json`), "utf8")),
  };
  for (const [file, text] of Object.entries(files)) kit.write(file, text);
  return kit;
}

/** A workflow whose version is told by its seconds. */
export function flow(id: string, seconds = 1): string {
  return `id: ${id}
name: The ${id}
steps:
  - { id: one, type: delay, config: { seconds: ${seconds} }, next_step_id: null }
`;
}

/** The seconds of what new runs get; undefined where they get nothing. */
export function secondsOf(workflows: LocalWorkflows, id: string): Json | undefined {
  return workflows.current(id)?.workflow.steps[0]?.config.seconds;
}

/** Waits as long as a slow machine may need; what is waited for has to come true. */
export async function eventually(check: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 40_000;
  while (!(await check())) {
    if (performance.now() > end) throw new Error(`never became true: ${check}`);
    await sleep(10);
  }
}

/** Long enough for each look that is due to be over. */
export async function quiet(): Promise<void> {
  await sleep(1_500);
}

export async function entryOf(workflows: LocalWorkflows, id: string): Promise<ServedWorkflow> {
  const entry = await workflows.get(id);
  if (entry === undefined) throw new Error(`there is no ${id}`);
  return entry;
}

export function hashOf(workflow: Workflow): string {
  const text = canonicalJson(workflow as unknown as Json);
  return createHash("sha256").update(text).digest("hex");
}

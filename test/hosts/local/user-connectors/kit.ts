// A folder of connectors, and calls of them as the engine's loop makes them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Outcome } from "../../../../src/engine/command.js";
import type { Call, Written } from "../../../../src/engine/ports.js";
import { createCalls } from "../../../../src/hosts/local/calls.js";
import { fileNamed, loadConnectors } from "../../../../src/hosts/local/user-connectors/load.js";

/** Files by their names in `connectors/`. */
export function folderOf(files: { [file: string]: string }): string {
  const above = mkdtempSync(join(tmpdir(), "flows-own-"));
  onTestFinished(() => rmSync(above, { recursive: true, force: true }));
  const folder = join(above, "connectors");
  mkdirSync(folder);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
  return folder;
}

/** The text of a connector of this type; `run` is a function's text. */
export function connector(run: string, more = ""): string {
  return `import { defineConnector } from "mini-zaps";
export const it = defineConnector({ type: "own", config: { type: "object" }, ${more} run: ${run} });
`;
}

export async function load(files: { [file: string]: string }) {
  const folder = folderOf(files);
  const loaded = await loadConnectors(folder, fileNamed(folder));
  onTestFinished(async () => {
    await Promise.all(loaded.found.map(({ crew }) => crew.close()));
  });
  const { diagnostics } = loaded;
  const said = diagnostics.map(({ file, line, column, message }) => {
    return `${file}:${line}:${column}: ${message}`;
  });
  return { ...loaded, folder, said };
}

export async function start(run: string, more = "") {
  const loaded = await load({ "own.ts": connector(run, more) });
  const own = Object.fromEntries(
    loaded.found.map(({ connector: each }) => [each.type, each] as const),
  );
  const entries: Written[] = [];
  const world = { http: () => Promise.reject(new Error("there is no network here")) };
  const calls = createCalls(own, world, (_call, entry) => entries.push(entry));
  const begin = (config: object = {}, change: Partial<Call> = {}) => {
    let stop = () => {};
    const outcome = new Promise<Outcome>((resolve) => {
      stop = calls({ ...CALL, ...change, config: config as Call["config"] }, resolve);
    });
    return { outcome, stop: () => stop() };
  };
  const call = (config: object = {}, change: Partial<Call> = {}) => begin(config, change).outcome;
  return { ...loaded, begin, call, entries };
}

const CALL: Call = {
  run_id: "run_1",
  workflow_id: "flow",
  step_id: "step",
  type: "own",
  idempotency_key: "run_1/step#0",
  attempt: 2,
  config: {},
  secrets: [],
  context: {},
  timeout_ms: 60_000,
};

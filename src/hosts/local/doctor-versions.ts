// The doctor's look at versions of workflows: each that a run needs must be there and whole.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Workflow } from "../../flow/workflow.js";
import { nodeDisk } from "./disk.js";
import { type Finding, liveRuns, type Patient } from "./doctor-finding.js";
import { writeDurableNow } from "./files.js";
import { versionOf } from "./folder-state.js";

const SUFFIX = ".json";

export function versionFindings(patient: Patient): Finding[] {
  const { store, found } = patient;
  const folder = join(store, "versions");
  const needed = found.index.versionsInUse();
  const byRun = new Map<string, string>();
  for (const { workflow_version, id } of liveRuns(patient)) byRun.set(workflow_version, id);
  const there = existsSync(folder) ? readdirSync(folder) : [];
  const names = there.filter((name) => name.endsWith(SUFFIX));
  const versions = new Set([...needed, ...names.map((name) => name.slice(0, -SUFFIX.length))]);
  const spare = servedVersions(store);
  return [...versions].sort().flatMap((version) => {
    const file = join(folder, version + SUFFIX);
    const what = stateOf(file, version);
    if (what === undefined) return [];
    const waits = byRun.get(version);
    const why = waits
      ? `Run ${waits} cannot go on without it.`
      : needed.has(version)
        ? "Only runs that have ended had it; they cannot be retried."
        : "No run needs it.";
    const message = `The workflow version ${file} ${what}. ${why}`;
    const advice = spare.has(version)
      ? "The workflow as it is served is the same: flows doctor --repair writes it again."
      : "Restore it from a backup, or serve the flow file again as it was then.";
    return [{ kind: "version" as const, file, message, advice, repaired: false }];
  });
}

/** From the workflows as they were served last. */
export function repairVersions({ store }: Patient, findings: Finding[]): void {
  const spare = servedVersions(store);
  for (const found of findings.filter(({ kind }) => kind === "version")) {
    const version = found.file.slice(-64 - SUFFIX.length, -SUFFIX.length);
    const workflow = spare.get(version);
    if (!workflow) continue;
    nodeDisk.mkdir(join(store, "versions"));
    writeDurableNow(found.file, `${JSON.stringify(workflow, null, 2)}\n`);
    found.repaired = true;
  }
}

function stateOf(file: string, version: string): string | undefined {
  const workflow = readWorkflow(file);
  if (workflow === undefined) return existsSync(file) ? "is damaged" : "is missing";
  return versionOf(workflow) === version ? undefined : "was changed";
}

function servedVersions(store: string): Map<string, Workflow> {
  const folder = join(store, "workflows");
  const served = new Map<string, Workflow>();
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const document = readWorkflow(join(folder, name)) as { workflow?: Workflow } | undefined;
    if (document?.workflow) served.set(versionOf(document.workflow), document.workflow);
  }
  return served;
}

function readWorkflow(file: string): Workflow | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Workflow;
  } catch {
    return undefined;
  }
}

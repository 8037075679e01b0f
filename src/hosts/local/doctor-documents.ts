// The doctor's look at run documents: each is compared with what the journal says.

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { parseRunId } from "../../engine/ids.js";
import type { Run } from "../../engine/run.js";
import { nodeDisk } from "./disk.js";
import { type Finding, liveRuns, type Patient } from "./doctor-finding.js";
import { DocumentWriter, documentPath } from "./document-writer.js";
import { readWhole } from "./files.js";

const REPAIR = "The next start writes it again; flows doctor --repair does it now.";
const SUFFIX = ".json";

export function documentFindings(patient: Patient): Finding[] {
  const { store, found } = patient;
  const folder = join(store, "runs");
  const findings: Finding[] = [];
  for (const run of knownRuns(patient)) {
    const state = documentState(folder, run.id);
    const what = typeof state === "string" ? state : differs(state, run);
    if (what !== undefined) findings.push(finding("document", folder, run.id, what, REPAIR));
  }
  const { index } = found;
  for (let slot = 0; slot < index.length; slot += 1) {
    const run = index.finishedAt(slot);
    if (!run || found.finished.has(run.id)) continue;
    const state = documentState(folder, run.id);
    const isOther =
      typeof state !== "string" && Date.parse(`${state.finished_at}`) !== run.finished;
    const what = typeof state === "string" ? state : isOther ? "is of another time" : undefined;
    if (what !== undefined) findings.push(finding("document_lost", folder, run.id, what, LOST));
  }
  return [...findings, ...foreignFindings(store, found)];
}

/** Returns what could not be repaired to what it was. */
export function repairDocuments(patient: Patient, findings: Finding[]): void {
  const { store, found } = patient;
  const folder = join(store, "runs");
  nodeDisk.mkdir(folder);
  const writer = new DocumentWriter(nodeDisk, folder);
  const failed = new Set<string>();
  for (const run of knownRuns(patient)) {
    const repair = [run.id, JSON.stringify(run)];
    const answer = writer.handle({
      write: [],
      repair,
      remove: [],
      sync: [run.id],
      sync_all: false,
    });
    if (answer.repair.length > 0 || answer.sync !== undefined) {
      failed.add(documentPath(folder, run.id));
    }
  }
  const remove = [...found.deleted];
  writer.handle({ write: [], repair: [], remove, sync: [], sync_all: false });
  const isGone = (file: string) => remove.some((id) => documentPath(folder, id) === file);
  for (const each of findings) {
    if (each.kind === "document") each.repaired = !failed.has(each.file);
    if (each.kind === "foreign") each.repaired = isGone(each.file);
  }
}

/** Runs of which the journal and the checkpoint say all. */
function* knownRuns(patient: Patient): Generator<Run> {
  yield* patient.found.finished.values();
  yield* liveRuns(patient);
}

const LOST =
  "The journal that led to it is gone: restore this file from a backup, or do without the run.";

function finding(
  kind: Finding["kind"],
  folder: string,
  id: string,
  what: string,
  advice: string,
): Finding {
  const file = documentPath(folder, id);
  return { kind, file, message: `The run document ${file} ${what}.`, advice, repaired: false };
}

/** A document that is whole, or what is wrong with it. */
function documentState(folder: string, id: string): Run | "is missing" | "is torn" {
  const bytes = readWhole(nodeDisk, documentPath(folder, id));
  if (!bytes) return "is missing";
  try {
    const run = JSON.parse(bytes.toString()) as Run;
    return run.id === id ? run : "is torn";
  } catch {
    return "is torn";
  }
}

function differs(document: Run, run: Run): string | undefined {
  if (document.seq < run.seq) return "is older than the journal";
  return isDeepStrictEqual(document, run) ? undefined : "is not what the journal says";
}

/** Files that nobody here wrote, or of runs that were deleted: left alone, or deleted again. */
function foreignFindings(store: string, found: Patient["found"]): Finding[] {
  const folder = join(store, "runs");
  return readNames(folder).flatMap((name) => {
    const id = name.endsWith(SUFFIX) ? parseRunId(name.slice(0, -SUFFIX.length)) : undefined;
    if (name.endsWith(".tmp") || (id !== undefined && found.index.status(id))) return [];
    const file = join(folder, name);
    const isDeleted = id !== undefined && found.deleted.has(id);
    const message = isDeleted
      ? `${file} is of a run that was deleted.`
      : `${file} is no document of a run of this store.`;
    const advice = isDeleted ? REPAIR : "Nothing reads it. Look whose it is, and move it away.";
    return [{ kind: "foreign" as const, file, message, advice, repaired: false }];
  });
}

function readNames(folder: string): string[] {
  try {
    return nodeDisk.readdir(folder).sort();
  } catch {
    return [];
  }
}

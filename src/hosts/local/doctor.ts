// What `flows doctor` says of a store that nobody has open: all that is wrong with it, and what can
// be done. It repairs only what loses nothing, and changes nothing unless it is asked to.

import { accessSync, chmodSync, constants, existsSync, statfsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { RunStatus } from "../../engine/run.js";
import { SEGMENT_BYTES } from "../../limits.js";
import { checkpointPath } from "./checkpoint.js";
import { type Disk, nodeDisk } from "./disk.js";
import { documentFindings, repairDocuments } from "./doctor-documents.js";
import type { Finding, FindingKind } from "./doctor-finding.js";
import { repairVersions, versionFindings } from "./doctor-versions.js";
import { readWhole, unlinkIfThere } from "./files.js";
import { type Lock, takeLock } from "./lock.js";
import { type Recovered, recover } from "./recovery.js";
import { listSegments } from "./segment.js";
import { ABOUT, checkFormat } from "./store.js";
import { StoreError } from "./store-error.js";

export interface Examined {
  store: string;
  healthy: boolean;
  /** Undefined: the journal cannot be read. */
  runs: { [status in RunStatus]: number } | undefined;
  findings: Finding[];
}

const FOLDERS = [".", "journal", "runs", "versions", "workflows"];
const REPAIR = "flows doctor --repair does it.";

/** Undefined: there is no store. Rejects with a StoreError when another process has it. */
export async function examineStore(folder: string, repair: boolean): Promise<Examined | undefined> {
  const store = resolve(folder);
  const isThere = existsSync(join(store, ABOUT)) || existsSync(join(store, "journal"));
  if (!isThere) return undefined;
  const findings = permissionFindings(store, repair);
  const examined: Examined = { store, healthy: false, runs: undefined, findings };
  if (!FOLDERS.every((name) => isUsable(join(store, name)))) return examined;
  const lock: Lock = takeLock(store);
  try {
    const found = await examineOwned(store, repair, findings);
    const healthy = findings.every(({ repaired }) => repaired);
    return { ...examined, healthy, runs: found?.index.counts() };
  } finally {
    lock.release();
  }
}

async function examineOwned(
  store: string,
  repair: boolean,
  findings: Finding[],
): Promise<Recovered | undefined> {
  findings.push(...spaceFindings(store));
  const isReadable = guarded(findings, () => checkAbout(store));
  const dry = isReadable && guarded(findings, () => recover(dryDisk, store));
  findings.push(...leftOvers(store));
  if (!dry) return undefined;
  if (dry.cut !== undefined) findings.push(tear(store, dry.cut));
  const patient = { store, found: dry };
  findings.push(...versionFindings(patient), ...documentFindings(patient));
  if (repair) repairAll(store, findings);
  return dry;
}

/** Everything that is left out here stays as it is. */
function repairAll(store: string, findings: Finding[]): void {
  for (const found of findings.filter(({ kind }) => kind === "left_over")) {
    unlinkIfThere(nodeDisk, found.file);
    found.repaired = true;
  }
  const found = recover(nodeDisk, store);
  repairVersions({ store, found }, findings);
  repairDocuments({ store, found }, findings);
  for (const torn of findings.filter(({ kind }) => kind === "torn")) torn.repaired = true;
}

/** What a part throws becomes a finding; undefined then. */
function guarded<T>(findings: Finding[], examine: () => T): T | undefined {
  try {
    return examine();
  } catch (error) {
    if (!(error instanceof StoreError) || error.kind === "locked") throw error;
    const { kind, file = "", offset } = error;
    const known = kind === "rot" || kind === "missing" || kind === "format" ? kind : "permission";
    const place = offset === undefined ? {} : { offset };
    const advice = ADVICE[known] ?? "";
    findings.push({ kind: known, file, ...place, message: error.message, advice, repaired: false });
    return undefined;
  }
}

const ADVICE: { readonly [kind in FindingKind]?: string } = {
  rot:
    "Nothing here can bring back what is damaged, so nothing was changed. Restore this file, or " +
    "the whole store, from a backup. Documents in the folder runs may be read meanwhile.",
  missing: "Put the file back from where it was moved to, or restore the store from a backup.",
  format: "Use the version of flows that wrote this store.",
  permission: "Look at the disk's health and mount options.",
};

function checkAbout(store: string): true {
  const file = join(store, ABOUT);
  const about = readWhole(nodeDisk, file);
  const isNew = listSegments(nodeDisk, join(store, "journal")).length < 2;
  if (about) checkFormat(file, about.toString());
  else if (!isNew || existsSync(checkpointPath(store))) {
    const message = `${file}, which says which format the store has, is missing.`;
    throw new StoreError("missing", message, { file });
  }
  return true;
}

function tear(store: string, message: string): Finding {
  const offset = Number(/byte (\d+)/.exec(message)?.[1]);
  const file = /\((.*), byte/.exec(message)?.[1] ?? join(store, "journal");
  return {
    kind: "torn",
    file,
    offset,
    message: "The journal ends in the middle of a write, which had not been acknowledged.",
    advice: `The next start cuts it off and keeps a copy; ${REPAIR}`,
    repaired: false,
  };
}

function permissionFindings(store: string, repair: boolean): Finding[] {
  const findings: Finding[] = [];
  for (const name of FOLDERS) {
    const file = join(store, name);
    const mode = statSync(file, { throwIfNoEntry: false })?.mode;
    if (mode === undefined) continue;
    if (!isUsable(file)) {
      const message = `The folder ${file} cannot be read and written by this user.`;
      const advice = `As its owner: chmod -R u+rwX ${file}`;
      findings.push({ kind: "permission", file, message, advice, repaired: false });
    } else if (name === "." && (mode & 0o077) !== 0) {
      if (repair) chmodSync(file, 0o700);
      const message = `The folder ${file} is open to other users, and contexts may be secret.`;
      const advice = `chmod go-rwx ${file}; ${REPAIR}`;
      findings.push({ kind: "permission", file, message, advice, repaired: repair });
    }
  }
  return findings;
}

/** Asked for its mode too: for root every folder can be written, and for its owner it should. */
function isUsable(folder: string): boolean {
  const mode = statSync(folder, { throwIfNoEntry: false })?.mode;
  if (mode === undefined) return true;
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return (mode & 0o700) === 0o700;
  } catch {
    return false;
  }
}

/** Less than the journal wants next, and as much again for documents. */
function spaceFindings(store: string): Finding[] {
  const { bavail, bsize } = statfsSync(store);
  const free = bavail * bsize;
  if (free >= 2 * SEGMENT_BYTES) return [];
  const message = `The disk of ${store} has ${Math.floor(free / 1024)} KiB left.`;
  const advice = "Free some, or keep fewer runs: flows serve --keep-days, --keep-runs.";
  return [{ kind: "space", file: store, message, advice, repaired: false }];
}

function leftOvers(store: string): Finding[] {
  return FOLDERS.flatMap((name) => {
    const folder = join(store, name);
    const names = existsSync(folder) ? nodeDisk.readdir(folder) : [];
    return names.filter((each) => each.endsWith(".tmp")).map((each) => join(folder, each));
  }).map((file) => ({
    kind: "left_over" as const,
    file,
    message: `${file} is what a write left that did not end.`,
    advice: `It is of no use, and may go; ${REPAIR}`,
    repaired: false,
  }));
}

/** Reads what is there, and throws away what would be written. */
const dryDisk: Disk = {
  ...nodeDisk,
  open: (path, mode) => nodeDisk.open(mode === "create" ? "/dev/null" : path, "read"),
  write: (_fd, bytes) => bytes.length,
  sync() {},
  syncFolder() {},
  syncTree: () => true,
  rename() {},
  unlink() {},
  mkdir() {},
};

// What the doctor finds in a store: one thing that is wrong, and what can be done about it.

import type { Run } from "../../engine/run.js";
import type { Recovered } from "./recovery.js";

export type FindingKind =
  | "permission" // a folder that may not be read or written, or that others may read
  | "space" // the disk is nearly full
  | "format" // written by another version of this program
  | "rot" // what was whole is damaged
  | "missing" // a file that must be there is not
  | "torn" // the last write was cut off; it had not been acknowledged
  | "left_over" // a temporary file
  | "document" // a run document that is missing, torn or old, and can be written again
  | "document_lost" // one that cannot: the journal that led there is gone
  | "foreign" // a file that is no document of a run here
  | "version"; // a workflow's version that is missing or damaged

export interface Finding {
  kind: FindingKind;
  file: string;
  /** Bytes from the file's beginning. */
  offset?: number;
  /** What is wrong. */
  message: string;
  /** What can be done. */
  advice: string;
  /** True: it was, just now. */
  repaired: boolean;
}

/** What the journal and the checkpoint give, and where the parts of the store are. */
export interface Patient {
  store: string;
  found: Recovered;
}

/** Those that have not ended, whether they are at work or asleep. */
export function* liveRuns({ found: { live, index } }: Patient): Generator<Run> {
  yield* live.awake();
  for (const slot of live.sleepers().slots) {
    const run = live.get(index.id(slot));
    if (run) yield run;
  }
}

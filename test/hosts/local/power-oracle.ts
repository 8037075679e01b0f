// What a store must say that a power cut has left, and how it is looked at.

import type { Run } from "../../../src/engine/run.js";
import { openStore, type Store } from "../../../src/hosts/local/store.js";
import type { State } from "./power-cut.js";
import type { Decided, Deleted, Life } from "./power-history.js";
import { SimDisk } from "./sim-disk.js";

/** Two folders deep, where there is none: the names of new folders can be lost, too. */
const PLACE = "/sim/new";
export const STORE = `${PLACE}/store`;

/** Segments of a few runs each, so that a short life has many, and many checkpoints. */
export const SMALL = {
  first_segment_bytes: 2048,
  segment_bytes: 6144,
  document_delay_ms: 3,
  seal_after_ms: 20,
};

export interface Look {
  /** What is wrong in itself. */
  wrong?: string;
  /** The number of the last decision that is there. */
  last: number;
  /** Those that are not there any more, of the runs that the life deleted. */
  gone: ReadonlySet<string>;
}

/** Knows what a recovered store must say. */
export class Oracle {
  /** By run: what each decision made of it, by its number. */
  readonly #history = new Map<
    string,
    { seq: number; json: string; status: string; version: string }[]
  >();

  readonly #deletions: ReadonlyMap<string, Deleted>;

  constructor(readonly life: Life) {
    this.#deletions = new Map(life.deletions.map((each) => [each.id, each]));
    for (const { run, json, seq } of life.decisions) {
      const states = this.#history.get(run.id) ?? [];
      states.push({ seq, json, status: run.status, version: run.workflow_version });
      this.#history.set(run.id, states);
    }
  }

  async look(state: State): Promise<Look> {
    const disk = new SimDisk("/sim", state.tree);
    try {
      const store = await openStore(STORE, { ...SMALL, disk, onFailure() {} });
      return await this.lookInto(store, disk);
    } catch (error) {
      const wrong = `not opened: ${error instanceof Error ? error.message : error}`;
      return { wrong, last: 0, gone: new Set() };
    }
  }

  /** What must be there, where the log had come to this place, and is not. */
  lost({ last, gone }: Look, place: number): string | undefined {
    for (const { id, asked, acknowledged } of this.life.deletions) {
      const isOld = this.#history.get(id)?.some((each) => each.seq <= last) ?? false;
      if (gone.has(id) && isOld && asked > place) return `${id} was not deleted, and is gone`;
      if (!gone.has(id) && acknowledged <= place) return `${id} was deleted, and is there`;
    }
    const isGone = ({ run }: Decided): boolean => {
      const deleted = this.#deletions.get(run.id);
      return deleted !== undefined && gone.has(run.id) && deleted.asked <= place;
    };
    const acknowledged = this.life.decisions.findLast(
      (each) => each.acknowledged <= place && !isGone(each),
    );
    if (!acknowledged || last >= acknowledged.seq) return undefined;
    return `record ${acknowledged.seq} was acknowledged, the last one there is ${last}`;
  }

  async lookInto(store: Store, disk: SimDisk): Promise<Look> {
    const gone = new Set<string>();
    const listed = listAll(store);
    const found = new Map<string, string>();
    let last = 0;
    for (const id of listed.keys()) {
      const { json, seq } = await readRun(store, disk, id);
      found.set(id, json);
      last = Math.max(last, seq);
    }
    const versions = await store.loadVersions();
    for (const [id, states] of this.#history) {
      const expected = states.findLast(({ seq }) => seq <= last);
      if (!listed.has(id) && this.#deletions.has(id)) {
        gone.add(id);
        if (await store.get(id)) return { wrong: `${id} is deleted by half`, last, gone };
        continue;
      }
      if (found.get(id) !== expected?.json) {
        return { wrong: `${id} is ${found.get(id)}, and should be ${expected?.json}`, last, gone };
      }
      if (!expected) continue;
      const { status, version } = expected;
      if (listed.get(id) !== status)
        return { wrong: `${id} is listed as ${listed.get(id)}`, last, gone };
      if (!versions.has(version)) return { wrong: `version ${version} is not there`, last, gone };
    }
    if (listed.size > this.#history.size) return { wrong: "there are runs of nobody", last, gone };
    return { last, gone };
  }
}

/** As the store has it, or else its document on that disk. */
export async function readRun(store: Store, disk: SimDisk, id: string): Promise<Read> {
  const live = await store.get(id);
  if (live) return { json: JSON.stringify(live), seq: live.seq };
  const bytes = disk.bytes(`${STORE}/runs/${id}.json`);
  if (!bytes) return { json: "without a document", seq: 0 };
  const known = parsed.get(bytes) ?? parse(bytes);
  parsed.set(bytes, known);
  return known;
}

interface Read {
  json: string;
  seq: number;
}

/** Many states have a document in common. */
const parsed = new WeakMap<Buffer, Read>();

export function listAll(store: Store): Map<string, string> {
  const found = new Map<string, string>();
  let cursor: string | undefined;
  do {
    const page = store.list({ limit: 200, ...(cursor === undefined ? {} : { cursor }) });
    for (const { id, status } of page.runs) found.set(id, status);
    cursor = page.next_cursor ?? undefined;
  } while (cursor !== undefined);
  return found;
}

function parse(bytes: Buffer): Read {
  try {
    const run = JSON.parse(bytes.toString()) as Run;
    return { json: JSON.stringify(run), seq: run.seq };
  } catch {
    return { json: "a torn document", seq: 0 };
  }
}

// Recovery: what a store is after its process or its disk went wrong at any byte.

import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Run } from "../../../src/engine/run.js";
import { type Recovered, recover } from "../../../src/hosts/local/recovery.js";
import { StoreError } from "../../../src/hosts/local/store-error.js";
import * as kit from "./store-kit.js";

const FIRST = "journal/00000001.jsonl";
const SMALL = { first_segment_bytes: 2048, segment_bytes: 2048, disk: kit.quickDisk };
const NEVER = 3_600_000;

/** What a reader of the store would know. */
function known({ live, finished, index }: Recovered): unknown {
  const runs: { [id: string]: Run } = {};
  for (const run of [...live.awake(), ...finished.values()]) runs[run.id] = run;
  return { runs, listed: index.list({ limit: 200 }).runs };
}

function refusal(folder: string): StoreError {
  try {
    recover(kit.quickDisk, folder);
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("the store was recovered, though it should have been refused");
}

/** A store that was killed, and the bytes of its journal's first segment. */
async function killed(options: { seal_after_ms: number }, ...batches: number[]) {
  const driven = await kit.drive(undefined, { ...SMALL, first_segment_bytes: 8192, ...options });
  let n = 0;
  const states: unknown[] = [];
  for (const size of batches) {
    states.push(known(recover(kit.quickDisk, kit.copyAsKilled(driven.folder))));
    const ns = Array.from({ length: size }, (_, i) => n + i + 1);
    n += size;
    await Promise.all(ns.map((one) => driven.decide(kit.created(one))));
  }
  const sealed = (): boolean =>
    kit.journalFiles(driven.folder)["00000001.jsonl"]!.endsWith("true}");
  if (options.seal_after_ms < NEVER) await kit.until(sealed);
  const folder = kit.copyAsKilled(driven.folder);
  const bytes = readFileSync(join(folder, FIRST));
  const end = bytes.toString().trimEnd().length + 1;
  /** Of the last batch, with its empty line. */
  const begin = bytes.toString().indexOf(`\n`, bytes.indexOf(` ${batches.length} `) - 10) + 1;
  return {
    folder,
    bytes,
    begin,
    end,
    before: states.at(-1),
    all: known(recover(kit.quickDisk, folder)),
  };
}

function put(folder: string, bytes: Buffer): void {
  writeFileSync(join(folder, FIRST), bytes);
}

describe("given a store whose process was killed in the middle of a batch", () => {
  test("when the file ends at any byte of it, then what was acknowledged is there", async () => {
    const { folder, bytes, begin, end, before } = await killed({ seal_after_ms: NEVER }, 2, 1, 3);
    const first = JSON.stringify(before);
    for (let cut = begin; cut < end; cut += 1) {
      put(folder, bytes.subarray(0, cut));
      const found = recover(kit.quickDisk, folder);
      expect(Object.keys((known(found) as { runs: object }).runs).length).toBeGreaterThanOrEqual(3);
      const torn = bytes.toString("utf8", found.position.offset, cut).trim();
      expect(found.cut === undefined, `cut at ${cut}`).toBe(torn === "");
      if (cut < begin + 100) expect(JSON.stringify(known(found))).toBe(first);
      // Once cut, it is whole: the next start finds nothing wrong.
      expect(recover(kit.quickDisk, folder).cut).toBeUndefined();
    }
  });

  test("when its parts reached the disk in any order, then a beginning is there", async () => {
    const { folder, bytes, begin, end, before, all } = await killed({ seal_after_ms: NEVER }, 2, 4);
    const counts = new Set<number>();
    for (let hole = begin; hole < end - 1; hole += 13) {
      const torn = Buffer.from(bytes);
      torn.fill("\n", hole, Math.min(hole + 200, end));
      put(folder, torn);
      const found = recover(kit.quickDisk, folder);
      expect(found.cut).toContain(FIRST.slice(8));
      counts.add(found.live.size);
      expect(found.live.size).toBeLessThan(6);
      for (const run of found.live.awake()) {
        expect(run).toEqual((all as { runs: { [id: string]: Run } }).runs[run.id]);
      }
      if (hole === begin) expect(known(found)).toEqual(before);
    }
    expect([...counts].sort()).toEqual([2, 3, 4, 5]);
  });

  test("then a copy is kept of what is cut off, and none is overwritten", async () => {
    const { folder, bytes, begin, end } = await killed({ seal_after_ms: NEVER }, 1, 1);
    for (let time = 0; time < 2; time += 1) {
      put(folder, bytes.subarray(0, end - 10));
      expect(recover(kit.quickDisk, folder).cut).toContain(`byte ${begin}`);
    }
    const torn = bytes.subarray(begin, end - 10);
    const copy = join(folder, `${FIRST}.torn-${begin}`);
    expect([readFileSync(copy), readFileSync(`${copy}-2`)]).toEqual([torn, torn]);
  });
});

describe("given a journal, when a byte of it is flipped, then", () => {
  test("under a seal every byte of a record is missed: the store is refused", async () => {
    const { folder, bytes, all, end } = await killed({ seal_after_ms: 1 }, 1, 2, 1);
    // With the empty line that begins its batch.
    const seal = bytes.toString().trimEnd().lastIndexOf("\n");
    const header = bytes.indexOf("\n") + 1;
    for (let at = 0; at < end; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
      put(folder, flipped);
      if (at >= seal) {
        expect(known(recover(kit.quickDisk, folder)), `byte ${at}`).toEqual(all);
        continue;
      }
      const error = refusal(folder);
      expect(error.kind, `byte ${at}`).toMatch(at < header ? /rot|format/ : /rot/);
      expect(error.file).toBe(join(folder, FIRST));
      expect(error.offset ?? 0).toBeLessThanOrEqual(at);
      expect(readFileSync(join(folder, FIRST)).equals(flipped)).toBe(true);
    }
  });

  test("without a seal only the last batch can be lost, and nothing before it", async () => {
    const { folder, bytes, begin, end, all } = await killed({ seal_after_ms: NEVER }, 2, 1, 2);
    const { runs } = all as { runs: { [id: string]: Run } };
    for (let at = bytes.indexOf("\n") + 1; at < end; at += 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
      put(folder, flipped);
      if (at < begin) {
        expect(refusal(folder).kind, `byte ${at}`).toBe("rot");
        continue;
      }
      const found = recover(kit.quickDisk, folder);
      expect(found.cut, `byte ${at}`).toBeDefined();
      expect(found.live.size).toBeGreaterThanOrEqual(3);
      for (const run of found.live.awake()) expect(run).toEqual(runs[run.id]);
    }
  });

  test("in the filler nothing is lost", async () => {
    const { folder, bytes, end, all } = await killed({ seal_after_ms: 1 }, 1, 1);
    for (const at of [end, end + 1, end + 500, bytes.length - 1]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = 7;
      put(folder, flipped);
      expect(known(recover(kit.quickDisk, folder)), `byte ${at}`).toEqual(all);
      expect(recover(kit.quickDisk, folder).cut).toBeUndefined();
    }
  });
});

describe("given a segment in whose middle a checkpoint was taken", () => {
  /** Three batches before it, three after it, the last one without a seal. */
  async function half() {
    const options = { ...SMALL, first_segment_bytes: 8192, seal_after_ms: NEVER };
    const first = await kit.drive(undefined, options);
    for (const n of [1, 2, 3]) await first.decide(kit.created(n));
    await first.store.close();
    const begin = readFileSync(join(first.folder, FIRST)).toString().trimEnd().length + 1;
    const second = await kit.drive(first.folder, options);
    for (const n of [4, 5, 6]) await second.decide(kit.created(n));
    const folder = kit.copyAsKilled(first.folder);
    const bytes = readFileSync(join(folder, FIRST));
    return { folder, bytes, begin, end: bytes.toString().trimEnd().length + 1 };
  }

  test("when a byte is flipped, then nothing is lost that was before it", async () => {
    const { folder, bytes, begin, end } = await half();
    const last = bytes.toString().trimEnd().lastIndexOf("\n");
    const header = bytes.indexOf("\n") + 1;
    for (let at = 0; at < end; at += at < begin ? 9 : 1) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at & 7));
      put(folder, flipped);
      const isNeeded = at >= begin && at < last;
      if (at < header || isNeeded) expect(refusal(folder).kind, `byte ${at}`).toMatch(/rot|format/);
      else expect(recover(kit.quickDisk, folder).live.size, `byte ${at}`).toBe(at < begin ? 6 : 5);
    }
  });

  test("when batches are wiped out and a later one is there, then it is refused", async () => {
    const { folder, bytes, begin, end } = await half();
    const last = bytes.toString().trimEnd().lastIndexOf("\n");
    for (const wiped of ["\n", "\0"]) {
      for (let from = begin; from < last - 1; from += 13) {
        for (let to = from + 1; to <= last; to += 61) {
          const holed = Buffer.from(bytes).fill(wiped, from, to);
          if (holed.equals(bytes)) continue;
          put(folder, holed);
          expect(refusal(folder).kind, `${from} to ${to} of ${end}`).toBe("rot");
        }
      }
    }
  });

  test("when the checkpoint is gone, then the segment is read, or it is refused", async () => {
    const { folder, bytes } = await half();
    rmSync(join(folder, "checkpoint.bin"));
    expect(recover(kit.quickDisk, folder).live.size).toBe(6);
    rmSync(join(folder, FIRST));
    writeFileSync(join(folder, "journal/00000002.jsonl"), bytes);
    expect([refusal(folder).kind, refusal(folder).file]).toEqual(["missing", join(folder, FIRST)]);
  });
});

describe("given a journal of several segments and no checkpoint", () => {
  async function long() {
    const options = { ...SMALL, disk: kit.noCheckpoints, seal_after_ms: NEVER };
    const driven = await kit.drive(undefined, options);
    for (let n = 1; n <= 20; n += 1) await driven.decide(kit.created(n));
    const folder = kit.copyAsKilled(driven.folder);
    const names = Object.keys(kit.journalFiles(folder));
    const used = names.filter((name) => (kit.journalFiles(folder)[name] ?? "").includes("events"));
    return { folder, used, path: (i: number) => join(folder, "journal", used.at(i) ?? "") };
  }

  test("when it is read, then all runs are there", async () => {
    const { folder, used } = await long();
    expect(used.length).toBeGreaterThan(3);
    expect(recover(kit.quickDisk, folder).live.size).toBe(20);
  });

  test("when any of them is missing, then the store is refused, and the file named", async () => {
    const { folder, used, path } = await long();
    for (let i = 0; i < used.length; i += 1) {
      const bytes = readFileSync(path(i));
      rmSync(path(i));
      const error = refusal(folder);
      expect([error.kind, error.file]).toEqual(["missing", path(i)]);
      writeFileSync(path(i), bytes);
    }
    expect(recover(kit.quickDisk, folder).live.size).toBe(20);
  });

  test("when all of them are missing, then the store is refused", async () => {
    const { folder, used, path } = await long();
    for (let i = 0; i < used.length; i += 1) rmSync(path(i));
    expect(refusal(folder).kind).toBe("missing");
  });

  test("when an old one has rot, is cut, or is emptied, then the store is refused", async () => {
    const { folder, path } = await long();
    const bytes = readFileSync(path(1));
    const end = bytes.toString().trimEnd().length;
    const header = bytes.indexOf("\n") + 1;
    const damages: [string, Buffer][] = [
      ["rot", Buffer.concat([bytes.subarray(0, 500), Buffer.from("?"), bytes.subarray(501)])],
      ["a cut", bytes.subarray(0, end - 100)],
      ["a lost end", Buffer.concat([bytes.subarray(0, end - 60), Buffer.alloc(60, "\n")])],
      ["no records", bytes.subarray(0, header)],
      ["nothing", Buffer.alloc(0)],
      ["zeros", Buffer.alloc(bytes.length)],
    ];
    for (const [name, damaged] of damages) {
      writeFileSync(path(1), damaged);
      const error = refusal(folder);
      expect([error.kind, error.file], name).toEqual(["rot", path(1)]);
      expect(error.message).toMatch(/Restore/);
    }
  });

  test("when two are swapped, then the store is refused", async () => {
    const { folder, path } = await long();
    const [one, two] = [readFileSync(path(1)), readFileSync(path(2))];
    writeFileSync(path(1), two);
    writeFileSync(path(2), one);
    expect([refusal(folder).kind, refusal(folder).file]).toEqual(["rot", path(1)]);
  });

  test("when the last one is torn, then only what was not acknowledged is cut", async () => {
    const { folder, path } = await long();
    const bytes = readFileSync(path(-1));
    truncateSync(path(-1), bytes.toString().trimEnd().length - 5);
    const found = recover(kit.quickDisk, folder);
    expect(found.cut).toContain(path(-1));
    expect(found.live.size).toBe(19);
  });
});

describe("given a store of another format, when it is opened, then it is refused by name:", () => {
  test.each([
    ["journal", FIRST, '{"format":3,"segment":1}', '{"format":1,"segment":1}'],
    ["checkpoint", "checkpoint.bin", '"format":3', '"format":1'],
  ])("its %s", async (_name, file, ours, theirs) => {
    const driven = await kit.drive(undefined, SMALL);
    await driven.decide(kit.created(1));
    await driven.store.close();
    const path = join(driven.folder, file);
    const text = readFileSync(path, "latin1").replace(ours, theirs);
    const line = text.slice(9, text.indexOf("\n"));
    const crc = crc32(line).toString(16).padStart(8, "0");
    writeFileSync(path, crc + text.slice(8), "latin1");
    const error = refusal(driven.folder);
    expect([error.kind, error.file]).toEqual(["format", path]);
    expect(error.message).toContain("format 1");
  });
});

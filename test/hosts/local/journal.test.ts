// The journal: what shares a write, in which order it is acknowledged, and how segments follow.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { Disk } from "../../../src/hosts/local/disk.js";
import { Journal, type JournalOptions } from "../../../src/hosts/local/journal.js";
import { parseRecord } from "../../../src/hosts/local/record.js";
import { createSegment, headerLength } from "../../../src/hosts/local/segment.js";
import * as kit from "./store-kit.js";

interface Watched {
  journal: Journal;
  /** Sequence numbers, as they were acknowledged. */
  acknowledged: number[];
  /** The records of each write, by their JSON's `n`, or the journal's own word. */
  writes(): (number | string)[][];
  /** While true, writes do not answer. */
  hold(isHeld: boolean): void;
  append(n: number, text?: string): void;
}

function watched(options: Partial<JournalOptions> = {}, firstBytes = 4096): Watched {
  const folder = join(kit.makeFolder(), "journal");
  mkdirSync(folder);
  createSegment(kit.quickDisk, folder, 1, firstBytes);
  const writes: (number | string)[][] = [];
  const held: (() => void)[] = [];
  let isHeld = false;
  const disk: Disk = {
    ...kit.quickDisk,
    commit: (fd, bytes, position, done) => {
      writes.push(names(Buffer.from(bytes)));
      const go = (): void => kit.quickDisk.commit(fd, bytes, position, done);
      if (isHeld) held.push(go);
      else go();
    },
  };
  const position = { segment: 1, offset: headerLength(1), batch: 0, seq: 0 };
  const journal = new Journal(
    {
      disk,
      folder,
      position,
      segment_bytes: 4096,
      seal_after_ms: 3_600_000,
      max_waiting_chars: 1024 * 1024,
      onFailure: (error) => {
        throw error;
      },
      onTrouble() {},
      onSegment() {},
      ...options,
    },
    false,
  );
  const acknowledged: number[] = [];
  return {
    journal,
    acknowledged,
    writes: () => writes,
    hold: (hold) => {
      isHeld = hold;
      if (!hold) for (const go of held.splice(0)) go();
    },
    append: (n, text = "") => {
      journal.append(JSON.stringify({ n, text }), (seq) => acknowledged.push(seq));
    },
  };
}

function names(bytes: Buffer): (number | string)[] {
  const lines = bytes.toString().split("\n").filter(Boolean);
  const records = lines.map((line) => JSON.parse(parseRecord(Buffer.from(line))?.json ?? "{}"));
  return records.map((record) => record.n ?? Object.keys(record)[0]);
}

describe("given a journal, when records are appended", () => {
  test("in one turn of the loop, then they share a write", async () => {
    const { journal, append, acknowledged, writes } = watched();
    for (let n = 1; n <= 3; n += 1) append(n);
    expect(acknowledged).toEqual([]);
    await kit.until(() => acknowledged.length === 3);
    expect(writes()).toEqual([[1, 2, 3]]);
    expect(acknowledged).toEqual([1, 2, 3]);
    await journal.close();
  });

  test("while a write is under way, then they wait, and share the next one", async () => {
    const { journal, append, acknowledged, writes, hold } = watched();
    hold(true);
    append(1);
    await kit.until(() => writes().length === 1);
    for (const n of [2, 3]) append(n);
    await new Promise((resolve) => setTimeout(resolve, 10));
    append(4);
    expect(writes()).toEqual([[1]]);
    expect(acknowledged).toEqual([]);
    hold(false);
    await kit.until(() => acknowledged.length === 4);
    expect(writes()).toEqual([[1], [2, 3, 4]]);
    await journal.close();
  });

  test("by the callbacks of a write, then they share the next one", async () => {
    const { journal, append, acknowledged, writes } = watched();
    journal.append('{"n":1}', () => append(3));
    journal.append('{"n":2}', () => append(4));
    await kit.until(() => acknowledged.length === 2);
    expect(writes()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    await journal.close();
  });

  test("that are large, then they go into several writes, each whole", async () => {
    const { journal, append, acknowledged, writes } = watched({}, 16 * 1024 * 1024);
    const large = "x".repeat(400 * 1024);
    for (let n = 1; n <= 5; n += 1) append(n, large);
    await kit.until(() => acknowledged.length === 5);
    expect(writes()).toEqual([[1, 2], [3, 4], [5]]);
    await journal.close();
  });
});

describe("given a segment that fills up", () => {
  test("then it says so, the next one goes on, and no record is in two", async () => {
    const { journal, append, acknowledged, writes } = watched();
    const text = "x".repeat(900);
    for (let n = 1; n <= 12; n += 1) {
      append(n, text);
      await kit.until(() => acknowledged.length === n);
    }
    const said = writes().flat();
    expect(said.filter((name) => typeof name === "number")).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
    ]);
    expect(said.indexOf("continued")).toBe(4);
    expect(acknowledged).toEqual([1, 2, 3, 4, 6, 7, 8, 9, 11, 12, 13, 14]);
    expect(journal.position.segment).toBe(3);
    await journal.close();
  });

  test("while a batch waits, then that batch goes whole into the next one", async () => {
    const { journal, append, acknowledged, writes, hold } = watched();
    hold(true);
    append(1, "x".repeat(2_000));
    await kit.until(() => writes().length === 1);
    for (let n = 2; n <= 5; n += 1) append(n, "x".repeat(600));
    hold(false);
    await kit.until(() => acknowledged.length === 5);
    expect(writes()).toEqual([[1], ["continued"], [2, 3, 4, 5]]);
    expect(acknowledged).toEqual([1, 3, 4, 5, 6]);
    await journal.close();
  });

  test("by one record that is larger than a segment, then the segment grows for it", async () => {
    const { journal, append, acknowledged, writes } = watched();
    append(1);
    append(2, "x".repeat(20_000));
    append(3);
    await kit.until(() => acknowledged.length === 3);
    append(4);
    await kit.until(() => acknowledged.length === 4);
    expect(writes()).toEqual([[1, 2, 3], ["continued"], [4]]);
    await journal.close();
  });
});

describe("given a quiet journal", () => {
  test("when a moment has passed, then its last batch is sealed, once", async () => {
    const { journal, append, writes } = watched({ seal_after_ms: 1 });
    append(1);
    await kit.until(() => writes().length === 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    append(2);
    await kit.until(() => writes().length === 4);
    expect(writes()).toEqual([[1], ["sealed"], [2], ["sealed"]]);
    await journal.close();
    expect(writes().length).toBe(4);
  });

  test("when it is closed, then what is queued is written and sealed", async () => {
    const { journal, append, acknowledged, writes } = watched();
    append(1);
    append(2);
    await journal.close();
    expect(acknowledged).toEqual([1, 2]);
    expect(writes()).toEqual([[1, 2], ["sealed"]]);
  });
});

describe("given a disk that is", () => {
  /** Whether the loop waited for each write of `count` batches, which take so many ms. */
  async function waits(
    ms: (write: number) => number,
    count: number,
    chars = 0,
  ): Promise<boolean[]> {
    const seen: boolean[] = [];
    let clock = 0;
    const now = vi.spyOn(performance, "now").mockImplementation(() => clock);
    onTestFinished(() => now.mockRestore());
    const { journal, append, acknowledged } = watched(
      {
        disk: {
          ...kit.quickDisk,
          commit: (fd, bytes, position, done, mayBlock = false) => {
            clock += ms(seen.push(mayBlock));
            kit.quickDisk.commit(fd, bytes, position, done);
          },
        },
        segment_bytes: 1024 * 1024,
      },
      1024 * 1024,
    );
    for (let n = 1; n <= count; n += 1) {
      append(n, "x".repeat(chars));
      while (acknowledged.length < n) await new Promise(setImmediate);
    }
    const answer = seen.slice();
    await journal.close();
    return answer;
  }

  test("quick, then the loop waits for small writes, and not for large ones", async () => {
    expect(await waits(() => 0, 3)).toEqual([true, true, true]);
    expect(await waits(() => 0, 2, 100_000)).toEqual([false, false]);
  });

  test("slow once, then the loop waits again when it has been quick a few times", async () => {
    const seen = await waits((write) => (write === 3 ? 20 : 0.2), 30);
    expect(seen.slice(0, 3)).toEqual([true, true, true]);
    expect(seen[3]).toBe(false);
    expect(seen.slice(15)).not.toContain(false);
  });

  test("slow, then the loop waits for few of them, and tries again now and then", async () => {
    const seen = await waits(() => 5, 60);
    expect(seen[0]).toBe(true);
    expect(seen.slice(1, 51)).not.toContain(true);
    expect(seen.slice(51)).toContain(true);
  });
});

// The store in trouble: a disk that fails, and stores that cannot be opened.

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Disk, nodeDisk, type Written } from "../../../src/hosts/local/disk.js";
import { openStore } from "../../../src/hosts/local/store.js";
import { StoreError } from "../../../src/hosts/local/store-error.js";
import * as kit from "./store-kit.js";

const { runId } = kit;

describe("given a disk that fails", () => {
  test.each([
    ["refuses a write", (done: Written) => done(kit.systemError("EIO"), 0)],
    ["writes less than it was told to", (done: Written) => done(null, 10)],
  ])("when it %s, then nothing more is acknowledged, and the host is told", async (_name, act) => {
    let isBroken = false;
    const { store, decide, failures } = await kit.drive(undefined, {
      disk: {
        ...kit.quickDisk,
        commit: (fd, bytes, position, done) =>
          isBroken ? setImmediate(act, done) : kit.quickDisk.commit(fd, bytes, position, done),
      },
    });
    await decide(kit.created(1));
    isBroken = true;
    const acknowledged: number[] = [];
    void decide(kit.created(2)).then(() => acknowledged.push(2));
    void decide(kit.created(3)).then(() => acknowledged.push(3));
    await kit.until(() => failures.length > 0);
    isBroken = false;
    void decide(kit.created(4)).then(() => acknowledged.push(4));
    expect(failures.length).toBe(2);
    expect(failures[0]).toBeInstanceOf(StoreError);
    expect((failures[0] as StoreError).kind).toBe("disk");
    expect(store.busy()).toBeDefined();
    expect(store.counts().running).toBe(1);
    await store.close();
    expect(acknowledged).toEqual([]);
  });

  test("when documents cannot be written, then runs go on, and the documents follow", async () => {
    let isFull = true;
    const { store, folder, decide, troubles } = await kit.drive(undefined, {
      disk: {
        ...kit.quickDisk,
        open: (path, mode) => {
          if (isFull && path.endsWith(".writing.tmp")) throw kit.systemError("ENOSPC");
          return kit.quickDisk.open(path, mode);
        },
      },
    });
    await decide(kit.created(1));
    const ended = await decide(kit.completed(1));
    await kit.until(() => troubles.length > 0);
    expect(troubles).toEqual([expect.stringContaining("ENOSPC")]);
    expect(await store.get(runId(1))).toEqual(ended);
    isFull = false;
    const path = join(folder, "runs", `${runId(1)}.json`);
    await kit.until(() => existsSync(path));
    expect(JSON.parse(text(path))).toEqual(ended);
  });

  test("when the folder of documents is deleted, then checkpoints go on", async () => {
    const disk = { ...nodeDisk, syncTree: () => false };
    const small = { first_segment_bytes: 2048, segment_bytes: 2048, document_delay_ms: 1, disk };
    const { store, folder, decide, failures } = await kit.drive(undefined, small);
    for (let n = 1; store.stats().checkpoints < 3; n += 1) {
      await decide(kit.created(n));
      await decide(kit.completed(n));
      await kit.until(() => store.stats().documents_waiting === 0);
      rmSync(join(folder, "runs"), { recursive: true, force: true });
    }
    expect(failures).toEqual([]);
    await decide(kit.created(9_999));
    await store.close();
    expect(readdirSync(join(folder, "runs"))).toEqual([`${runId(9_999)}.json`]);
  });

  test("when there is no room for a next segment, then no new run should be taken", async () => {
    let isFull = true;
    const { store, decide, troubles, failures } = await kit.drive(undefined, {
      first_segment_bytes: 2048,
      segment_bytes: 2048,
      disk: {
        ...kit.quickDisk,
        open: (path, mode) => {
          if (isFull && path.endsWith("2.jsonl.tmp")) throw kit.systemError("ENOSPC");
          return kit.quickDisk.open(path, mode);
        },
      },
    });
    expect(store.busy()).toBeUndefined();
    for (let n = 1; n <= 4; n += 1) await decide(kit.created(n));
    await kit.until(() => troubles.length > 0);
    expect(store.busy()).toBe("The disk is full.");
    isFull = false;
    await kit.until(() => store.busy() === undefined);
    for (let n = 5; n <= 9; n += 1) await decide(kit.created(n));
    expect(failures).toEqual([]);
  });
});

describe("given a store that cannot be opened", () => {
  test("since it has another format, then it says which, and which program reads it", async () => {
    const { folder, store } = await kit.drive();
    await store.close();
    writeFileSync(join(folder, "store.json"), '{"format":1}');
    const error = await kit.opening(folder);
    expect([error.kind, error.file]).toEqual(["format", join(folder, "store.json")]);
    expect(error.message).toContain("format 1");
  });

  test("since its journal is gone, then it is refused and left alone", async () => {
    const { folder, store } = await kit.drive();
    await store.close();
    rmSync(join(folder, "journal"), { recursive: true });
    expect((await kit.opening(folder)).kind).toBe("missing");
    expect(readdirSync(join(folder, "journal"))).toEqual([]);
  });

  test("since a file stands where its folder should, then it names the file", async () => {
    const path = join(kit.makeFolder(), "store");
    writeFileSync(path, "");
    const error = await kit.opening(path);
    expect(error.kind).toBe("disk");
    expect(error.message).toContain(path);
  });

  test("then it is not locked for those who come after", async () => {
    const { folder, store } = await kit.drive();
    await store.close();
    writeFileSync(join(folder, "store.json"), '{"format":1}');
    await kit.opening(folder);
    writeFileSync(join(folder, "store.json"), '{"format":3}');
    await (await kit.drive(folder)).store.close();
  });
});

test("given a durable record whose run is not published, then that is a crash", async () => {
  const crashes: unknown[] = [];
  const disk: Disk = {
    ...kit.quickDisk,
    commit: (fd, bytes, position, done) =>
      kit.quickDisk.commit(fd, bytes, position, (error, written) => {
        try {
          done(error, written);
        } catch (crash) {
          crashes.push(crash);
        }
      }),
  };
  const store = await openStore(join(kit.makeFolder(), "store"), { onFailure() {}, disk });
  store.append(kit.created(1), () => {});
  await kit.until(() => crashes.length > 0);
  expect(String(crashes[0])).toContain("was not published");
});

function text(path: string): string {
  return existsSync(path) ? readFileSync(path, "utf8") : "";
}

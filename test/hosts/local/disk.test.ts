// What "durable" rests on: the flags of the journal's descriptor, and the order of a file's syncs.

import { constants, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Disk, nodeDisk } from "../../../src/hosts/local/disk.js";
import { writeDurable } from "../../../src/hosts/local/files.js";
import { openStore } from "../../../src/hosts/local/store.js";

function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), "flows-disk-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Every call of the disk, in order, by name. */
function recorded(calls: string[]): Disk {
  return new Proxy(nodeDisk, {
    get: (disk, name: keyof Disk) => {
      const call = disk[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        calls.push(name === "open" ? `open ${args[1]}` : name);
        return call(...args);
      };
    },
  });
}

describe("the journal's descriptor", () => {
  it("makes each write durable before it answers, as the kernel itself says", () => {
    const file = join(folder(), "segment");
    writeFileSync(file, "\n\n\n");
    const fd = nodeDisk.open(file, "commit");
    const info = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    nodeDisk.close(fd);
    const flags = Number.parseInt(/flags:\s*(\d+)/.exec(info)?.[1] ?? "0", 8);
    expect(flags & constants.O_DSYNC).toBe(constants.O_DSYNC);
  });
});

describe("a commit", () => {
  function commit(fd: number, mayBlock: boolean): { answers: unknown[]; atOnce: number } {
    const answers: unknown[] = [];
    const done = (error: Error | null, written: number): void =>
      void answers.push(error ?? written);
    nodeDisk.commit(fd, Buffer.from("ab"), 1, done, mayBlock);
    return { answers, atOnce: answers.length };
  }

  it("answers before it returns where it may block, and afterwards where it may not", async () => {
    const file = join(folder(), "segment");
    writeFileSync(file, "\n\n\n\n");
    const fd = nodeDisk.open(file, "commit");
    expect(commit(fd, true).answers).toEqual([2]);
    expect(readFileSync(file, "utf8")).toBe("\nab\n");
    const later = commit(fd, false);
    expect(later.atOnce).toBe(0);
    await expect.poll(() => later.answers).toEqual([2]);
    nodeDisk.close(fd);
  });

  it("answers what went wrong in the same way", () => {
    const file = join(folder(), "segment");
    writeFileSync(file, "");
    const fd = nodeDisk.open(file, "read");
    expect(commit(fd, true).answers).toEqual([expect.objectContaining({ code: "EBADF" })]);
    nodeDisk.close(fd);
  });
});

describe("a durable file", () => {
  it("is written and synced under another name, then renamed, and the folder synced", async () => {
    const calls: string[] = [];
    await writeDurable(join(folder(), "file.json"), "{}", recorded(calls));
    const order = ["open create", "writeLater", "syncLater", "close", "rename", "syncFolderLater"];
    expect(calls).toEqual(order);
  });
});

describe("a store", () => {
  it("syncs a version before it says that it has it: a run may start with it at once", async () => {
    const calls: string[] = [];
    const store = await openStore(join(folder(), "store"), {
      disk: recorded(calls),
      onFailure: (error) => {
        throw error;
      },
    });
    calls.length = 0;
    const workflow = { id: "a", name: "a", entry_point: "s", max_steps: 1, steps: [] };
    await store.saveVersion("0".repeat(64), workflow);
    const synced = ["syncLater", "close", "rename", "syncFolderLater"];
    expect(calls.filter((call) => synced.includes(call))).toEqual(synced);
    await store.close();
  });

  it("is for its owner's eyes: contexts and outputs may be confidential", async () => {
    const dir = join(folder(), "store");
    const store = await openStore(dir, {
      onFailure: (error) => {
        throw error;
      },
    });
    await store.saveVersion("0".repeat(64), {
      id: "a",
      name: "a",
      entry_point: "s",
      max_steps: 1,
      steps: [],
    });
    for (const name of [".", "journal", "runs", "versions"]) {
      expect(statSync(join(dir, name)).mode & 0o777, name).toBe(0o700);
    }
    const version = join(dir, "versions", `${"0".repeat(64)}.json`);
    for (const file of [version, join(dir, "lock"), join(dir, "store.json")]) {
      expect(statSync(file).mode & 0o077, file).toBe(0);
    }
    await store.close();
  });
});

// The lock: one owner at a time, freed by the owner's death, whatever the lock file says.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readOwner, takeLock } from "../../../src/hosts/local/lock.js";
import { StoreError } from "../../../src/hosts/local/store-error.js";
import { makeFolder, until } from "./store-kit.js";

const DIST = new URL("../../../dist/hosts/local/", import.meta.url).href;

function thrown(act: () => unknown): StoreError {
  try {
    act();
  } catch (error) {
    if (error instanceof StoreError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

/** A process that takes the lock, says whether it has it in its exit code, and holds it. */
function rival(folder: string, thenWait: boolean): ChildProcess {
  const script = `
    import { takeLock } from "${DIST}lock.js";
    try { takeLock(process.argv[1]); }
    catch (error) { process.exit(error.kind === "locked" ? 3 : 1); }
    process.send?.("locked");
    ${thenWait ? "setInterval(() => {}, 1000);" : ""}`;
  const args = ["--input-type=module", "-e", script, folder];
  return spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
}

describe("given a store that this process owns", () => {
  test("when another asks for it, then it is refused and told who has it and where", async () => {
    const folder = makeFolder();
    const lock = takeLock(folder);
    lock.setAddress("http://127.0.0.1:8000/a/long/address");
    lock.setAddress("http://127.0.0.1:8000");
    const error = thrown(() => takeLock(folder));
    expect(error.kind).toBe("locked");
    expect(error.owner).toEqual({ pid: process.pid, url: "http://127.0.0.1:8000" });
    expect(error.message).toContain(`process ${process.pid} at http://127.0.0.1:8000`);
    expect(await readOwner(folder)).toEqual(error.owner);
    expect(statSync(join(folder, "lock")).mode & 0o777).toBe(0o600);
    lock.release();
  });

  test("when it lets go, then another may have it, and the old address is gone", async () => {
    const folder = makeFolder();
    const lock = takeLock(folder);
    lock.setAddress("http://127.0.0.1:8000");
    lock.release();
    const next = takeLock(folder);
    expect(await readOwner(folder)).toEqual({ pid: process.pid });
    next.release();
  });

  test("when the lock file is deleted under it, then the next owner locks a new one", () => {
    const folder = makeFolder();
    const lock = takeLock(folder);
    rmSync(join(folder, "lock"));
    const next = takeLock(folder);
    expect(thrown(() => takeLock(folder)).kind).toBe("locked");
    lock.release();
    next.release();
  });
});

describe("given another process", () => {
  test("that holds the lock, when it is killed, then the lock is free", async () => {
    const folder = makeFolder();
    const child = rival(folder, true);
    await once(child, "message");
    const error = thrown(() => takeLock(folder));
    expect([error.kind, error.owner]).toEqual(["locked", { pid: child.pid }]);
    child.kill("SIGKILL");
    await once(child, "exit");
    takeLock(folder).release();
  });

  test("when ten race for one store, then one has it and nine are refused", async () => {
    const folder = makeFolder();
    const children = Array.from({ length: 10 }, () => rival(folder, true));
    let owners = 0;
    const codes: (number | null)[] = [];
    for (const child of children) {
      child.on("message", () => {
        owners += 1;
      });
      child.on("exit", (code) => codes.push(code));
    }
    await until(() => owners + codes.length === 10);
    expect([owners, codes]).toEqual([1, Array.from({ length: 9 }, () => 3)]);
    const ends = children.filter((child) => child.exitCode === null).map((c) => once(c, "exit"));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ends);
  });
});

test("given a lock file with nonsense that nobody holds, then it is no hindrance", async () => {
  const folder = makeFolder();
  expect(await readOwner(folder)).toBeUndefined();
  writeFileSync(join(folder, "lock"), '{"pid":');
  expect(await readOwner(folder)).toBeUndefined();
  writeFileSync(join(folder, "lock"), '{"pid":1,"url":"http://127.0.0.1:1"}');
  takeLock(folder).release();
  expect(await readOwner(folder)).toEqual({ pid: process.pid });
});

test("given a system without flock, then the refusal says what to install", () => {
  const folder = makeFolder();
  const path = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    const error = thrown(() => takeLock(folder));
    expect(error.kind).toBe("unsupported");
    expect(error.message).toContain("util-linux");
  } finally {
    process.env.PATH = path;
  }
});

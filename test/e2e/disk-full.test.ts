// A real server on a disk that is really full: what runs ends, what is new waits, and nothing is
// lost. Where no small file system can be mounted, the limit is that of a file's size.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ended, later, MAIN, type Place, place, serve, subscriber } from "../cli/harness.js";

const KIB = 1024;
/** Enough for the first segment and what is made with it, and not for the second. */
const FREE_BYTES = 2_200 * KIB;
const DISK_BYTES = 16 * 1024 * KIB;
const NOTE = "x".repeat(50 * KIB);

const canMount = ((): boolean => {
  const args = ["-m", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"];
  return spawnSync("unshare", args).status === 0 && process.getuid?.() === 0;
})();

/** A server with little room, and what gives it more, perhaps by a new start. */
interface Tight {
  url: string;
  /** Answers the address of the server that has room. */
  free(): Promise<string>;
}

const TIGHT: { [name: string]: (here: Place) => Promise<Tight> } = {
  ...(canMount && { "a file system that is full": fullDisk }),
  "files that may not grow": smallFiles,
};

describe("a server whose disk gets full", () => {
  it.each(Object.entries(TIGHT))(
    "(%s) refuses new runs, ends those it has, and takes new ones when there is room",
    { timeout: 180_000 },
    async (_name, tighten) => {
      const heard = await subscriber(200);
      const here = await place({ "flows/note.yaml": noteFlow(heard.url) });
      const { url, free } = await tighten(here);
      const acknowledged: string[] = [];
      const refusal = await triggerUntilRefused(url, acknowledged);
      expect(refusal.status).toBe(503);
      expect(refusal.headers.get("retry-after")).toBeDefined();
      expect(await refusal.json()).toMatchObject({ detail: "The disk is full." });
      expect(acknowledged.length).toBeGreaterThan(5);
      for (const id of acknowledged) {
        expect(await ended(url, id)).toMatchObject({ status: "completed" });
      }
      const health = await (await fetch(`${url}/health`)).json();
      expect(health).toMatchObject({
        status: "degraded",
        runs: { completed: acknowledged.length },
      });
      const roomy = await free();
      acknowledged.push(await triggerUntilTaken(roomy));
      for (const id of acknowledged) {
        expect(await ended(roomy, id)).toMatchObject({ status: "completed" });
      }
      expect(new Set(heard.keys).size).toBe(acknowledged.length);
    },
  );
});

describe.runIf(canMount)("a server on a file system of its own", () => {
  it("without inodes for documents: runs end, and the documents follow", async () => {
    const heard = await subscriber(200);
    const here = await place({ "flows/note.yaml": noteFlow(heard.url) });
    const store = mount(here, `size=${DISK_BYTES},nr_inodes=24`);
    const server = await serve(here);
    const ids: string[] = [];
    for (let n = 0; n < 30; n += 1) ids.push((await trigger(server.url, "a note")).id);
    for (const id of ids) {
      expect(await ended(server.url, id)).toMatchObject({ status: "completed" });
    }
    const documents = (): number => readdirSync(join(store, "runs")).length;
    expect(documents()).toBeLessThan(ids.length);
    spawnSync("mount", ["-o", "remount,nr_inodes=1000", store]);
    while (documents() < ids.length) await pause(50);
    server.child.kill("SIGTERM");
    const { code, stderr } = await server.done;
    expect(code).toBe(0);
    expect(stderr).toContain("Run documents cannot be written: ENOSPC");
  });

  it("that may only be read: it does not start, and says why in a sentence", async () => {
    const here = await place({ "flows/note.yaml": noteFlow("http://127.0.0.1:9/") });
    expect((await here.flows(["sync"])).code).toBe(0);
    const store = mount(here, "ro");
    const { code, stderr } = await here.flows(["serve", "--port", "0"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/flows: The disk failed while opening the store .*EROFS/);
    expect(stderr).toContain(store);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

async function fullDisk(here: Place): Promise<Tight> {
  const store = mount(here, `size=${DISK_BYTES}`);
  const filler = join(store, "filler");
  const fd = openSync(filler, "w");
  writeSync(fd, Buffer.alloc(DISK_BYTES - FREE_BYTES));
  closeSync(fd);
  const { url } = await serve(here);
  const free = async (): Promise<string> => {
    rmSync(filler);
    return url;
  };
  return { url, free };
}

async function smallFiles(here: Place): Promise<Tight> {
  const limited = spawn(
    "bash",
    ["-c", 'ulimit -f 2000; exec "$0" "$@"', process.execPath, MAIN, "serve", "--port", "0"],
    { cwd: here.dir, stdio: ["ignore", "pipe", "ignore"] },
  );
  const gone = new Promise<void>((resolved) => limited.once("exit", () => resolved()));
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    limited.kill(signal);
    await gone;
  };
  later(() => stop("SIGKILL"));
  const url = await addressOf(limited);
  const free = async (): Promise<string> => {
    await stop("SIGTERM");
    return (await serve(here)).url;
  };
  return { url, free };
}

/** A small file system where the store will be. */
function mount(here: Place, options: string): string {
  const store = join(here.dir, ".workflows");
  mkdirSync(store, { recursive: true });
  const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", store]);
  if (status !== 0) throw new Error(String(stderr));
  later(async () => void spawnSync("umount", ["-l", store]));
  return store;
}

function noteFlow(url: string): string {
  return `id: note
context:
  type: object
  properties: { note: { type: string } }
steps:
  - { id: wait, type: delay, config: { seconds: 0.3 } }
  - { id: send, type: webhook, config: { url: "${url}" } }
`;
}

function addressOf({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolved) => {
    let text = "";
    stdout?.on("data", (chunk) => {
      text += chunk;
      const [url] = /^http:\S+$/m.exec(text) ?? [];
      if (url !== undefined) resolved(url);
    });
  });
}

async function trigger(url: string, note: string): Promise<{ id: string; answer: Response }> {
  const answer = await fetch(`${url}/api/workflows/note/trigger`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ context: { note } }),
  });
  if (answer.status !== 202) return { id: "", answer };
  return { id: ((await answer.json()) as { run_id: string }).run_id, answer };
}

async function triggerUntilRefused(url: string, acknowledged: string[]): Promise<Response> {
  for (let n = 0; n < 15; n += 1) {
    const { id, answer } = await trigger(url, NOTE);
    if (answer.status !== 202) return answer;
    acknowledged.push(id);
    // The next segment is made in the background.
    await pause(20);
  }
  for (;;) {
    const { id, answer } = await trigger(url, "");
    if (answer.status !== 202) return answer;
    acknowledged.push(id);
    await pause(50);
  }
}

async function triggerUntilTaken(url: string): Promise<string> {
  for (;;) {
    const { id, answer } = await trigger(url, NOTE);
    if (answer.status === 202) return id;
    await pause(100);
  }
}

// A server that has no room says so with 503 and Retry-After, drops nothing that it acknowledged,
// and takes runs again when there is room.

import { mkdtempSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Health } from "../../src/engine/runner.js";
import { type Disk, nodeDisk } from "../../src/hosts/local/disk.js";
import { type LocalHostOptions, openLocalHost } from "../../src/hosts/local/host.js";
import { startServer } from "../../src/server/server.js";
import { later, place } from "../cli/harness.js";

const SILENT = { info() {}, warn() {}, error() {} };

describe("a server that has no room", () => {
  it("for the journal's writes: refuses, acknowledges what waited, and goes on", async () => {
    const { disk, hold, release } = slowDisk();
    const { url, trigger, ended } = await server({ limits: { disk, max_journal_chars: 4_000 } });
    await ended(await trigger());
    hold();
    const waiting = Array.from({ length: 5 }, () => post(url, { text: "x".repeat(1_000) }));
    await until(async () => (await health(url)).store.trouble !== null);
    const refused = await post(url);
    expect(refused).toMatchObject(busy("Too much waits to be written to the journal."));
    release();
    const taken = (await Promise.all(waiting)).filter(({ status }) => status === 202);
    expect(taken.length).toBeGreaterThan(1);
    for (const { body } of taken) expect(await ended(body.run_id)).toBe("completed");
    await ended(await trigger());
    expect(await health(url)).toMatchObject({ status: "ok", store: { trouble: null } });
  });

  it("for run documents: refuses, says why, and lets those that run end", async () => {
    let isFull = false;
    const disk: Disk = {
      ...nodeDisk,
      open(path, mode) {
        if (isFull && path.endsWith(".writing.tmp")) throw noSpace();
        return nodeDisk.open(path, mode);
      },
    };
    const { url, trigger, ended } = await server({ limits: { disk, max_document_chars: 2_000 } });
    await ended(await trigger());
    isFull = true;
    const taken = [];
    for (;;) {
      const { status, body } = await post(url);
      if (status !== 202) break;
      taken.push(body.run_id);
      await ended(body.run_id);
    }
    await until(async () => (await health(url)).store.trouble?.includes("ENOSPC") === true);
    expect(await post(url)).toMatchObject(busy(/^Run documents cannot be written: .*ENOSPC/));
    const { status, store } = await health(url);
    expect(status).toBe("degraded");
    expect(store.documents_waiting).toBeGreaterThanOrEqual(taken.length);
    isFull = false;
    await until(async () => (await health(url)).store.trouble === null);
    await ended(await trigger());
    for (const id of taken) expect(await ended(id)).toBe("completed");
  });

  it("for the journal's next segment: runs that run end, and new ones are refused", async () => {
    let isFull = false;
    const disk: Disk = {
      ...nodeDisk,
      open(path, mode) {
        if (isFull && path.endsWith(".jsonl.tmp")) throw noSpace();
        return nodeDisk.open(path, mode);
      },
    };
    const { heard, url, ended } = await server({ limits: { disk, first_segment_bytes: 8_192 } });
    heard.hold();
    const { body } = await post(url, { call: true });
    await until(async () => heard.count() === 1);
    isFull = true;
    let refused = await post(url);
    while (refused.status === 202) refused = await post(url);
    expect(refused).toMatchObject(busy("The disk is full."));
    expect(await health(url)).toMatchObject({ store: { trouble: "The disk is full." } });
    heard.release();
    expect(await ended(body.run_id)).toBe("completed");
    isFull = false;
    await until(async () => (await post(url)).status === 202);
  });

  it("for steps at work: refuses until one of them has ended", async () => {
    const { heard, url, ended } = await server({ limits: { max_calls: 2 } });
    heard.hold();
    const taken = [await post(url, { call: true }), await post(url, { call: true })];
    await until(async () => heard.count() === 2);
    expect(await post(url, { call: true })).toMatchObject(busy("Too many steps are at work."));
    heard.release();
    for (const { body } of taken) expect(await ended(body.run_id)).toBe("completed");
    expect((await post(url, { call: true })).status).toBe(202);
  });
});

describe("flows trigger at a server that has no room", () => {
  it("says that nothing was started; with a key it asks until there is room", async () => {
    const { heard, url, dir } = await server({ limits: { max_calls: 1 } });
    const here = await place({});
    const args = ["trigger", "any", "--flows", `${dir}/flows`, "--store", `${dir}/.workflows`];
    heard.hold();
    await post(url, { call: true });
    await until(async () => heard.count() === 1);
    const without = await here.flows(args);
    expect(without.code).toBe(4);
    expect(without.stderr).toContain("nothing was started");
    const withKey = here.start([...args, "--idempotency-key", "k"]);
    await withKey.said(/tried again until there is room/);
    heard.release();
    const { code, stdout } = await withKey.done;
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^run_/)]);
  });
});

interface Answered {
  status: number;
  retry_after: string | null;
  type: string | null;
  body: { run_id: string; kind?: string; detail?: string };
}

function busy(detail: string | RegExp) {
  const said = typeof detail === "string" ? detail : expect.stringMatching(detail);
  return {
    status: 503,
    retry_after: "1",
    type: "application/problem+json",
    body: { kind: "busy", detail: said },
  };
}

async function post(url: string, context: object = {}): Promise<Answered> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ context });
  const answer = await fetch(`${url}/api/workflows/any/trigger`, { method: "POST", headers, body });
  return {
    status: answer.status,
    retry_after: answer.headers.get("retry-after"),
    type: answer.headers.get("content-type"),
    body: (await answer.json()) as Answered["body"],
  };
}

async function health(url: string): Promise<Health> {
  return (await (await fetch(`${url}/health`)).json()) as Health;
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function server(options: Pick<LocalHostOptions, "limits">) {
  const dir = mkdtempSync(join(tmpdir(), "flows-full-"));
  later(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  const heard = await receiver();
  await mkdir(join(dir, "flows"));
  writeFileSync(join(dir, "flows", "any.yaml"), flow(heard.url));
  const host = await openLocalHost({
    ...{ flows: join(dir, "flows"), store: join(dir, ".workflows"), watch: false },
    ...{ version: "1.2.3", log: SILENT },
    onFailure: (error) => {
      throw error;
    },
    ...options,
  });
  const { url, close } = await startServer(host, { host: "127.0.0.1", port: 0, version: "1.2.3" });
  host.setAddress(url);
  later(async () => {
    await close();
    await host.close();
  });
  const ended = async (id: string) => {
    let status = "";
    await until(async () => {
      const run = await host.runner.get(id);
      status = run?.status ?? "";
      return run?.finished_at !== null;
    });
    return status;
  };
  return { dir, heard, url, trigger: async () => (await post(url)).body.run_id, ended };
}

function flow(url: string): string {
  return `id: any
name: Calls somebody, if asked to
steps:
  - { id: a, type: set, config: { values: { a: 1 } } }
  - { id: b, type: webhook, config: { url: "${url}" }, if: "'call' in context" }
`;
}

/** Keeps each request waiting while it is held. */
async function receiver() {
  const waiting: ServerResponse[] = [];
  let isHeld = false;
  const listening = createServer((_, response) => {
    if (isHeld) waiting.push(response);
    else response.writeHead(200).end();
  });
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  later(async () => {
    listening.closeAllConnections();
    listening.close();
  });
  return {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/`,
    count: () => waiting.length,
    hold() {
      isHeld = true;
    },
    release() {
      isHeld = false;
      for (const response of waiting.splice(0)) response.writeHead(200).end();
    },
  };
}

/** Keeps each write of the journal waiting while it is held. */
function slowDisk() {
  const held: (() => void)[] = [];
  let isHeld = false;
  const disk: Disk = {
    ...nodeDisk,
    commit(...args) {
      if (isHeld) held.push(() => nodeDisk.commit(...args));
      else nodeDisk.commit(...args);
    },
  };
  const hold = (): void => {
    isHeld = true;
  };
  const release = (): void => {
    isHeld = false;
    for (const go of held.splice(0)) go();
  };
  return { disk, hold, release };
}

function noSpace(): NodeJS.ErrnoException {
  return Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
}

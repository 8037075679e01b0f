// The event stream of a run: what goes over the wire, how it resumes, and how it is bounded.

import { once } from "node:events";
import { connect } from "node:net";
import { request } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Change } from "../../src/engine/runner.js";
import { SAFE_HEADERS } from "../../src/server/answer.js";
import { matches, startTest, type TestServer } from "./test-server.js";

let server: TestServer;
let run_id: string;
beforeEach(async () => {
  server = await startTest({ limits: { max_streams: 2 } });
  run_id = await server.trigger();
});
afterEach(() => server.close());

interface Frame {
  id: string;
  event: string;
  data: { run: { status: string }; event: { type: string } | null };
}

function framesOf(text: string): Frame[] {
  const blocks = text.split("\n\n").filter((block) => block !== "" && !block.startsWith(":"));
  return blocks.map((block) => {
    const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
    return { ...fields, data: JSON.parse(fields.data) } as Frame;
  });
}

async function open(headers: { [name: string]: string } = {}) {
  return request(`${server.url}/api/runs/${run_id}/events`, { headers });
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("GET /api/runs/{run_id}/events", () => {
  it("sends the run as it is, then each change with its event, and ends with the run", async () => {
    const { statusCode, headers, body } = await open();
    expect(statusCode).toBe(200);
    expect(headers["content-type"]).toBe("text/event-stream");
    expect(headers).toMatchObject(SAFE_HEADERS);
    await until(() => server.host.watching === 1);
    server.host.finish(run_id);
    const frames = framesOf(await body.text());
    const [first, ...rest] = frames;
    expect(first).toMatchObject({
      event: "run",
      data: { run: { status: "running" }, event: null },
    });
    expect(rest.map(({ event }) => event)).toEqual([
      "step_completed",
      "step_started",
      "step_completed",
      "run_completed",
    ]);
    for (const { event, data } of rest) expect(data.event?.type).toBe(event);
    expect(frames.at(-1)?.data.run.status).toBe("completed");
    expect(new Set(frames.map(({ id }) => id)).size).toBe(frames.length);
    for (const { data } of frames) {
      expect(matches(data.run, ["components", "schemas", "Run"])).toEqual([]);
    }
  });

  it("goes on after the last change that was seen", async () => {
    const whole = (await open()).body.text();
    await until(() => server.host.watching === 1);
    server.host.finish(run_id);
    const frames = framesOf(await whole);
    const { body } = await open({ "last-event-id": frames[2]!.id });
    expect(framesOf(await body.text())).toEqual(frames.slice(3));
  });

  it("sends the whole run where the changes since are gone", async () => {
    server.host.finish(run_id);
    const { body } = await open({ "last-event-id": "long-ago" });
    const frames = framesOf(await body.text());
    expect(frames).toMatchObject([{ event: "run", data: { run: { status: "completed" } } }]);
  });

  it("answers 204 where nothing will come any more, so that a browser stays away", async () => {
    server.host.finish(run_id);
    const [{ id }] = framesOf(await (await open()).body.text()) as [Frame];
    const path = `/api/runs/${run_id}/events`;
    expect((await server.get(path, { "last-event-id": id })).status).toBe(204);
    expect(server.host.watching).toBe(0);
  });

  it("knows no run that is not there", async () => {
    const reply = await server.get(`/api/runs/run_${"7".repeat(26)}/events`);
    expect([reply.status, reply.body.kind]).toEqual([404, "unknown_run"]);
  });

  it.each(["", "a b", "x".repeat(129)])("refuses the Last-Event-ID %j", async (id) => {
    const reply = await server.get(`/api/runs/${run_id}/events`, { "last-event-id": id });
    expect([reply.status, reply.body.kind]).toEqual([400, "invalid_request"]);
  });

  it("answers HEAD without watching", async () => {
    const reply = await server.send("HEAD", `/api/runs/${run_id}/events`);
    expect([reply.status, server.host.watching]).toEqual([200, 0]);
  });

  it("stops watching when the client goes away", async () => {
    const { body } = await open();
    await until(() => server.host.watching === 1);
    body.on("error", () => {}).destroy();
    await until(() => server.host.watching === 0);
  });

  it("refuses a stream too many, and takes one again when another has ended", async () => {
    const streams = [await open(), await open()];
    await until(() => server.host.watching === 2);
    const refused = await server.get(`/api/runs/${run_id}/events`);
    expect([refused.status, refused.body.kind]).toEqual([503, "busy"]);
    expect(refused.headers["retry-after"]).toBe("1");
    server.host.finish(run_id);
    for (const { body } of streams) await body.text();
    expect((await open()).statusCode).toBe(200);
  });

  it("gives the place back when the host fails", async () => {
    const { watch } = server.host.runner;
    for (let i = 0; i < 5; i++) {
      server.host.runner.watch = () => Promise.reject(new Error("no"));
      expect((await server.get(`/api/runs/${run_id}/events`)).status).toBe(500);
    }
    server.host.runner.watch = watch;
    expect((await open()).statusCode).toBe(200);
  });

  it("ends a stream whose changes break off, and says why in the log", async () => {
    server.host.runner.watch = async () => broken();
    const text = await (await open()).body.text();
    expect(framesOf(text)).toEqual([]);
    expect(server.logged).toMatchObject([{ err: { message: "torn" } }]);
  });
});

// biome-ignore lint/correctness/useYield: it breaks off before the first
async function* broken(): AsyncGenerator<Change> {
  throw new Error("torn");
}

describe("a silent stream", () => {
  it("shows signs of life", async () => {
    const quick = await startTest({ limits: { heartbeat_ms: 10 } });
    const id = await quick.trigger();
    const { body } = await request(`${quick.url}/api/runs/${id}/events`);
    let text = "";
    for await (const chunk of body) {
      text += chunk;
      if (text.split(": still here\n\n").length > 3) break;
    }
    expect(framesOf(text)).toHaveLength(1);
    await quick.close();
  });

  it("is cut when its client does not read", async () => {
    const quick = await startTest({ limits: { heartbeat_ms: 10 } });
    const id = await quick.trigger();
    const { run } = quick.host.kept.get(id)!;
    const big = { ...run, context: { text: "x".repeat(1_000_000) } };
    let sent = 0;
    quick.host.runner.watch = async (_, __, signal) =>
      (async function* (): AsyncGenerator<Change> {
        while (!signal.aborted) yield { id: `${sent++}`, type: "run", run: big };
      })();
    const socket = connect(quick.port, "127.0.0.1").pause();
    const head = `GET /api/runs/${id}/events HTTP/1.1\r\nhost: 127.0.0.1:${quick.port}`;
    socket.write(`${head}\r\n\r\n`);
    await until(() => sent > 1);
    socket.on("error", () => {});
    const before = await settled(() => sent);
    expect(before).toBeLessThan(100);
    socket.resume();
    await once(socket, "close");
    await quick.close();
  });
});

/** What a number is once it has stopped growing. */
async function settled(read: () => number): Promise<number> {
  for (let last = -1; ; ) {
    if (read() === last) return last;
    last = read();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

describe("a trigger that waits", () => {
  const path = "/api/workflows/invoice_reminder/trigger?wait=5m";

  it("is bounded in number, and refused before anything is started", async () => {
    const small = await startTest({ limits: { max_waits: 1 } });
    const waiting = small.post(path);
    await until(() => small.host.watching === 1);
    const refused = await small.post(path);
    expect([refused.status, refused.body.kind]).toEqual([503, "busy"]);
    expect(small.host.kept.size).toBe(1);
    small.host.finish([...small.host.kept.keys()][0]!);
    expect((await waiting).status).toBe(200);
    await small.close();
  });

  it("stops watching when its client goes away", async () => {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(`POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${server.port}\r\n\r\n`);
    await until(() => server.host.watching === 1);
    socket.destroy();
    await until(() => server.host.watching === 0);
  });
});

// How many connections a server holds: as many as leave its store the files that it needs.

import { connect, type Socket } from "node:net";
import { request } from "undici";
import { expect, it, onTestFinished, vi } from "vitest";
import { MAX_CONNECTIONS } from "../../src/limits.js";
import { mostConnections } from "../../src/server/open-files.js";
import { startTest } from "./test-server.js";

function mayOpen(soft: number | "unlimited" | undefined): void {
  const report = soft === undefined ? {} : { userLimits: { open_files: { soft } } };
  const spy = vi.spyOn(process.report, "getReport").mockReturnValue(report);
  onTestFinished(() => spy.mockRestore());
}

it.each([
  [1_024, 682],
  [1_000_000, MAX_CONNECTIONS],
  ["unlimited", MAX_CONNECTIONS],
  [undefined, MAX_CONNECTIONS],
] as const)("given %s files, holds at most %d connections", (files, connections) => {
  mayOpen(files);
  expect(mostConnections()).toBe(connections);
});

it("given few files, lets in no more, and keeps a quarter at most for event streams", async () => {
  mayOpen(12);
  const server = await startTest();
  onTestFinished(() => server.close());
  const run_id = await server.trigger();
  const statuses: number[] = [];
  for (let n = 0; n < 3; n += 1) {
    const { statusCode, body } = await request(`${server.url}/api/runs/${run_id}/events`);
    statuses.push(statusCode);
    body.on("error", () => {});
  }
  // Of 12 files 8 are for connections, and of these 2 for streams.
  expect(statuses).toEqual([200, 200, 503]);

  const ends = await Promise.all(Array.from({ length: 10 }, () => lifeOf(server.port)));
  expect(ends.filter((end) => end === "open").length).toBeLessThanOrEqual(8);
  expect(ends).toContain("closed");
});

/** What has become of a connection that asks for nothing, after a moment. */
function lifeOf(port: number): Promise<"open" | "closed"> {
  return new Promise((resolve) => {
    const socket: Socket = connect(port, "127.0.0.1");
    socket.on("error", () => resolve("closed")).on("close", () => resolve("closed"));
    setTimeout(() => resolve("open"), 300);
    onTestFinished(() => void socket.destroy());
  });
}

// Access through the built command: tokens over a running server, and whose the store's files are.

import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { place, reminder, serve, subscriber } from "../cli/harness.js";

it("tokens come and go while the server runs; the store is its owner's alone", async () => {
  const umask = process.umask(0o000);
  try {
    const heard = await subscriber(200);
    const here = await place({ "flows/reminder.yaml": reminder(heard.url, 0) });
    const server = await serve(here, [], { FLOWS_SECRET_OTHER: "not needed" });
    const status = async (path: string, token?: string, method = "GET") => {
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      return (await fetch(server.url + path, { method, headers })).status;
    };
    expect(await status("/api/workflows/reminder/trigger?wait=30s", undefined, "POST")).toBe(200);
    const made = await here.flows(["token", "create", "--name", "ci", "--scope", "trigger"]);
    const token = made.stdout.trim();
    expect(await status("/health")).toBe(401);
    expect(await status("/health", token)).toBe(200);
    expect(await status("/api/workflows/reminder/trigger", token, "POST")).toBe(202);
    expect(await status("/api/sync", token, "POST")).toBe(403);
    const env = { FLOWS_TOKEN: token };
    expect((await here.flows(["runs"], { env })).code).toBe(0);
    expect((await here.flows(["token", "list"])).stdout).toMatch(/^ci +trigger +2/m);
    expect((await here.flows(["token", "revoke", "--name", "ci"])).code).toBe(0);
    expect(await status("/health", token)).toBe(401);
    expect((await here.flows(["token", "revoke", "--name", "ci"])).code).toBe(3);
    expect((await here.flows(["token", "create", "--scope", "root"])).code).toBe(2);
    server.child.kill("SIGTERM");
    await server.done;
    expect(await modes(join(here.dir, ".workflows"))).toEqual(["file 600", "folder 700"]);
  } finally {
    process.umask(umask);
  }
});

/** Of everything in a folder, the folder among it, each once. */
async function modes(folder: string): Promise<string[]> {
  const names = ["", ...(await readdir(folder, { recursive: true }))];
  const found = names.map(async (name) => {
    const stat = await lstat(join(folder, name));
    return `${stat.isDirectory() ? "folder" : "file"} ${(stat.mode & 0o777).toString(8)}`;
  });
  expect(names.length).toBeGreaterThan(8);
  return [...new Set(await Promise.all(found))].sort();
}

// How long a trigger takes until it is acknowledged, one after the other, beside a synced append:
// in this process, and through HTTP.

import { closeSync, fdatasyncSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Pool } from "undici";
import { startChild } from "./child.mjs";
import { openHost, start } from "./host.mjs";
import { inTemporaryFolder, median, row } from "./measure.mjs";

const ROUNDS = 11;
const COUNT = 150;
/**
 * A server runs for months, so what is measured is a server that has run for some seconds: until
 * then V8 interprets most of it, and a trigger takes twice the time.
 */
const WARM_UP = 4_000;

export function latency() {
  return inTemporaryFolder(async (folder) => {
    const host = await openHost(join(folder, "here"));
    const server = await startServer(join(folder, "there"));
    const pool = new Pool(server.url, { connections: 1, pipelining: 1 });
    const fd = openSync(join(folder, "floor.bin"), "a");
    const seen = { sync: [], host: [], http: [] };
    try {
      await medianMs(() => start(host, "sleeper"), WARM_UP);
      await medianMs(() => trigger(pool), WARM_UP);
      for (let round = 0; round < ROUNDS; round++) {
        seen.sync.push(await medianMs(() => append(fd)));
        seen.host.push(await medianMs(() => start(host, "sleeper")));
        seen.http.push(await medianMs(() => trigger(pool)));
      }
    } finally {
      closeSync(fd);
      await pool.destroy();
      await server.stop();
      await host.close();
    }
    const floor = ["append and fdatasync", seen.sync];
    return [
      row("acknowledged trigger, p50, in process", seen.host, "ms", ...floor, "<= 1.3"),
      row("acknowledged trigger, p50, through HTTP", seen.http, "ms", ...floor, "<= 2.5"),
    ];
  });
}

function startServer(folder) {
  const flows = join(folder, "flows");
  mkdirSync(flows, { recursive: true });
  const steps = [{ id: "one", type: "delay", config: { seconds: 86_400 } }];
  writeFileSync(join(flows, "sleeper.yaml"), JSON.stringify({ id: "sleeper", steps }));
  const place = ["--flows", flows, "--store", join(folder, "store")];
  return startChild(["dist/cli/main.js", "serve", "--json", "--port", "0", ...place]);
}

async function medianMs(act, count = COUNT) {
  const times = [];
  for (let n = 0; n < count; n++) {
    const from = performance.now();
    await act();
    times.push(performance.now() - from);
  }
  return median(times);
}

const LINE = Buffer.alloc(200, "x");

function append(fd) {
  writeSync(fd, LINE);
  fdatasyncSync(fd);
}

async function trigger(pool) {
  const { statusCode, body } = await pool.request({
    path: "/api/workflows/sleeper/trigger",
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"context":{"invoice":42}}',
  });
  const text = await body.text();
  if (statusCode !== 202) throw new Error(`${statusCode}: ${text}`);
}

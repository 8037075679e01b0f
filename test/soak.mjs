// The tests that look for faults, with larger counts: `npm run soak`, or `npm run soak -- 50` for
// fifty times as many as in `npm test`.

import { spawnSync } from "node:child_process";

/** Each multiplies its counts by SOAK; the servers that are killed go by KILLS. */
const FILES = [
  "test/hosts/local/power-cut.test.ts",
  "test/hosts/local/crash-calls.test.ts",
  "test/hosts/local/race.test.ts",
  "test/hosts/local/saves.test.ts",
  "test/e2e/faults.test.ts",
  "test/e2e/disk-full.test.ts",
  "test/e2e/kill-often.test.ts",
  "test/e2e/hostile.test.ts",
];

const times = Number(process.argv[2] ?? 10);
if (!(times >= 1)) throw new Error("usage: npm run soak [-- TIMES], and TIMES is 1 or more");
const env = {
  ...process.env,
  SOAK: String(times),
  KILLS: String(200 * times),
  FLOWS_HOSTILE_COUNT: String(50_000 * times),
  DOWN_S: "60",
  SLOW_S: "30",
};
run("npx", ["vitest", "run", ...FILES]);
// Subscribers are down for a minute, and late by half of one; it throws if a run is lost.
run("node", ["test/bench/run.mjs", "--only", "load"]);

function run(command, args) {
  const { status } = spawnSync(command, args, { env, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}

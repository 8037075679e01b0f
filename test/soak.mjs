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
];

const times = Number(process.argv[2] ?? 10);
if (!(times >= 1)) throw new Error("usage: npm run soak [-- TIMES], and TIMES is 1 or more");
const env = { ...process.env, SOAK: String(times), KILLS: String(200 * times) };
const { status } = spawnSync("npx", ["vitest", "run", ...FILES], { env, stdio: "inherit" });
process.exit(status ?? 1);

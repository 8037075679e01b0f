// How long `flows --version` takes, beside a Node that does nothing.

import { spawnSync } from "node:child_process";
import { row } from "./measure.mjs";

const ROUNDS = 21;

/** Interleaved, so that whatever else the machine does falls on both. */
export async function coldStart() {
  const nothing = [];
  const version = [];
  for (let i = 0; i < ROUNDS; i++) {
    nothing.push(timeOf(["-e", "0"]));
    version.push(timeOf(["dist/cli/main.js", "--version"]));
  }
  return [row("cold `flows --version`", version, "ms", "`node -e 0`", nothing, "< 2")];
}

function timeOf(args) {
  const from = performance.now();
  const ended = spawnSync(process.execPath, args, { encoding: "utf8" });
  const ms = performance.now() - from;
  if (ended.status !== 0) throw new Error(`node ${args.join(" ")}: ${ended.stderr}`);
  return ms;
}

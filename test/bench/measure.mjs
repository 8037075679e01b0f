// What all figures share: medians, rows, the floors, and a load of HTTP requests.

import {
  closeSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";

const TMPFS = 0x01021994;

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * One line of the table. `measured` and `floor` are numbers, or lists of them, one an interleaved
 * round: then the ratio is the median of the rounds' ratios, which a busy moment cannot turn.
 * A target is `>= 0.7` of the ratio; with a unit, `< 512 MiB`, it is one of what was measured.
 */
export function row(figure, measured, unit, floorName = "", floor = null, target = undefined) {
  const tops = [measured].flat();
  const floors = floor === null ? [] : [floor].flat();
  const ratio = floor === null ? null : median(floors.map((value, i) => tops[i] / value));
  const top = median(tops);
  return {
    figure,
    measured: top,
    unit,
    floor: { name: floorName, value: floor === null ? null : median(floors) },
    ratio,
    ...(target !== undefined && { target, result: resultOf(target, ratio, top) }),
  };
}

const REACHED = {
  ">=": (value, bound) => value >= bound,
  "<=": (value, bound) => value <= bound,
  "<": (value, bound) => value < bound,
};

function resultOf(target, ratio, measured) {
  const [, sign, digits, unit] = /^(>=|<=|<) ([\d.,]+)(.*)$/.exec(target) ?? [];
  if (sign === undefined) throw new Error(`${target} is no target`);
  const value = unit === "" ? (ratio ?? measured) : measured;
  return REACHED[sign](value, Number(digits.replaceAll(",", ""))) ? "pass" : "falls short";
}

const folders = [];

/**
 * A folder on the disk that the figures are about. It goes with all others when the process ends,
 * not before: ext4 does not use inodes again that were deleted in the last minutes, and looks for
 * others each time a file is made. What follows would seem many times slower than it is.
 */
export function inTemporaryFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  if (statfsSync(folder).type === TMPFS) {
    console.error(`${folder} is in memory: figures about durability say nothing. Set TMPDIR.`);
  }
  if (folders.length === 0) deleteAtExit();
  folders.push(folder);
  return use(folder);
}

function deleteAtExit() {
  process.once("exit", () => {
    // A server that was killed a moment ago may still be at its last file.
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));
}

/** The floor of durability: 200 bytes appended and synced, one after the other, a second. */
export function syncsPerSecond(folder, count = 1_000) {
  const line = Buffer.alloc(200, "x");
  const fd = openSync(join(folder, "floor.bin"), "a");
  const from = performance.now();
  for (let i = 0; i < count; i++) {
    writeSync(fd, line);
    fdatasyncSync(fd);
  }
  const rate = (count * 1_000) / (performance.now() - from);
  closeSync(fd);
  return rate;
}

/**
 * Sends `count` requests over `connections` connections, each as soon as the one before it is
 * answered; throws at the first answer that is not `status`. Answers the bodies and the rate.
 */
export async function load({ origin, path, body, count, status, connections = 64 }) {
  const pool = new Pool(origin, { connections, pipelining: 1 });
  const request = {
    path,
    method: body === undefined ? "GET" : "POST",
    headers: { "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  const bodies = [];
  let sent = 0;
  const one = async () => {
    while (sent < count) {
      const next = typeof path === "function" ? { ...request, path: path(sent) } : request;
      sent++;
      const answer = await pool.request(next);
      const text = await answer.body.text();
      if (answer.statusCode !== status) throw new Error(`${answer.statusCode}: ${text}`);
      bodies.push(text);
    }
  };
  const from = performance.now();
  try {
    await Promise.all(Array.from({ length: connections }, one));
    return { rate: (count * 1_000) / (performance.now() - from), bodies };
  } finally {
    await pool.destroy();
  }
}

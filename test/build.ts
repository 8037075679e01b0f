// Builds dist once before the tests, for those that drive the built command and server.

import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const STAMP = "dist/.tsbuildinfo";

/** Tests of these run on the sources alone. */
const WITHOUT_DIST = /^test\/(flow|engine|triggers|connectors|tidy)\b/;

export function setup(): void {
  const asked = process.argv.slice(2).filter((word) => word.startsWith("test/"));
  if (asked.length > 0 && asked.every((path) => WITHOUT_DIST.test(path))) return;
  if (isFresh()) return;
  const tsc = join("node_modules", "typescript", "bin", "tsc");
  const built = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], {
    encoding: "utf8",
  });
  if (built.status === 0) return;
  const said = `dist does not build:\n${built.stdout}${built.stderr}`;
  // `npm test` builds first and stops there. Here a half-written room must not hide other tests.
  if (process.env.CI) throw new Error(said);
  process.stderr.write(`${said}\n`);
}

function isFresh(): boolean {
  const stamp = statSync(STAMP, { throwIfNoEntry: false });
  if (stamp === undefined) return false;
  const inputs = ["package.json", "tsconfig.json", "tsconfig.build.json", ...sources("src")];
  return inputs.every((file) => statSync(file).mtimeMs < stamp.mtimeMs);
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

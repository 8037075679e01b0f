// `npm run mutants`: plants each bug of mutants.json in a copy of the sources, and runs the tests
// that must catch it. `-- --only TEXT` takes those whose file or sentence has the text.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** Histories of the simulation: a bug that these do not find is too well hidden. */
const HISTORIES = "500";
/** ms until a mutant that runs in a circle is stopped: it has been noticed, too. */
const TIMEOUT_MS = 120_000;

const COPIED = [
  ...["src", "test/engine", "test/flow", "flows", "docs", "schemas"],
  ...["package.json", "tsconfig.json"],
];

const CONFIG = `export default {
  test: { include: ["test/**/*.test.ts"], pool: "forks", testTimeout: 60_000 },
};\n`;

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const all = JSON.parse(readFileSync(new URL("mutants.json", import.meta.url), "utf8"));
const mutants = all.filter(({ file, breaks }) => `${file} ${breaks}`.includes(values.only));

const folder = mkdtempSync(join(tmpdir(), "mutants-"));
/** Leads the group of the test that runs. */
let leader;
process.on("exit", () => {
  killGroup();
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

const missed = [];
for (const name of COPIED) {
  cpSync(name, join(folder, name), { recursive: true });
}
symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
writeFileSync(join(folder, "vitest.config.mjs"), CONFIG);
const tests = [...new Set(mutants.flatMap(({ caught_by }) => caught_by))];
if (!(await passes(tests))) throw new Error("the tests fail without a planted bug");
for (const mutant of mutants) {
  const isMissed = await passesWith(mutant);
  if (isMissed) missed.push(mutant);
  process.stdout.write(`${isMissed ? "MISSED" : "caught"}  ${mutant.file}: ${mutant.breaks}\n`);
}
process.stdout.write(`${mutants.length} planted bugs: ${mutants.length - missed.length} caught.\n`);
process.exit(missed.length === 0 ? 0 : 1);

async function passesWith({ file, from, to, caught_by }) {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one: ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    // The first test that must catch it usually does.
    for (const test of caught_by) if (!(await passes([test]))) return false;
    return true;
  } finally {
    writeFileSync(path, text);
  }
}

/** In a group of its own: the workers of a mutant that runs in a circle hear no one. */
async function passes(tests) {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--bail", "1", ...tests];
  const env = { ...process.env, HISTORIES };
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env,
    detached: true,
    stdio: "ignore",
  });
  leader = child.pid;
  const late = setTimeout(killGroup, TIMEOUT_MS);
  const [code] = await once(child, "exit");
  clearTimeout(late);
  killGroup();
  leader = undefined;
  return code === 0;
}

function killGroup() {
  if (leader === undefined) return;
  try {
    process.kill(-leader, "SIGKILL");
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

// `npm run mutants`: plants each bug of mutants.json in a copy of the engine, and runs the tests
// that must catch it. `-- --only TEXT` takes those whose file or sentence has the text.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/** Histories of the simulation: a bug that these do not find is too well hidden. */
const HISTORIES = "500";
/** ms until a mutant that runs in a circle is stopped: it has been noticed, too. */
const TIMEOUT_MS = 120_000;

const CONFIG = `export default {
  test: { include: ["test/**/*.test.ts"], pool: "forks", testTimeout: 60_000 },
};\n`;

const { values } = parseArgs({ options: { only: { type: "string", default: "" } } });
const all = JSON.parse(readFileSync(new URL("mutants.json", import.meta.url), "utf8"));
const mutants = all.filter(({ file, breaks }) => `${file} ${breaks}`.includes(values.only));

const folder = mkdtempSync(join(tmpdir(), "mutants-"));
const missed = [];
try {
  for (const name of ["src", "test/engine", "flows", "package.json", "tsconfig.json"]) {
    cpSync(name, join(folder, name), { recursive: true });
  }
  symlinkSync(resolve("node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "vitest.config.mjs"), CONFIG);
  const tests = [...new Set(mutants.flatMap(({ caught_by }) => caught_by))];
  if (!passes(tests)) throw new Error("the tests fail without a planted bug");
  for (const mutant of mutants) {
    const isMissed = passesWith(mutant);
    if (isMissed) missed.push(mutant);
    process.stdout.write(`${isMissed ? "MISSED" : "caught"}  ${mutant.file}: ${mutant.breaks}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${mutants.length} planted bugs: ${mutants.length - missed.length} caught.\n`);
process.exit(missed.length === 0 ? 0 : 1);

function passesWith({ file, from, to, caught_by }) {
  const path = join(folder, file);
  const text = readFileSync(path, "utf8");
  if (text.split(from).length !== 2) throw new Error(`${file} has not exactly one: ${from}`);
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    // The first test that must catch it usually does.
    return caught_by.every((test) => passes([test]));
  } finally {
    writeFileSync(path, text);
  }
}

function passes(tests) {
  const args = ["node_modules/vitest/vitest.mjs", "run", "--bail", "1", ...tests];
  const options = { cwd: folder, timeout: TIMEOUT_MS, env: { ...process.env, HISTORIES } };
  return spawnSync(process.execPath, args, options).status === 0;
}

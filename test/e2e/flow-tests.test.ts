// Every flow in flows/ has its test beside it, and all of them pass, by the real command.

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { MAIN } from "../cli/harness.js";

interface Report {
  passed: boolean;
  cases: { file: string; name: string; passed: boolean }[];
  diagnostics: object[];
  coverage: { workflow_id: string; steps: { missing: string[] }; arms: { missing: string[] } }[];
}

const said = spawnSync(process.execPath, [MAIN, "test", "--json", "--coverage"], {
  encoding: "utf8",
});
const report = JSON.parse(said.stdout) as Report;
const flows = readdirSync("flows").filter((file) => /(?<!\.test)\.yaml$/.test(file));

it("all tests of flows/ pass: 0", () => {
  expect(report.cases.filter(({ passed }) => !passed)).toEqual([]);
  expect([said.status, report.passed, report.diagnostics]).toEqual([0, true, []]);
});

it.each(flows)("%s has two to eight cases, which reach every step and every arm", (file) => {
  const cases = report.cases.filter((one) => one.file === `flows/${file.replace(".", ".test.")}`);
  expect(cases.length).toBeGreaterThanOrEqual(2);
  expect(cases.length).toBeLessThanOrEqual(8);
  const id = file.replace(".yaml", "");
  const covered = report.coverage.find(({ workflow_id }) => workflow_id === id);
  expect([covered?.steps.missing, covered?.arms.missing]).toEqual([[], []]);
});

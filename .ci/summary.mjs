// Says how the checks and tests of .ci/run went; its last line is `N passed, N failed`.

import { readFileSync } from "node:fs";

const [reportFile, testStatus, brokenChecks] = process.argv.slice(2);
const report = readReport(reportFile);
const broken = Number(brokenChecks);

for (const file of report.testResults.filter((result) => result.status === "failed")) {
  const tests = file.assertionResults.filter((test) => test.status === "failed");
  if (tests.length === 0) console.log(`failed: ${file.name}: ${file.message.split("\n")[0]}`);
  for (const test of tests) console.log(`failed: ${test.fullName}`);
}
console.log(`${report.testResults.length} test files, ${report.numPendingTests} tests skipped`);
console.log(broken === 0 ? "all checks hold" : `${broken} of the checks above failed`);

// A file that cannot be loaded, or an error outside any test, fails no test: it counts as one.
const unseen = testStatus !== "0" && report.numFailedTests === 0 ? 1 : 0;
const failed = report.numFailedTests + unseen + broken;
console.log(`${report.numPassedTests} passed, ${failed} failed`);
process.exitCode = failed === 0 && report.numPassedTests > 0 ? 0 : 1;

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    console.log(`the tests left no report: ${error.message}`);
    return { testResults: [], numPassedTests: 0, numFailedTests: 0, numPendingTests: 0 };
  }
}

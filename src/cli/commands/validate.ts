// `flows validate`: checks flow files and their tests, without a store and without a server.

import { catalog } from "../../connectors/index.js";
import { checkFolder } from "../../flow/check.js";
import { reporters } from "../../flow/report/report.js";
import { isTestFile } from "../../hosts/local/index.js";
import { choice } from "../choice.js";
import { EXIT, type ExitCode } from "../exit.js";
import { findFlowFiles } from "../flow-files.js";
import type { Common, Options } from "../options.js";
import { checkTests } from "../test-files.js";

export async function validate(
  common: Common,
  paths: string[],
  options: Options,
): Promise<ExitCode> {
  const { output } = common;
  const format = output.json ? "json" : choice("--format", options.format as string, FORMATS);
  const where = paths.length > 0 ? paths : [common.flows];
  const found = await findFlowFiles(where, common.store, (name) => /\.(ya?ml|json)$/.test(name));
  const files = found.files.filter(({ file }) => !isTestFile(file));
  const tests = found.files.filter(({ file }) => isTestFile(file));
  const checked = checkFolder(files, catalog).flatMap((one) => one.diagnostics);
  const ofTests = await checkTests(common, { files: tests, diagnostics: [] });
  const diagnostics = [...found.diagnostics, ...checked, ...ofTests.diagnostics];
  const report = reporters[format](diagnostics, {
    texts: new Map(found.files.map(({ file, text }) => [file, text])),
    color: output.colors.isColorSupported,
  });
  process.stdout.write(report);

  const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
  const errors = diagnostics.length - warnings;
  output.say(summary(files.length, tests.length, errors, warnings));
  const denied = options.denyWarnings === true ? diagnostics.length : errors;
  return denied > 0 ? EXIT.failed : EXIT.done;
}

const FORMATS = Object.keys(reporters) as (keyof typeof reporters)[];

function summary(files: number, tests: number, errors: number, warnings: number): string {
  const looked = files > 0 || tests === 0 ? [count(files, "flow file")] : [];
  if (tests > 0) looked.push(count(tests, "test file"));
  const checked = `${looked.join(" and ")} checked`;
  if (errors + warnings === 0) return `${checked}: nothing to say.`;
  return `${checked}: ${count(errors, "error")}, ${count(warnings, "warning")}.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

// `flows validate`: checks flow files and their tests, without a store and without a server.

import { resolve } from "node:path";
import type { Catalog } from "../../flow/catalog.js";
import { checkTogether } from "../../flow/check.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import { reporters } from "../../flow/report/report.js";
import { isTestFile } from "../../hosts/local/index.js";
import { allowedHosts } from "../allowed-hosts.js";
import { choice } from "../choice.js";
import { EXIT, type ExitCode } from "../exit.js";
import {
  type Found,
  type FoundFile,
  findFlowFiles,
  isFlowOrTest,
  readHome,
} from "../flow-files.js";
import { type Common, type Options, usage } from "../options.js";
import { onStdin } from "../stdin-file.js";
import { stepTypes } from "../step-types.js";
import { checkTests, examiner } from "../test-files.js";
import { count } from "../words.js";

export async function validate(
  common: Common,
  paths: string[],
  options: Options,
): Promise<ExitCode> {
  const { output } = common;
  allowedHosts(common);
  const format = output.json ? "json" : choice("--format", options.format as string, FORMATS);
  const { found, whole } = await lookAt(common, paths, options.stdinFilename);
  const named = [options.stdinFilename ?? []].flat() as string[];
  const types = await stepTypes(common.flows, [...paths, ...named]);
  const ofFlows = await diagnosticsOf(common, found, whole, types.catalog);
  const diagnostics = [...types.diagnostics, ...ofFlows];
  const report = reporters[format](diagnostics, {
    texts: new Map([...types.texts, ...found.files].map(({ file, text }) => [file, text])),
    color: output.colors.isColorSupported,
  });
  process.stdout.write(report);

  const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
  const errors = diagnostics.length - warnings;
  output.say(summary(found.files, errors, warnings));
  const denied = options.denyWarnings === true ? diagnostics.length : errors;
  return denied > 0 ? EXIT.failed : EXIT.done;
}

const FORMATS = Object.keys(reporters) as (keyof typeof reporters)[];

/** What is to be checked, and the folders that are in it with all that they have. */
async function lookAt(
  common: Common,
  paths: string[],
  stdinFilename: Options[string],
): Promise<{ found: Found; whole: string[] }> {
  if (typeof stdinFilename !== "string") {
    const whole = paths.length > 0 ? paths : [common.flows];
    return { found: await findFlowFiles(whole, common, isFlowOrTest), whole };
  }
  if (paths.length > 0) {
    throw usage("--stdin-filename reads stdin alone.", "leave out the paths, or the option");
  }
  return { found: await onStdin(stdinFilename, common.flows), whole: [] };
}

/** Files are seen with all others of their home, whose own mistakes are not asked for. */
async function diagnosticsOf(
  common: Common,
  found: Found,
  whole: readonly string[],
  catalog: Catalog,
): Promise<Diagnostic[]> {
  const tests = found.files.filter(({ file }) => isTestFile(file));
  const diagnostics = [...found.diagnostics];
  const look = examiner(common, catalog);
  for (const members of byHome(found.files.filter(({ file }) => !isTestFile(file)))) {
    const { home } = members[0] as FoundFile;
    const isWhole = home.deep && whole.some((path) => resolve(path) === resolve(home.folder));
    const around = isWhole ? found : await readHome(home, common);
    const own = new Set(members.map(({ file }) => resolve(file)));
    const others = isWhole ? [] : around.files.filter(({ file }) => !own.has(resolve(file)));
    const together = [...members, ...others];
    const examined = together.map(look);
    const checked = checkTogether(examined, around.diagnostics.length === 0);
    diagnostics.push(...checked.slice(0, members.length).flatMap((one) => one.diagnostics));
  }
  const ofTests = await checkTests(common, { files: tests, diagnostics: [] }, catalog, look);
  return [...diagnostics, ...ofTests.diagnostics];
}

function byHome(files: readonly FoundFile[]): FoundFile[][] {
  const homes = new Map<string, FoundFile[]>();
  for (const each of files) {
    const key = `${resolve(each.home.folder)} ${each.home.deep}`;
    const members = homes.get(key) ?? [];
    members.push(each);
    homes.set(key, members);
  }
  return [...homes.values()];
}

function summary(looked: FoundFile[], errors: number, warnings: number): string {
  const tests = looked.filter(({ file }) => isTestFile(file)).length;
  const files = looked.length - tests;
  const kinds = files > 0 || tests === 0 ? [count(files, "flow file")] : [];
  if (tests > 0) kinds.push(count(tests, "test file"));
  const checked = `${kinds.join(" and ")} checked`;
  if (errors + warnings === 0) return `${checked}: nothing to say.`;
  return `${checked}: ${count(errors, "error")}, ${count(warnings, "warning")}.`;
}

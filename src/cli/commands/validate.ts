// `flows validate`: checks flow files, without a store and without a server.

import { catalog } from "../../connectors/index.js";
import { checkFolder } from "../../flow/check.js";
import { reporters } from "../../flow/report/report.js";
import { EXIT, type ExitCode } from "../exit.js";
import { findFlowFiles } from "../flow-files.js";
import { nearest } from "../ids.js";
import { type Common, type Options, quoted, usage } from "../options.js";

export async function validate(
  common: Common,
  paths: string[],
  options: Options,
): Promise<ExitCode> {
  const { output } = common;
  const format = output.json ? "json" : formatOf(options.format as string);
  const found = await findFlowFiles(paths.length > 0 ? paths : [common.flows], common.store);
  const { files } = found;
  const checked = checkFolder(files, catalog).flatMap((one) => one.diagnostics);
  const diagnostics = [...found.diagnostics, ...checked];
  const report = reporters[format](diagnostics, {
    texts: new Map(files.map(({ file, text }) => [file, text])),
    color: output.colors.isColorSupported,
  });
  process.stdout.write(report);

  const warnings = diagnostics.filter(({ severity }) => severity === "warning").length;
  const errors = diagnostics.length - warnings;
  output.say(summary(files.length, errors, warnings));
  const denied = options.denyWarnings === true ? diagnostics.length : errors;
  return denied > 0 ? EXIT.failed : EXIT.done;
}

type Format = keyof typeof reporters;

function formatOf(text: string): Format {
  const formats = Object.keys(reporters);
  if (formats.includes(text)) return text as Format;
  const near = nearest(text, formats);
  throw usage(
    `--format wants one of ${formats.join(", ")}, not ${quoted(text)}.`,
    near && `did you mean ${near}?`,
  );
}

function summary(files: number, errors: number, warnings: number): string {
  const checked = `${files} flow file${files === 1 ? "" : "s"} checked`;
  if (errors + warnings === 0) return `${checked}: nothing to say.`;
  return `${checked}: ${errors} error${errors === 1 ? "" : "s"}, ${warnings} warning${
    warnings === 1 ? "" : "s"
  }.`;
}

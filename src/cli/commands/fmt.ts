// `flows fmt`: lays out flow files and their tests in one way, and keeps what they say.

import { realpath } from "node:fs/promises";
import type { Catalog } from "../../flow/catalog.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import { formatFlow, formatTest } from "../../flow/format.js";
import { reporters } from "../../flow/report/report.js";
import { isTestFile, saveText } from "../../hosts/local/index.js";
import { EXIT, type ExitCode } from "../exit.js";
import { type Found, type FoundFile, findFlowFiles, isFlowOrTest } from "../flow-files.js";
import { type Common, type Options, usage } from "../options.js";
import { onStdin } from "../stdin-file.js";
import { stepTypes } from "../step-types.js";
import { count } from "../words.js";

export async function fmt(common: Common, paths: string[], options: Options): Promise<ExitCode> {
  const name = stdinName(paths, options);
  const check = options.check === true;
  if (name !== undefined) return formatStdin(common, name, check);
  const found = await findFlowFiles(
    paths.length > 0 ? paths : [common.flows],
    common,
    isFlowOrTest,
  );
  const { catalog } = await stepTypes(common.flows, paths);
  const laidOut = layOut(found, catalog);
  for (const { file, text } of check ? [] : laidOut.changed) {
    await saveText(await realpath(file), text);
  }
  return report(common, found, laidOut, check);
}

function stdinName(paths: string[], { stdinFilename: name }: Options): string | undefined {
  const others = paths.filter((path) => path !== "-");
  if (typeof name !== "string" && others.length === paths.length) return undefined;
  if (others.length === 0) return typeof name === "string" ? name : "stdin.yaml";
  throw usage("Stdin is laid out alone.", "leave out the paths, or - and --stdin-filename");
}

interface LaidOut {
  changed: { file: string; text: string }[];
  /** Of files that cannot be read, which stay as they are. */
  diagnostics: Diagnostic[];
}

function layOut(found: Found, catalog: Catalog): LaidOut {
  const all = found.files.map((each) => ({ ...each, formatted: formatted(each, catalog) }));
  return {
    changed: all.flatMap(({ file, text: before, formatted: { text } }) =>
      text === undefined || text === before ? [] : [{ file, text }],
    ),
    diagnostics: [...found.diagnostics, ...all.flatMap((each) => each.formatted.diagnostics)],
  };
}

function formatted({ file, text }: FoundFile, catalog: Catalog): ReturnType<typeof formatFlow> {
  return isTestFile(file) ? formatTest(text, file) : formatFlow(text, file, catalog);
}

/** The text on stdout; nothing where it cannot be read, so that no editor loses what it has. */
async function formatStdin(common: Common, name: string, check: boolean): Promise<ExitCode> {
  const found = await onStdin(name, common.flows);
  const { catalog } = await stepTypes(common.flows, [name]);
  const laidOut = layOut(found, catalog);
  if (check) return report(common, found, laidOut, true);
  const [now] = [...laidOut.changed, ...found.files];
  if (laidOut.diagnostics.length === 0 && now !== undefined) process.stdout.write(now.text);
  sayDiagnostics(common, found, laidOut.diagnostics);
  return laidOut.diagnostics.length > 0 ? EXIT.failed : EXIT.done;
}

function report(common: Common, found: Found, laidOut: LaidOut, check: boolean): ExitCode {
  const { output } = common;
  const changed = laidOut.changed.map(({ file }) => file);
  if (output.json) output.value({ changed, diagnostics: laidOut.diagnostics });
  else {
    for (const file of changed) output.result(file);
    sayDiagnostics(common, found, laidOut.diagnostics);
    const files = count(found.files.length, "file");
    const would = check ? "would change" : "changed";
    output.say(`${files} looked at: ${changed.length} ${would}.`);
  }
  const wanting = check && changed.length > 0;
  return wanting || laidOut.diagnostics.length > 0 ? EXIT.failed : EXIT.done;
}

function sayDiagnostics({ output }: Common, found: Found, diagnostics: Diagnostic[]): void {
  if (diagnostics.length === 0) return;
  const texts = new Map(found.files.map(({ file, text }) => [file, text]));
  const color = output.talkColors.isColorSupported;
  output.say(reporters.human(diagnostics, { texts, color }).trimEnd());
}

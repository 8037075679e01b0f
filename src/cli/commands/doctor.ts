// `flows doctor`: says what is wrong with a store that nobody has open, and repairs what is safe.

import { type Examined, examineStore, type Finding } from "../../hosts/local/index.js";
import { CliError, EXIT, type ExitCode } from "../exit.js";
import { isLocked } from "../host.js";
import type { Common, Options } from "../options.js";
import { type Output, printable } from "../output.js";

/** Findings of one kind that are shown to a person one by one; --json has all. */
const MOST_SHOWN = 10;

export async function doctor(common: Common, _: string[], options: Options): Promise<ExitCode> {
  const { store, output } = common;
  const examined = await examineStore(store, options.repair === true).catch((error) => {
    if (!isLocked(error)) throw error;
    const hint = "a store is examined when nobody has it; flows runs and /health ask its owner";
    throw new CliError(EXIT.unreachable, error.message, hint);
  });
  if (!examined) {
    const hint = "flows serve makes one; --store DIR names another";
    throw new CliError(EXIT.notFound, `There is no store at ${store}.`, hint);
  }
  if (output.json) output.value(examined);
  else print(examined, output);
  return examined.healthy ? EXIT.done : EXIT.failed;
}

function print({ store, healthy, runs, findings }: Examined, output: Output): void {
  const { green, red, yellow } = output.colors;
  const shown = new Map<string, number>();
  for (const found of findings) {
    const count = (shown.get(found.kind) ?? 0) + 1;
    shown.set(found.kind, count);
    if (count > MOST_SHOWN) continue;
    const mark = found.repaired ? green("repaired") : red("wrong");
    output.result(`${mark}  ${printable(found.message)} [${found.kind}]`);
    if (!found.repaired) output.result(yellow(`  ${advice(found)}`));
  }
  for (const [kind, count] of shown) {
    if (count > MOST_SHOWN) output.result(`and ${count - MOST_SHOWN} more [${kind}]`);
  }
  const open = findings.filter(({ repaired }) => !repaired).length;
  const sum = Object.values(runs ?? {}).reduce((total, count) => total + count, 0);
  const state = healthy ? green("healthy") : red(open === 1 ? "1 finding" : `${open} findings`);
  output.result(`${store}: ${state}${runs ? `, ${sum} runs` : ""}`);
}

function advice({ advice: text, offset, file }: Finding): string {
  const where = offset === undefined ? "" : `${file}, byte ${offset}: `;
  return printable(where + text);
}

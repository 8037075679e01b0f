// `flows schema`: the JSON Schema that editors complete and check flow files with.

import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { workflowSchema } from "../../flow/schema.js";
import { saveText } from "../../hosts/local/index.js";
import { EXIT, type ExitCode } from "../exit.js";
import type { Common, Options } from "../options.js";
import { stepTypes } from "../step-types.js";

export async function schema(
  { flows, output }: Common,
  _: string[],
  { output: file }: Options,
): Promise<ExitCode> {
  const { catalog } = await stepTypes(flows, []);
  const text = `${JSON.stringify(workflowSchema(catalog), null, 2)}\n`;
  if (typeof file !== "string") {
    process.stdout.write(text);
    return EXIT.done;
  }
  const path = resolve(file);
  await mkdir(dirname(path), { recursive: true });
  await saveText(path, text);
  output.say(`Written to ${file}.`);
  return EXIT.done;
}

// The last place an error comes to: says it in words on stderr, and gives the exit code.

import { CliError, EXIT, type ExitCode } from "./exit.js";
import type { Output } from "./output.js";

/** `broken`: the code for what no one but the machine, or flows itself, is to blame for. */
export function sayTrouble(
  error: unknown,
  output: Output,
  broken: ExitCode = EXIT.failed,
): ExitCode {
  const { red, dim } = output.talkColors;
  if (error instanceof CliError) {
    output.say(`${red("flows:")} ${error.message}`);
    if (error.hint !== undefined) output.say(dim(`  ${error.hint}`));
    return error.exitCode;
  }
  const { code, message, name, stack } = error as NodeJS.ErrnoException;
  if (name === "StoreError" || (code !== undefined && /^E[A-Z0-9]+$/.test(code))) {
    // The store or the machine said no: a full disk, a folder that may not be written.
    output.say(`${red("flows:")} ${message}`);
    return broken;
  }
  output.say(`${red("flows:")} a mistake of flows itself, please report it:\n${stack ?? error}`);
  return broken;
}

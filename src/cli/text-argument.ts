// An argument that may be the text itself, a file's (`@file`), or what stands on stdin (`-`).

import { readFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { usage } from "./options.js";

export async function textArgument(argument: string, option: string): Promise<string> {
  if (argument === "-") return readAll(process.stdin);
  if (!argument.startsWith("@")) return argument;
  try {
    return await readFile(argument.slice(1), "utf8");
  } catch (error) {
    throw usage(`${option} ${argument} cannot be read: ${(error as Error).message}`);
  }
}

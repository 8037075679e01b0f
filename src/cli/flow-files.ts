// The flow files that `flows validate` is to check: those named, and those in the folders named.

import { lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { MAX_FLOW_FILE_BYTES } from "../limits.js";
import { quoted, usage } from "./options.js";

export interface FlowFile {
  file: string;
  text: string;
}

/** Sorted by name; each file once. A path that is not there is wrong usage. */
export async function readFlowFiles(paths: readonly string[]): Promise<FlowFile[]> {
  const files = new Set((await Promise.all(paths.map(filesAt))).flat());
  return Promise.all([...files].sort().map(async (file) => ({ file, text: await textOf(file) })));
}

export function isFlowFile(name: string): boolean {
  return /\.(ya?ml|json)$/.test(name) && !/\.test\.(ya?ml|json)$/.test(name);
}

async function filesAt(path: string): Promise<string[]> {
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    const why = error.code === "ENOENT" ? "is not there" : `cannot be read: ${error.message}`;
    throw usage(`${quoted(path)} ${why}.`, "name flow files, or a folder of them");
  });
  if (!found.isDirectory()) return [path];
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && isFlowFile(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

/** One byte more than allowed is enough for the check to say that the file is too large. */
async function textOf(file: string): Promise<string> {
  const handle = await open(file).catch((error: Error) => {
    throw usage(`${quoted(file)} cannot be read: ${error.message}`);
  });
  try {
    const bytes = Buffer.alloc(MAX_FLOW_FILE_BYTES + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
    return bytes.toString("utf8", 0, length);
  } finally {
    await handle.close();
  }
}

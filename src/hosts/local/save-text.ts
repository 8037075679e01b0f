// Replaces a file that belongs to people and git: whole, on disk, and with the rights that it had.

import { lstat, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** `path` is no link: what a link leads to is named by whoever resolved it. */
export async function saveText(path: string, text: string): Promise<void> {
  const old = await lstat(path).catch(() => undefined);
  // Hidden: no one takes it for a flow file. One save of a file at a time, so the name is free.
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    const handle = await open(temporary, "w", old === undefined ? 0o666 : old.mode & 0o777);
    try {
      if (old !== undefined) await handle.chmod(old.mode & 0o777);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

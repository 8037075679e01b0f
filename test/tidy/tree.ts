// The files of this repository that people write, as the tidy tests read them.

import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Text } from "./rules.js";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Made by tools, or not ours. */
const NOT_OURS = new Set([".git", "node_modules", "dist", "coverage", ".workflows"]);

/** Everything in the repository, sorted, with `/` in its paths. */
export function everyText(): Text[] {
  return paths("")
    .sort()
    .filter((path) => !/\.(png|ico|woff2|log)$/.test(path))
    .map((path) => ({ path: path.split(sep).join("/"), text: readFileSync(ROOT + path, "utf8") }));
}

function paths(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    if (NOT_OURS.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return paths(path);
    return entry.isFile() ? [path] : [];
  });
}

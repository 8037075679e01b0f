// `flows schema`: the schema for editors, on stdout or in a file.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { place } from "./harness.js";

it("given no file, prints the schema; given one, writes it with the folders above it", async () => {
  const { dir, flows } = await place();
  const printed = await flows(["schema"]);
  expect([printed.code, printed.stderr]).toEqual([0, ""]);
  expect(printed.stdout).toBe(await readFile("schemas/workflow.schema.json", "utf8"));
  const written = await flows(["schema", "-o", "schemas/mine.json"]);
  expect([written.code, written.stdout]).toEqual([0, ""]);
  expect(await readFile(join(dir, "schemas/mine.json"), "utf8")).toBe(printed.stdout);
});

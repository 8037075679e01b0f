// What is seen only across the files of a folder: each text below is one folder, with its .out.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkFolder } from "../../src/flow/check.js";
import { reporters } from "../../src/flow/report/report.js";
import { whole } from "./whole.js";

const FOLDERS = new URL("folder/", import.meta.url);

/** `-- name.yaml` begins a file. */
const filesOf = (text: string) =>
  text
    .split(/^-- /m)
    .slice(1)
    .map((part) => {
      const cut = part.indexOf("\n");
      return { file: part.slice(0, cut).trim(), text: part.slice(cut + 1) };
    });

const names = readdirSync(FOLDERS).filter((name) => name.endsWith(".txt"));

test.each(names)("given the folder %s, exactly its .out is said", (name) => {
  const files = filesOf(readFileSync(new URL(name, FOLDERS), "utf8"));
  const texts = new Map(files.map(({ file, text }) => [file, text]));
  const diagnostics = checkFolder(files, whole).flatMap((each) => each.diagnostics);
  const output = reporters.human(diagnostics, { texts, color: false });
  const golden = new URL(name.replace(".txt", ".out"), FOLDERS);
  if (process.env.UPDATE === "1") {
    writeFileSync(golden, output);
  }
  expect(output).toBe(readFileSync(golden, "utf8"));
});

test("given the folders, then there are some", () => {
  expect(names.length).toBeGreaterThan(3);
});

// Pairs: each file in ok/ is silent, each in err/ says exactly what stands in the .out beside it.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { check } from "../../src/flow/check.js";
import { reporters } from "../../src/flow/report/report.js";
import { whole } from "./whole.js";

const OK = new URL("ok/", import.meta.url);
const ERR = new URL("err/", import.meta.url);

const flowFiles = (folder: URL) =>
  readdirSync(folder).filter((name) => /\.(ya?ml|json)$/.test(name));

const report = (folder: URL, name: string) => {
  const text = readFileSync(new URL(name, folder), "utf8");
  const checked = check(text, name, whole);
  const texts = new Map([[name, text]]);
  return { checked, output: reporters.human(checked.diagnostics, { texts, color: false }) };
};

test.each(flowFiles(OK))("given ok/%s, nothing is said and a workflow comes out", (name) => {
  const { checked, output } = report(OK, name);
  expect(output).toBe("");
  expect(checked.workflow).not.toBeNull();
});

test.each(flowFiles(ERR))("given err/%s, exactly its .out is said", (name) => {
  const { checked, output } = report(ERR, name);
  const golden = new URL(name.replace(/\.\w+$/, ".out"), ERR);
  if (process.env.UPDATE === "1") {
    writeFileSync(golden, output);
  }
  expect(output).not.toBe("");
  expect(output).toBe(readFileSync(golden, "utf8"));
  const errors = checked.diagnostics.filter(({ severity }) => severity === "error");
  expect(checked.workflow === null).toBe(errors.length > 0);
});

test("given both folders, then there are files in them", () => {
  expect(flowFiles(OK).length).toBeGreaterThan(2);
  expect(flowFiles(ERR).length).toBeGreaterThan(20);
});

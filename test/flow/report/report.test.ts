// The reporters: what a person sees, with and without colour, and what a program reads.

import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import ajvFormats from "ajv-formats";
import { expect, test } from "vitest";
import { catalog } from "../../../src/connectors/index.js";
import { check } from "../../../src/flow/check.js";
import { reporters } from "../../../src/flow/report/report.js";

const text = "id: w\nsteps:\n  - { id: a, type: dely, config: { seconds: 1 } }\n";
const { diagnostics } = check(text, "w.yaml", catalog);
const texts = new Map([["w.yaml", text]]);

test("given no colour, the place, the sentence, the line and the hint are plain text", () => {
  expect(reporters.human(diagnostics, { texts, color: false })).toBe(
    'w.yaml:3:20: unknown step type "dely" [step-type]\n' +
      "3 |   - { id: a, type: dely, config: { seconds: 1 } }\n" +
      "  |                    ^~~~\n" +
      '  = did you mean "delay"?\n',
  );
});

test("given colour, the same text is only painted", () => {
  const painted = reporters.human(diagnostics, { texts, color: true });
  expect(painted).toContain("\u001b[");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the colours are control sequences
  const unpainted = painted.replace(/\u001b\[\d+m/g, "");
  expect(unpainted).toBe(reporters.human(diagnostics, { texts, color: false }));
});

test("given no text of the file, there is no frame", () => {
  const output = reporters.human(diagnostics, { texts: new Map(), color: false });
  expect(output).not.toContain("^");
  expect(output).toContain("w.yaml:3:20:");
});

test("given a terminal's control characters in the line, they are not passed on", () => {
  const nasty = "id: \u001b[31mred\n";
  const found = check(nasty, "n.yaml", catalog).diagnostics;
  const options = { texts: new Map([["n.yaml", nasty]]), color: false };
  expect(reporters.human(found, options)).not.toContain("\u001b");
});

test("given json, every diagnostic is there as it is", () => {
  const output = reporters.json(diagnostics, { texts, color: false });
  expect(JSON.parse(output)).toEqual({ diagnostics });
});

test("given github, each diagnostic is a command on one line, whatever its text", () => {
  const [first] = diagnostics;
  const nasty = { ...first!, file: "a,b:c.yaml", message: "100% wrong\n::error::no" };
  expect(reporters.github([first!, nasty], { texts, color: false })).toBe(
    "::error file=w.yaml,line=3,col=20,endLine=3,endColumn=23,title=step-type::" +
      'unknown step type "dely"%0Adid you mean "delay"?\n' +
      "::error file=a%2Cb%3Ac.yaml,line=3,col=20,endLine=3,endColumn=23,title=step-type::" +
      '100%25 wrong%0A::error::no%0Adid you mean "delay"?\n',
  );
});

/** The official schema, as the MIT-licensed package @microsoft/jest-sarif carries it. */
const sarifSchema = () => {
  const file = new URL("sarif-2.1.0.schema.json", import.meta.url);
  const { $schema: _, id: __, ...schema } = JSON.parse(readFileSync(file, "utf8"));
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  ajvFormats.default(ajv);
  return ajv.compile(schema);
};

test("given sarif, the log is valid SARIF 2.1.0, and says what was found where", () => {
  const elsewhere = { ...diagnostics[0]!, file: "my flows/caf\u00e9.yaml", kind: "cron" as const };
  const warning = { ...elsewhere, severity: "warning" as const };
  const output = reporters.sarif([...diagnostics, warning], { texts, color: false });
  const log = JSON.parse(output);
  const validate = sarifSchema();
  expect([validate(log), validate.errors]).toEqual([true, null]);
  const [run] = log.runs;
  expect(run.tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(["step-type", "cron"]);
  expect(run.results.map((each: { ruleIndex: number }) => each.ruleIndex)).toEqual([0, 1]);
  expect(run.results.map((each: { level: string }) => each.level)).toEqual(["error", "warning"]);
  expect(run.results[0].message.text).toBe('unknown step type "dely" (did you mean "delay"?)');
  expect(run.results[1].locations[0].physicalLocation).toEqual({
    artifactLocation: { uri: "my%20flows/caf%C3%A9.yaml" },
    region: { startLine: 3, startColumn: 20, endLine: 3, endColumn: 24 },
  });
});

test("given sarif without a diagnostic, the log is valid and empty", () => {
  const log = JSON.parse(reporters.sarif([], { texts, color: false }));
  expect(sarifSchema()(log)).toBe(true);
  expect(log.runs[0].results).toEqual([]);
});

test("given a log that lacks what SARIF needs, the schema says so", () => {
  expect(sarifSchema()({ version: "2.1.0" })).toBe(false);
});

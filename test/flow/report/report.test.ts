// The reporters: what a person sees, with and without colour, and what a program reads.

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

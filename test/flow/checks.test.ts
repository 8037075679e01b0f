// docs/checks.md has every kind, in order, with an example that says exactly what stands there.

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkFolder } from "../../src/flow/check.js";
import { type Diagnostic, KINDS } from "../../src/flow/diagnostic.js";
import { KIND_SENTENCES } from "../../src/flow/kinds.js";
import { reporters } from "../../src/flow/report/report.js";
import { whole } from "./whole.js";

const PAGE = new URL("../../docs/checks.md", import.meta.url);

/** What is at fault is no flow file. */
const WITHOUT_EXAMPLE = ["unreadable", "connector"];

const EXAMPLE = /```yaml\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```\n/;

const sectionsOf = (page: string) =>
  page
    .split(/^## /m)
    .slice(1)
    .map((text) => ({ kind: text.slice(0, text.indexOf("\n")), text }));

/** `# -- name.yaml` begins another file. */
const filesOf = (example: string) => {
  const parts = example.split(/^# -- (.*)\n/m);
  const files = [];
  for (let index = 1; index < parts.length; index += 2) {
    files.push({ file: parts[index]!, text: parts[index + 1]! });
  }
  return files.length > 0 ? files : [{ file: "example.yaml", text: example }];
};

const run = (example: string): { diagnostics: Diagnostic[]; output: string } => {
  const files = filesOf(example);
  const texts = new Map(files.map(({ file, text }) => [file, text]));
  const checked = checkFolder(files, whole);
  const diagnostics = checked.flatMap((each) => each.diagnostics);
  return { diagnostics, output: reporters.human(diagnostics, { texts, color: false }) };
};

if (process.env.UPDATE === "1") {
  const page = readFileSync(PAGE, "utf8");
  const all = new RegExp(EXAMPLE, "g");
  const fresh = page.replace(all, (_, example: string) => {
    return `\`\`\`yaml\n${example}\`\`\`\n\n\`\`\`text\n${run(example).output}\`\`\`\n`;
  });
  writeFileSync(PAGE, fresh);
}

const sections = sectionsOf(readFileSync(PAGE, "utf8"));

test("given the kinds, then the page has a section for each, in order", () => {
  expect(sections.map(({ kind }) => kind)).toEqual([...KINDS]);
});

test.each(sections)("given the section $kind, then it begins with the kind's sentence", (each) => {
  const sentence = KIND_SENTENCES[each.kind as keyof typeof KIND_SENTENCES];
  expect(each.text).toContain(`${each.kind}\n\n${sentence}\n`);
});

test.each(sections.filter(({ kind }) => !WITHOUT_EXAMPLE.includes(kind)))(
  "given the example of $kind, then exactly that is said, once in each file it is about",
  ({ kind, text }) => {
    const [, example, expected] = EXAMPLE.exec(text)!;
    const { diagnostics, output } = run(example!);
    expect(output).toBe(expected);
    expect(new Set(diagnostics.map((each) => each.kind))).toEqual(new Set([kind]));
    expect(diagnostics).toHaveLength(["workflow-id", "hook-path"].includes(kind) ? 2 : 1);
  },
);

// The list of rules: each says what it promises, and every kind is reported and has a bad example.

import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { KINDS } from "../../src/flow/diagnostic.js";
import { RULES } from "../../src/flow/rules/rules.js";

/** Found while the text is read, before there is anything for a rule to look at. */
const OF_THE_TEXT = ["syntax", "duplicate-key", "alias", "yaml-directive", "size"];
const OF_THE_READER = ["unsafe-integer", "quote-expression"];
const OF_THE_FOLDER = ["workflow-ref", "workflow-id", "hook-path"];
/** Reported by whoever reads the files. */
const OF_THE_DISK = ["unreadable", "connector"];

test("given the rules, then each has a name of its own and one sentence", () => {
  expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length);
  for (const { says } of RULES) {
    expect(says).toMatch(/^[A-Za-z].*\.$/);
  }
});

test("given the kinds, then each is reported by a rule or by those who read the text", () => {
  const ofRules = RULES.flatMap(({ kinds }) => kinds);
  const all = [...OF_THE_TEXT, ...OF_THE_READER, ...OF_THE_FOLDER, ...OF_THE_DISK, ...ofRules];
  expect(KINDS.filter((kind) => !all.includes(kind))).toEqual([]);
});

const outputs = ["err", "folder"].flatMap((folder) => {
  const url = new URL(`${folder}/`, import.meta.url);
  const names = readdirSync(url).filter((name) => name.endsWith(".out"));
  return names.map((name) => readFileSync(new URL(name, url), "utf8"));
});

test.each(KINDS.filter((kind) => !OF_THE_DISK.includes(kind)))(
  "given the kind %s, then a bad file stands beside what is said of it",
  (kind) => {
    expect(outputs.some((output) => output.includes(`[${kind}]`))).toBe(true);
  },
);

// The project speaks of itself alone: of no tool that wrote it, no machine it was written on.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { everyText, ROOT } from "./tree.js";

/** Each in two halves, so that this file does not speak of it either. */
const FOREIGN: readonly { what: string; pattern: RegExp; example: string }[] = [
  words("a program that writes texts", [
    ["cl", "aude"],
    ["anth", "ropic"],
    ["open", "ai"],
    ["chat", "gpt"],
    ["co", "pilot"],
    ["ll", "ms?"],
    ["language ", "models?"],
    ["a", "i (agents?|assistants?|tools?|sessions?)"],
    ["sub", "agents?"],
    ["coding ", "(agents?|sessions?|assistants?)"],
  ]),
  {
    what: "a path of one machine",
    pattern: new RegExp(
      ["/wo" + "rk/(main|shared|\\.)", "/ro" + "ot/", "/ho" + "me/\\w"].join("|"),
    ),
    example: `/wo${"rk"}/shared/design.md`,
  },
  {
    what: "a package registry's host",
    pattern: new RegExp(`\\bregi${"stry"}\\.[a-z]|\\bnpm${"js"}\\.(org|com)`),
    example: `https://regi${"stry"}.example/`,
  },
  {
    what: "a number that only a tracker knows",
    pattern: new RegExp(`\\bis${"sues?"} #?[0-9]|\\bfixes #[0-9]`, "i"),
    example: `see is${"sue"} 3`,
  },
];

function words(what: string, halves: [string, string][]) {
  const source = halves.map(([a, b]) => a + b).join("|");
  return { what, pattern: new RegExp(`\\b(${source})\\b`, "i"), example: `made by Cl${"aude"}` };
}

describe("the project speaks of itself alone", () => {
  const texts = everyText();

  it.each(FOREIGN)("knows $what when it sees it", ({ pattern, example }) => {
    expect(example).toMatch(pattern);
  });

  it.each(FOREIGN)("does not speak of $what", ({ pattern }) => {
    const found = texts.flatMap(({ path, text }) =>
      text
        .split("\n")
        .map((line, index) => ({ place: `${path}:${index + 1}`, line }))
        .filter(({ line }) => pattern.test(line))
        .map(({ place, line }) => `${place}: ${line.trim().slice(0, 100)}`),
    );
    expect(found).toEqual([]);
  });
});

describe("the lock file", () => {
  const lock = JSON.parse(readFileSync(`${ROOT}package-lock.json`, "utf8")) as {
    lockfileVersion: number;
    packages: { [path: string]: { version?: string; integrity?: string; resolved?: string } };
  };
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");

  it("pins every package by version and content", () => {
    expect(packages.length).toBeGreaterThan(50);
    expect(packages.filter(([, p]) => !p.version || !p.integrity)).toEqual([]);
  });

  it("names no place to download from: that is the user's choice", () => {
    expect(packages.filter(([, p]) => p.resolved !== undefined)).toEqual([]);
  });
});

// The list of planted bugs stays one of bugs that can be planted. `npm run mutants` plants them.

import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

interface Mutant {
  /** What goes wrong with it, as a sentence. */
  breaks: string;
  file: string;
  from: string;
  to: string;
  caught_by: string[];
}

const mutants = JSON.parse(readFileSync("test/mutants/mutants.json", "utf8")) as Mutant[];

describe("a planted bug", () => {
  it.each(mutants)("can be planted: $breaks", ({ file, from, to, caught_by }) => {
    expect(readFileSync(file, "utf8").split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
    expect(caught_by.filter((test) => !existsSync(test))).toEqual([]);
    expect(caught_by).not.toEqual([]);
  });

  it("stands in each part of the engine that decides, records or acts", () => {
    const files = new Set(mutants.map(({ file }) => file.split("/").at(-1)));
    expect([...PARTS].filter((part) => !files.has(part))).toEqual([]);
  });
});

const PARTS = [
  "advance.ts",
  "child.ts",
  "children.ts",
  "control.ts",
  "decide.ts",
  "effects.ts",
  "evolve-step.ts",
  "evolve.ts",
  "lifecycle.ts",
  "loop.ts",
  "place.ts",
  "rehearse.ts",
  "retry.ts",
  "scope.ts",
  "settle.ts",
  "slots.ts",
  "waiting.ts",
];

// What can happen is shown: each step type, event, refusal and diagnostic occurs where it should.

import { describe, expect, it } from "vitest";
import { catalog } from "../../src/connectors/index.js";
import { KINDS } from "../../src/flow/diagnostic.js";
import { everyText } from "../tidy/tree.js";

/** Without this file, which names some of them itself. */
const texts = everyText().filter(({ path }) => path !== "test/docs/shown.test.ts");

function under(folder: string, ending: RegExp): string {
  const found = texts.filter(({ path }) => path.startsWith(folder) && ending.test(path));
  return found.map(({ text }) => text).join("\n");
}

/** The members of a union of strings, or of its variants' `type`, read from a source file. */
function members(path: string, name: string, member: RegExp): string[] {
  const text = texts.find((file) => file.path === path)?.text ?? "";
  const union = text.split(`export type ${name} =`)[1]?.split(/\n\n|^}/m)[0] ?? "";
  return [...union.matchAll(member)].map((found) => found[1] ?? "");
}

const tests = under("test/", /\.(test\.ts|ts)$/);
// A type that is not executed yet cannot stand in a flow that runs.
const types = Object.keys(catalog).filter((type) => catalog[type]?.planned !== true);

describe("each step type", () => {
  const flows = under("flows/", /\.ya?ml$/);
  const pages = under("README.md", /$/) + under("docs/", /\.md$/);

  it.each(types)("%s stands in a flow that a user can start from", (type) => {
    expect(new RegExp(`\\btype: ${type}\\b`).test(flows)).toBe(true);
  });

  it.each(types)("%s stands in the documentation", (type) => {
    expect(new RegExp(`\`${type}\``).test(pages)).toBe(true);
  });

  it.each(types)("%s stands in a test", (type) => {
    expect(new RegExp(`type: "${type}"|type: ${type}\\b`).test(tests)).toBe(true);
  });
});

describe("each fact and each refusal", () => {
  const events = members("src/engine/event.ts", "Event", /type: "(\w+)"/g);
  const refusals = members("src/engine/command.ts", "RefusalKind", /\| "(\w+)"/g);

  it("is found where it is defined", () => {
    expect(events).toContain("run_created");
    expect(events).toContain("step_reopened");
    expect(refusals).toContain("unknown_run");
    expect(refusals).toContain("busy");
  });

  const engine = under("test/engine/", /$/);

  it.each(events)("the event %s occurs in a test of the engine", (event) => {
    expect(engine.includes(event)).toBe(true);
  });

  it.each(refusals)("the refusal %s occurs in a test", (refusal) => {
    expect(new RegExp(`"${refusal}"|\\b${refusal}\\b`).test(tests)).toBe(true);
  });
});

describe("each kind of diagnostic that a check reports", () => {
  const flow = texts
    .filter(({ path }) => path.startsWith("src/flow/") && path !== "src/flow/diagnostic.ts")
    .map(({ text }) => text)
    .join("\n");
  const said = under("test/flow/", /\.(out|ts)$/);
  const reported = KINDS.filter((kind) => flow.includes(`"${kind}"`));

  it("is seen at all", () => {
    expect(reported).toContain("syntax");
  });

  it.each(reported)("%s occurs in the expected output of a test", (kind) => {
    expect(new RegExp(`\\[${kind}\\]|"${kind}"`).test(said)).toBe(true);
  });
});

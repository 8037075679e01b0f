// What an expression reads, where, and whether it makes sure that it is there.

import { describe, expect, it } from "vitest";
import { checkBare, checkText, isReservedName } from "../../../src/flow/expression/index.js";
import { env } from "./scope.js";

/** `root.path`, with a `?` where the read is guarded. */
const reads = (text: string) =>
  checkBare(text, env).reads.map(
    ({ root, path, guarded }) => [root, ...path].join(".") + (guarded ? "?" : ""),
  );

describe("an expression's reads are recorded with their path", () => {
  it.each([
    ["context.count + 1", ["context.count"]],
    ["steps.fetch.output.body[0].id", ["steps.fetch.output.body.0.id"]],
    ["steps['send-it'].output['a b']", ["steps.send-it.output.a b"]],
    ["context.tags[context.count]", ["context.tags", "context.count"]],
    ["context.lines.map(l, l.id + invoice_index)", ["context.lines", "invoice_index"]],
    ["cel.bind(x, steps.fetch.output, x.status)", ["steps.fetch.output"]],
    [
      "size(context.tags) > 1 ? run.id : workflow.version",
      ["context.tags", "run.id", "workflow.version"],
    ],
    ["1 + 2", []],
  ])("%s", (text, paths) => {
    expect(reads(text)).toEqual(paths);
  });

  it("has the offsets of what is written, in the whole text", () => {
    const text = "id ${{ steps.fetch.output.body[context.count].id }}";
    const places = checkText(text, env).reads.map(({ start, end }) => text.slice(start, end));
    expect(places).toEqual(["steps.fetch.output.body", "context.count"]);
  });

  it("records a secret by its name, also where it is refused", () => {
    expect(checkText("a ${{ secrets.TOKEN }}", env, { secrets: true }).reads).toMatchObject([
      { root: "secrets", path: ["TOKEN"], start: 6, end: 19 },
    ]);
    expect(reads("secrets.TOKEN == 'a'")).toEqual(["secrets.TOKEN"]);
  });
});

describe("a read is guarded where it is known to be there", () => {
  it.each([
    ["steps.ask.output.approved", ["steps.ask.output.approved"]],
    ["has(steps.ask.output)", ["steps.ask.output?"]],
    [
      "has(steps.ask.output) ? steps.ask.output.approved : false",
      ["steps.ask.output?", "steps.ask.output.approved?"],
    ],
    [
      "has(steps.ask.output) ? false : steps.ask.output.approved",
      ["steps.ask.output?", "steps.ask.output.approved"],
    ],
    ["!has(steps.ask) || steps.ask.output.approved", ["steps.ask?", "steps.ask.output.approved?"]],
    [
      "has(steps.ask) && steps.fetch.output.status > 1",
      ["steps.ask?", "steps.fetch.output.status"],
    ],
    [
      "has(steps.ask) && (context.dry_run || steps.ask.output.approved)",
      ["steps.ask?", "context.dry_run", "steps.ask.output.approved?"],
    ],
    [
      "(has(steps.ask) || context.dry_run) && steps.ask.output.approved",
      ["steps.ask?", "context.dry_run", "steps.ask.output.approved"],
    ],
    [
      "steps.ask.status == 'completed' && steps.ask.output.approved",
      ["steps.ask.status", "steps.ask.output.approved?"],
    ],
    ["steps.?ask.output.approved.orValue(false)", ["steps.ask.output.approved?"]],
    ["steps[?'ask'].output.approved", ["steps.ask.output.approved?"]],
    ["steps.ask.?output.approved", ["steps.ask.output.approved"]],
    ["context.any.?a.b", ["context.any.a.b?"]],
    ["has(context.any.a) && context.any.a.b > 1", ["context.any.a?", "context.any.a.b?"]],
    ["has(context.any.a) && context.any.b > 1", ["context.any.a?", "context.any.b"]],
  ])("%s", (text, paths) => {
    expect(reads(text)).toEqual(paths);
  });
});

it("an item variable cannot take a name that means something already", () => {
  for (const name of ["context", "steps", "error", "in", "int", "cel", "__proto__", "if"]) {
    expect(isReservedName(name)).toBe(true);
  }
  expect(isReservedName("invoice")).toBe(false);
});

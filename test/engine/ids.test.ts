// Ids: what is one, and the many texts that are none.

import { describe, expect, it } from "vitest";
import { parseRunId, parseWorkflowId } from "../../src/engine/ids.js";

const RUN = `run_${"0123456789abcdefghjkmnpqrstvwxyz".slice(0, 26)}`;

describe("a workflow id", () => {
  it.each(["a", "_", "Z9", "invoice_reminder", "a-b", "constructor", "a".repeat(64)])(
    "is %s",
    (text) => expect(parseWorkflowId(text)).toBe(text),
  );

  it.each([
    ["nothing", ""],
    ["65 characters", "a".repeat(65)],
    ["a digit first", "1a"],
    ["a hyphen first", "-a"],
    ["a dot", "a.b"],
    ["only dots", ".."],
    ["a slash", "a/b"],
    ["a backslash", "a\\b"],
    ["a NUL", "a\0"],
    ["a line feed at the end", "a\n"],
    ["a line feed and more", "a\nb"],
    ["a carriage return", "a\r"],
    ["a space", "a b"],
    ["a percent sign", "a%2f"],
    ["a letter that only looks like a", "\u0430"],
    ["a full-width letter", "\uff41"],
    ["a combining mark", "a\u0301"],
  ])("is not one with %s", (_, text) => {
    expect(parseWorkflowId(text)).toBeUndefined();
  });
});

describe("a run id", () => {
  it("is run_ and 26 digits of Crockford's base 32", () => {
    expect(parseRunId(RUN)).toBe(RUN);
    expect(parseRunId(`run_${"z".repeat(26)}`)).toBeDefined();
  });

  it.each([
    ["nothing", ""],
    ["no digits", "run_"],
    ["25 digits", RUN.slice(0, -1)],
    ["27 digits", `${RUN}0`],
    ["an i", `${RUN.slice(0, -1)}i`],
    ["an l", `${RUN.slice(0, -1)}l`],
    ["an o", `${RUN.slice(0, -1)}o`],
    ["a u", `${RUN.slice(0, -1)}u`],
    ["a capital", `${RUN.slice(0, -1)}Z`],
    ["another prefix", RUN.replace("run_", "job_")],
    ["a line feed at the end", `${RUN}\n`],
    ["a line before it", `x\n${RUN}`],
    ["a path before it", `../${RUN}`],
  ])("is not one with %s", (_, text) => {
    expect(parseRunId(text)).toBeUndefined();
  });
});

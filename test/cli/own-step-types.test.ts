// The user's own step types by the built command: the example of the documentation, and mistakes.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { place, serve } from "./harness.js";

const EXAMPLE = "docs/examples/own-step-types";
const FILES = Object.fromEntries(
  ["connectors/slugify.ts", "flows/publish.yaml", "flows/publish.test.yaml"].map((file) => [
    file,
    readFileSync(`${EXAMPLE}/${file}`, "utf8"),
  ]),
);

describe("the example", () => {
  it("is valid, passes its tests, runs, and a changed connector serves the next run", async () => {
    const here = await place(FILES);
    const validated = await here.flows(["validate", "--deny-warnings"]);
    expect([validated.code, validated.stdout]).toEqual([0, ""]);
    expect((await here.flows(["test"])).stdout).toMatch(/2 passed|✓.*\n.*✓/);

    expect((await here.flows(["schema"])).stdout).toContain('"const": "slugify"');

    await serve(here);
    const trigger = ["trigger", "publish", "--set", "title=Crème Brûlée", "--wait", "--json"];
    const path = async () => JSON.parse((await here.flows(trigger)).stdout).output.path;
    expect(await path()).toBe("/posts/creme-brulee");
    const changed = FILES["connectors/slugify.ts"]?.replaceAll('"-")', '"_")') ?? "";
    await here.write("connectors/slugify.ts", changed);
    await expect.poll(path, { timeout: 40_000 }).toBe("/posts/creme_brulee");
  });
});

describe("flows validate", () => {
  it("knows config and output of a step type, and says where its file is wrong", async () => {
    const here = await place({
      "connectors/slugify.ts": FILES["connectors/slugify.ts"] ?? "",
      "connectors/bad.ts": "export const x: = 1;\n",
      "flows/a.yaml": [
        "id: a",
        "steps:",
        "  - { id: one, type: slugify, config: { txt: hello } }",
        "  - { id: two, type: slugfy, config: { text: hello } }",
      ].join("\n"),
      "flows/b.yaml": [
        "id: b",
        "steps:",
        "  - { id: one, type: slugify, config: { text: hello } }",
        '  - { id: two, type: log, config: { message: "${{ steps.one.output.slug > 1 }}" } }',
      ].join("\n"),
      "flows/a.test.yaml": "workflow: a\ncases: [{ name: x }]\n",
    });
    const { code, stdout } = await here.flows(["validate"]);
    expect(code).toBe(1);
    const heads = stdout.split("\n").filter((line) => /^(flows|connectors)\//.test(line));
    expect(heads).toEqual([
      'connectors/bad.ts:1:17: the connector cannot be built: Unexpected "=" [connector]',
      'flows/a.yaml:3:41: unknown key "txt" [unknown-key]',
      'flows/a.yaml:4:22: unknown step type "slugfy" [step-type]',
      expect.stringMatching(/^flows\/b.yaml:4:51: .* \[expression-type\]$/),
      expect.stringMatching(/^flows\/a.test.yaml:1:11: .* has mistakes/),
    ]);
    expect(stdout).toContain("1 | export const x: = 1;\n  |                 ^\n");
    expect(stdout).toContain('did you mean "slugify"?');
  });
});

describe("flows schedule", () => {
  it("lists the firings of a flow whose steps are of the user's own types", async () => {
    const due = 'triggers: [{ type: schedule, cron: "0 9 * * *", timezone: UTC }]\n';
    const here = await place({
      "connectors/slugify.ts": FILES["connectors/slugify.ts"] ?? "",
      "flows/a.yaml": `id: a\n${due}steps: [{ id: one, type: slugify, config: { text: x } }]\n`,
    });
    const days = ["--from", "2026-03-01", "--to", "2026-03-02"];
    const { code, stdout, stderr } = await here.flows(["schedule", ...days, "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout).firings).toMatchObject([{ workflow_id: "a" }]);
  });
});

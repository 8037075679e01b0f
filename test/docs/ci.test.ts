// What other repositories use: the action, the hook and the problem matcher do what they say.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { place } from "../cli/harness.js";

interface Action {
  inputs: { [name: string]: { default: string } };
  runs: { using: string; steps: { run: string; shell: string; env?: object }[] };
}

interface Matcher {
  problemMatcher: { severity: string; pattern: { [key: string]: string | number }[] }[];
}

const action: Action = parse(readFileSync("action.yml", "utf8"));
const hooks: { [key: string]: unknown }[] = parse(readFileSync(".pre-commit-hooks.yaml", "utf8"));
const matcher: Matcher = JSON.parse(readFileSync(".github/flows-problem-matcher.json", "utf8"));
const pages = readFileSync("README.md", "utf8");
const section = pages.split("\n## Validate in CI\n")[1]?.split("\n## ")[0] ?? "";

const WRONG = `id: oops
name: Oops
entry_point: a
steps:
  - id: a
    type: dealy
    config: { seconds: 1 }
    next_step_id: null
`;

const DOUBTFUL = `id: doubtful
name: Doubtful
entry_point: a
steps:
  - id: a
    type: delay
    config: { seconds: 1 }
    next_step_id: null
  - id: never
    type: delay
    config: { seconds: 1 }
    next_step_id: null
`;

describe("the action", () => {
  const script = action.runs.steps.at(-1)?.run ?? "";

  function act(dir: string, path: string, denyWarnings: string) {
    const env = {
      ...process.env,
      GITHUB_ACTION_PATH: resolve("."),
      FLOWS_PATH: path,
      FLOWS_DENY_WARNINGS: denyWarnings,
    };
    const args = ["--noprofile", "--norc", "-eo", "pipefail", "-c", script];
    return spawnSync("bash", args, { cwd: dir, env, encoding: "utf8" });
  }

  it("annotates the line of a mistake, and fails", async () => {
    const { dir } = await place({ "flows/oops.yaml": WRONG });
    const done = act(dir, "flows", "false");
    expect(done.stdout).toMatch(/^::error file=flows\/oops\.yaml,line=6,col=11,/m);
    expect(done.status).toBe(1);
  });

  it("lets warnings pass unless they are denied", async () => {
    const { dir } = await place({ "flows/doubtful.yaml": DOUBTFUL });
    const passed = act(dir, "flows", "false");
    expect(passed.stdout).toMatch(/^::warning file=flows\/doubtful\.yaml,line=\d+,/m);
    expect(passed.status).toBe(0);
    expect(act(dir, "flows", "true").status).toBe(1);
  });

  it("takes an input as a path, whatever it holds", async () => {
    const { dir } = await place({ "--x $(touch made)/oops.yaml": WRONG });
    const done = act(dir, "--x $(touch made)", "false");
    expect(done.stdout).toMatch(/^::error file=--x \$\(touch made\)\/oops\.yaml,line=6,/m);
    expect(spawnSync("ls", [dir], { encoding: "utf8" }).stdout).not.toMatch(/^made$/m);
  });

  it("pastes no input into a script", () => {
    expect(action.runs.using).toBe("composite");
    expect(Object.keys(action.inputs)).toEqual(["path", "deny-warnings"]);
    expect(action.inputs.path?.default).toBe("flows");
    for (const { run, shell } of action.runs.steps) {
      expect(shell).toBe("bash");
      expect(run).not.toContain("${{");
    }
  });
});

describe("the pre-commit hook", () => {
  it("runs a command that there is, for flow files", async () => {
    expect(hooks.map(({ id, language }) => [id, language])).toEqual([["flows-validate", "node"]]);
    const { flows } = await place({ "flows/oops.yaml": WRONG });
    const [command, ...args] = String(hooks[0]?.entry).split(" ");
    expect(command).toBe("flows");
    expect((await flows(args)).code).toBe(1);
    expect(new RegExp(String(hooks[0]?.files)).test("flows/oops.yaml")).toBe(true);
  });
});

describe("the problem matcher", () => {
  const { severity, pattern } = matcher.problemMatcher[0] ?? { severity: "", pattern: [] };
  const groups = pattern[0] ?? {};

  async function matched(text: string): Promise<{ [key: string]: string | undefined }[]> {
    const { flows } = await place({ "flows/one.yaml": text });
    const { stdout } = await flows(["validate"], { env: { NO_COLOR: "1" } });
    return stdout.split("\n").flatMap((line) => {
      const found = new RegExp(String(groups.regexp)).exec(line);
      if (found === null) return [];
      const { regexp: _, ...named } = groups;
      return [
        Object.fromEntries(Object.entries(named).map(([key, at]) => [key, found[Number(at)]])),
      ];
    });
  }

  it("finds each part of an error, which is what it takes a line for", async () => {
    expect(severity).toBe("error");
    expect(await matched(WRONG)).toEqual([
      {
        file: "flows/one.yaml",
        line: "6",
        column: "11",
        severity: undefined,
        message: 'unknown step type "dealy"',
        code: "step-type",
      },
    ]);
  });

  it("finds that a warning is one", async () => {
    const found = await matched(DOUBTFUL);
    expect(found).toEqual([
      expect.objectContaining({ severity: "warning", code: "unreachable", file: "flows/one.yaml" }),
    ]);
  });
});

describe("the page", () => {
  it("shows each way, with options that there are", async () => {
    for (const way of ["npx flows validate", "uses: OWNER/mini-zaps@", "id: flows-validate"]) {
      expect(section).toContain(way);
    }
    expect(section).toContain("::add-matcher::.github/flows-problem-matcher.json");
    expect(section).toContain("upload-sarif");
    const { flows } = await place();
    const help = (await flows(["validate", "--help"])).stdout;
    const shown = `${section}\n${action.runs.steps.at(-1)?.run}`;
    const options = [...shown.matchAll(/ \(?(--(?:format|deny)[a-z-]*)|\((--[a-z-]+)/g)];
    expect(options.length).toBeGreaterThan(3);
    for (const found of options) expect(help).toContain(found[1] ?? found[2]);
    for (const found of shown.matchAll(/--format (\w+)/g)) {
      expect((await flows(["validate", "--format", found[1] ?? ""])).code).toBe(0);
    }
  });
});

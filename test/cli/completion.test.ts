// Completion: what the scripts ask, and the bash script in a real bash.

import { spawnSync } from "node:child_process";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MAIN, place, reminder, serve } from "./harness.js";

const FILES = {
  "flows/a.yaml": reminder("http://127.0.0.1:9/"),
  "flows/sub/b.json": '{ "id": "from_json", "name": "x", "steps": [] }',
  "flows/a.test.yaml": "id: no_workflow",
};

async function ask(words: string[], files: { [file: string]: string } = FILES): Promise<string[]> {
  const { flows } = await place(files);
  const { code, stdout } = await flows(["__complete", "--", ...words]);
  expect(code).toBe(0);
  return stdout.split("\n").flatMap((line) => line.split("\t")[0] || []);
}

describe("the words that may follow", () => {
  it("given a beginning, are the commands that begin so", async () => {
    const found = await ask(["s"]);
    expect(found).toEqual(expect.arrayContaining(["serve", "sync", "show"]));
    expect(found.filter((word) => !word.startsWith("s"))).toEqual([]);
  });

  it("given trigger or --workflow, are the user's own workflow ids", async () => {
    expect((await ask(["trigger", ""])).sort()).toEqual(["from_json", "reminder"]);
    expect(await ask(["runs", "--workflow", "r"])).toEqual(["reminder"]);
    expect(await ask(["--json", "--store", "x", "trigger", "rem"])).toEqual(["reminder"]);
    expect(await ask(["--flows", "flows/sub", "trigger", ""])).toEqual(["from_json"]);
  });

  it("given a dash, are the command's options and the common ones", async () => {
    const options = await ask(["trigger", "reminder", "--"]);
    expect(options).toEqual(expect.arrayContaining(["--wait", "--set", "--store", "--json"]));
  });

  it("given --status, are the statuses; given completion, the shells", async () => {
    expect(await ask(["runs", "--status", "c"])).toEqual(["completed", "cancelled"]);
    expect(await ask(["completion", ""])).toEqual(["bash", "zsh", "fish"]);
  });

  it("given no flows folder, or nonsense, are none", async () => {
    expect(await ask(["--flows", "gone", "trigger", ""])).toEqual([]);
    expect(await ask(["nonsense", "--what", "x"])).toEqual([]);
  });

  it("given show beside a server, are its runs", async () => {
    const here = await place({ "flows/a.yaml": reminder("http://127.0.0.1:9/", 30) });
    await serve(here);
    const { stdout } = await here.flows(["trigger", "reminder"]);
    const shown = await here.flows(["__complete", "--", "show", "run_"]);
    expect(shown.stdout.split("\t")[0]).toBe(stdout.trim());
  });
});

describe("the bash script", () => {
  it("given a TAB after trigger, offers the workflow ids to a real bash", async () => {
    const { dir, flows } = await place(FILES);
    await mkdir(join(dir, "bin"));
    await chmod(MAIN, 0o755);
    await symlink(MAIN, join(dir, "bin/flows"));
    const script = (await flows(["completion", "bash"])).stdout;
    const words = `${script}
COMP_WORDS=(flows trigger rem); COMP_CWORD=2; _flows; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${join(dir, "bin")}:${process.env.PATH}` };
    const { stdout, stderr } = spawnSync("bash", ["-c", words], {
      cwd: dir,
      env,
      encoding: "utf8",
    });
    expect([stdout, stderr]).toEqual(["reminder\n", ""]);
  });
});

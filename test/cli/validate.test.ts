// `flows validate`: exit codes, formats and paths. What the check says is tested with the language.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { place, reminder } from "./harness.js";

const GOOD = reminder("http://127.0.0.1:9/");
const BAD = GOOD.replace("type: webhook", "type: webhok").replace("reminder", "other");
/** Waits never, and goes round for ever unless the call fails: a warning, no error. */
const BUSY = `id: busy
name: Busy
steps:
  - id: ask
    type: webhook
    config: { url: "http://127.0.0.1:9/" }
    on_error: { next_step_id: end }
    next_step_id: ask
  - id: end
    type: delay
    config: { seconds: 0 }
    next_step_id: null
`;
const PARENT = `id: parent
steps:
  - { id: start, type: workflow, config: { await: false, workflow_id: child } }
`;
const CHILD = "id: child\nsteps: [{ id: a, type: delay, config: { seconds: 1 } }]\n";

describe("flows validate", () => {
  it("given a folder of good files, is silent on stdout: 0", async () => {
    const { flows } = await place({ "flows/a.yaml": GOOD });
    const { code, stdout, stderr } = await flows(["validate"]);
    expect([code, stdout]).toEqual([0, ""]);
    expect(stderr).toBe("1 flow file checked: nothing to say.\n");
  });

  it("given a mistake, reports its place and the likely fix on stdout: 1", async () => {
    const { flows } = await place({ "flows/a.yaml": GOOD, "flows/b.yaml": BAD });
    const { code, stdout } = await flows(["validate"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^flows\/b\.yaml:\d+:\d+: .*webhok.*\[step-type\]/m);
    expect(stdout).toContain('"webhook"');
  });

  it("given files by name, speaks of these alone", async () => {
    const files = { "flows/a.yaml": GOOD, "flows/b.yaml": BAD, "flows/a.test.yaml": "cases: [" };
    const { flows } = await place(files);
    expect((await flows(["validate", "flows/a.yaml"])).code).toBe(0);
    expect((await flows(["validate", "flows/a.yaml", "flows/b.yaml"])).code).toBe(1);
  });

  it("given a *.test.yaml, checks it as a test of the workflow beside it", async () => {
    const test =
      "workflow: reminder\ncases: [{ name: works, stubs: { sendd: { output: null } } }]\n";
    const { flows } = await place({ "flows/a.yaml": GOOD, "flows/a.test.yaml": test });
    for (const path of ["flows", "flows/a.test.yaml"]) {
      const { code, stdout } = await flows(["validate", path]);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^flows\/a\.test\.yaml:2:33: .*"sendd".*\[step-ref\]/m);
      expect(stdout).toContain('did you mean "send"?');
    }
    expect((await flows(["validate"])).stderr).toContain("1 flow file and 1 test file checked");
  });

  it("given --format json or --json, prints one JSON document", async () => {
    const { flows } = await place({ "flows/b.yaml": BAD });
    for (const args of [["--format", "json"], ["--json"]]) {
      const { code, stdout } = await flows(["validate", ...args]);
      expect(code).toBe(1);
      const { diagnostics } = JSON.parse(stdout) as { diagnostics: { kind: string }[] };
      expect(diagnostics.map(({ kind }) => kind)).toEqual(["step-type"]);
    }
  });

  it("given a warning: 0; with --deny-warnings: 1", async () => {
    const { flows } = await place({ "flows/busy.yaml": BUSY });
    const lenient = await flows(["validate"]);
    expect(lenient.stdout).toContain("[busy-loop]");
    expect(lenient.code).toBe(0);
    expect((await flows(["validate", "--deny-warnings"])).code).toBe(1);
  });

  it("given a folder that is not there: 2", async () => {
    const { flows } = await place();
    const { code, stderr } = await flows(["validate", "--flows", "gone"]);
    expect(code).toBe(2);
    expect(stderr).toContain('"gone" is not there');
  });

  it("given two files with one id, says so at both: 1", async () => {
    const { flows } = await place({ "flows/a.yaml": GOOD, "flows/b.yaml": GOOD });
    const { code, stdout } = await flows(["validate"]);
    expect(code).toBe(1);
    expect(stdout.match(/\[workflow-id\]/g)).toHaveLength(2);
  });

  it("given one file of the folder by name, sees the others, and speaks of it alone", async () => {
    const { flows } = await place({
      "flows/parent.yaml": PARENT,
      "flows/sub/child.yaml": CHILD,
      "flows/wrong.yaml": BAD,
    });
    expect(await flows(["validate", "flows/parent.yaml"])).toMatchObject({ code: 0, stdout: "" });
    expect(await flows(["validate", "flows/sub"])).toMatchObject({ code: 0, stdout: "" });
  });

  it("given files of another folder, sees those beside each", async () => {
    const { flows } = await place({ "a/p.yaml": PARENT, "a/c.yaml": CHILD, "b/p.yaml": PARENT });
    const { code, stdout } = await flows(["validate", "a/p.yaml", "b/p.yaml"]);
    expect(code).toBe(1);
    expect(stdout.match(/^\S+:\d+:\d+: .*$/gm)).toEqual([
      'b/p.yaml:3:71: there is no workflow "child" in this folder [workflow-ref]',
    ]);
  });

  it("given a file that cannot be read, does not say that its workflow is not there", async () => {
    const { dir, flows } = await place({ "flows/parent.yaml": PARENT });
    await writeFile(join(dir, "flows/child.yaml"), Buffer.from([0xff, 0xfe, 0x00]));
    const { code, stdout } = await flows(["validate"]);
    expect(code).toBe(1);
    expect(stdout).toBe(
      "flows/child.yaml:1:1: the file is not text in UTF-8 [unreadable]\n  = save it in UTF-8\n",
    );
  });

  it("given a text on stdin, checks it as if it were that file of the folder", async () => {
    const { flows } = await place({ "flows/parent.yaml": GOOD, "flows/child.yaml": CHILD });
    const args = ["validate", "--stdin-filename", "flows/parent.yaml"];
    const good = await flows(args, { input: PARENT });
    expect([good.code, good.stdout]).toEqual([0, ""]);
    const { code, stdout } = await flows(args, { input: PARENT.replace("d: child", "d: chidl") });
    expect(code).toBe(1);
    expect(stdout).toContain('flows/parent.yaml:3:71: there is no workflow "chidl"');
    expect(stdout).toContain('did you mean "child"?');
    const twin = await flows(["validate", "--stdin-filename", "flows/new.yaml"], { input: CHILD });
    expect(twin.stdout).toContain('the id "child" is also used in flows/child.yaml');
  });

  it("given a test on stdin, checks it with the workflows of the folder", async () => {
    const { flows } = await place({ "flows/a.yaml": GOOD });
    const input = "workflow: reminder\ncases: [{ name: n, stubs: { sendd: { output: null } } }]\n";
    const { stdout } = await flows(["validate", "--stdin-filename", "flows/a.test.yaml"], {
      input,
    });
    expect(stdout).toMatch(/^flows\/a\.test\.yaml:2:29: .*"sendd".*\[step-ref\]/m);
  });

  it("given a text on stdin without end or in no encoding, says so: 1", async () => {
    const { flows } = await place();
    const args = ["validate", "--stdin-filename", "x.yaml"];
    const large = await flows(args, { input: "#".repeat(1024 * 1024) });
    expect([large.code, large.stdout]).toEqual([1, expect.stringContaining("[size]")]);
  });

  it("given --stdin-filename and a path: 2", async () => {
    const { flows } = await place({ "flows/a.yaml": GOOD });
    expect((await flows(["validate", "flows", "--stdin-filename", "x.yaml"])).code).toBe(2);
  });

  it("given a fault of its own, which the files are not to blame for: 3", async () => {
    const { flows } = await place({ "flows/a.yaml": GOOD });
    const plant =
      'import fs from "node:fs/promises";import { syncBuiltinESMExports } from "node:module";' +
      'fs.realpath = () => { throw new TypeError("planted"); };syncBuiltinESMExports();';
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(plant)}` };
    for (const command of ["validate", "fmt", "test"]) {
      const { code, stdout, stderr } = await flows([command], { env });
      expect([command, code, stdout]).toEqual([command, 3, ""]);
      expect(stderr).toContain("a mistake of flows itself, please report it");
    }
    expect((await flows(["list"], { env })).code).toBe(1);
  });
});

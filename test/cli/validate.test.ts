// `flows validate`: exit codes, formats and paths. What the check says is tested with the language.

import { describe, expect, it } from "vitest";
import { place, reminder } from "./harness.js";

const GOOD = reminder("http://127.0.0.1:9/");
const BAD = GOOD.replace("type: webhook", "type: webhok");
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

  it("given files by name, checks these alone", async () => {
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
});

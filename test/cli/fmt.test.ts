// `flows fmt`: what is written, listed and refused. The layout itself is tested with the language.

import { chmod, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { place } from "./harness.js";

const TIDY = `id: tidy
steps:
  - id: a
    type: delay
    config: { seconds: 1 }
`;
const UNTIDY = TIDY.replace(
  "    type: delay\n    config: { seconds: 1 }",
  "    config: {seconds: 1}",
)
  .replace("tidy", "untidy")
  .concat("    type: delay   # why\n");
const LAID_OUT = TIDY.replace("tidy", "untidy").replace("type: delay", "type: delay # why");
const BROKEN = "id: broken\nsteps: [\n";

describe("flows fmt", () => {
  it("given a folder, writes what changes, lists it, and keeps the files' rights", async () => {
    const { dir, flows } = await place({ "flows/a.yaml": TIDY, "flows/sub/b.yaml": UNTIDY });
    await chmod(join(dir, "flows/sub/b.yaml"), 0o640);
    const checked = await flows(["fmt", "--check"]);
    expect([checked.code, checked.stdout]).toEqual([1, "flows/sub/b.yaml\n"]);
    expect(await readFile(join(dir, "flows/sub/b.yaml"), "utf8")).toBe(UNTIDY);
    expect(await flows(["fmt"])).toEqual({
      code: 0,
      stdout: "flows/sub/b.yaml\n",
      stderr: "2 files looked at: 1 changed.\n",
    });
    expect(await readFile(join(dir, "flows/sub/b.yaml"), "utf8")).toBe(LAID_OUT);
    expect((await stat(join(dir, "flows/sub/b.yaml"))).mode & 0o777).toBe(0o640);
    const { code, stdout } = await flows(["fmt", "--check", "--json"]);
    expect([code, JSON.parse(stdout)]).toEqual([0, { changed: [], diagnostics: [] }]);
  });

  it("given a file with a mistake of syntax, leaves it, says so, lays out others", async () => {
    const { dir, flows } = await place({ "flows/a.yaml": UNTIDY, "flows/b.yaml": BROKEN });
    const { code, stdout, stderr } = await flows(["fmt"]);
    expect([code, stdout]).toEqual([1, "flows/a.yaml\n"]);
    expect(stderr).toContain("flows/b.yaml:2:8: this [ is never closed [syntax]");
    expect(await readFile(join(dir, "flows/b.yaml"), "utf8")).toBe(BROKEN);
  });

  it("given a link by name, writes what it leads to", async () => {
    const { dir, flows } = await place({ "elsewhere/a.yaml": UNTIDY });
    await symlink("../elsewhere/a.yaml", join(dir, "flows/a.yaml"));
    expect((await flows(["fmt", "flows/a.yaml"])).code).toBe(0);
    expect(await readFile(join(dir, "elsewhere/a.yaml"), "utf8")).toBe(LAID_OUT);
    expect(await readFile(join(dir, "flows/a.yaml"), "utf8")).toBe(LAID_OUT);
  });

  it("given stdin, prints it laid out; a mistake leaves stdout empty: 1", async () => {
    const { flows } = await place();
    const said = await flows(["fmt", "-"], { input: UNTIDY });
    expect(said).toEqual({ code: 0, stdout: LAID_OUT, stderr: "" });
    const broken = await flows(["fmt", "--stdin-filename", "flows/b.yaml"], { input: BROKEN });
    expect([broken.code, broken.stdout]).toEqual([1, ""]);
    expect(broken.stderr).toContain("flows/b.yaml:2:8: ");
  });

  it("given a test of a flow, orders its keys as a test's", async () => {
    const { flows } = await place();
    const input = "cases:\n  - expect: { status: failed }\n    name: n\nworkflow: w\n";
    const { stdout } = await flows(["fmt", "--stdin-filename", "w.test.yaml"], { input });
    expect(stdout).toBe("workflow: w\ncases:\n  - name: n\n    expect: { status: failed }\n");
  });

  it("given stdin and paths: 2", async () => {
    const { flows } = await place({ "flows/a.yaml": TIDY });
    expect((await flows(["fmt", "-", "flows"])).code).toBe(2);
  });
});

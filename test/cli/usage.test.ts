// The command line itself: version, help, wrong usage, and which stream says what.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { place } from "./harness.js";

const COMMANDS = [
  "serve",
  "validate",
  "fmt",
  "schema",
  "graph",
  "sync",
  "list",
  "trigger",
  "runs",
  "show",
  "watch",
  "cancel",
  "pause",
  "resume",
  "retry",
  "approve",
  "reject",
  "signal",
  "demo",
  "completion",
];

const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };

describe("flows", () => {
  it.each([["--version"], ["-V"]])("given %s, prints the version alone", async (option) => {
    const { flows } = await place();
    expect(await flows([option])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("given --version, loads no package", async () => {
    const { flows } = await place();
    const { stderr } = await flows(["--version"], { env: { NODE_DEBUG: "esm" } });
    expect(stderr).toContain("cli/main.js");
    expect(stderr).not.toContain("node_modules");
  });

  it("given --help, names every command on stdout", async () => {
    const { flows } = await place();
    const { code, stdout } = await flows(["--help"]);
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${name}\\b`, "m"));
    expect(stdout).not.toContain("__complete");
  });

  it.each(COMMANDS)("given %s --help, shows its options and the common ones", async (name) => {
    const { flows } = await place();
    const { code, stdout } = await flows([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/--store <dir>/);
  });

  it("given nothing, shows the help on stderr: 2", async () => {
    const { flows } = await place();
    const { code, stdout, stderr } = await flows([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Commands:");
  });

  it.each([
    [["trgger", "x"], "unknown command 'trgger'", "Did you mean trigger?"],
    [["list", "--jsn"], "unknown option '--jsn'", "Did you mean --json?"],
    [["trigger"], "missing required argument 'id'", "flows COMMAND --help"],
    [["show", "a", "b"], "too many arguments", "flows COMMAND --help"],
    [["runs", "--status", "done"], "'done' is invalid", "completed, failed"],
    [["runs", "--limit", "0"], '--limit wants a whole number from 1 to 200, not "0"', ""],
    [["trigger", "x", "--timeout", "3s"], "--timeout needs --wait", ""],
    [["trigger", "x", "--wait", "--timeout", "soon"], "--timeout wants a duration", "30s"],
    [["trigger", "x", "--set", "invoice"], "--set wants key=value", "Example"],
    [["trigger", "x", "--context", "{"], "--context is not JSON", "Example"],
    [["trigger", "x", "--context", "@gone.json"], "cannot be read", "gone.json"],
    [["trigger", "x", "--idempotency-key", "a b"], "--idempotency-key wants", "ASCII"],
    [["serve", "--port", "80000"], "--port wants a whole number from 0 to 65535", ""],
    [["serve", "--port", "0", "--host", "0.0.0.0"], "without a token", "127.0.0.1"],
    [["validate", "--format", "jsn"], "--format wants one of human, json", "did you mean json?"],
    [["validate", "gone.yaml"], '"gone.yaml" is not there', "name flow files"],
    [["demo", "--delay", "-1"], "--delay wants seconds", ""],
    [["demo", "--url", "ftp://x"], "--url wants an http or https address", ""],
    [["completion", "bsh"], 'not for "bsh"', "did you mean bash?"],
  ])("given wrong usage, %j, says so on stderr: 2", async (args, sentence, help) => {
    const { flows } = await place();
    const { code, stdout, stderr } = await flows(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
    expect(stderr).toContain(help);
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it("given FORCE_COLOR, paints; given NO_COLOR as well, does not", async () => {
    const { flows } = await place();
    const args = ["trigger", "x", "--set", "y"];
    expect((await flows(args, { env: { FORCE_COLOR: "1" } })).stderr).toContain("\u001b[");
    const both = { env: { FORCE_COLOR: "1", NO_COLOR: "1" } };
    expect((await flows(args, both)).stderr).not.toContain("\u001b[");
  });
});

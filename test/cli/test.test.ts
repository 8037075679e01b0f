// `flows test`: what it finds, what it prints in each format, and its exit codes.

import { describe, expect, it } from "vitest";
import { place, reminder } from "./harness.js";

const FLOW = reminder("http://127.0.0.1:9/", 3600);
const OTHER = FLOW.replace("id: reminder", "id: other");
const ANSWERED = "stubs: { send: { output: { status: 200, body: null } } }";
const GOOD = `workflow: reminder
cases:
  - name: waits an hour, and sends the context
    context: { invoice: 7 }
    ${ANSWERED}
    expect: { elapsed: 1h, calls: { send: [{ body: { invoice: 7 } }] } }
`;
const HOW = "write stubs: { send: { output: { status: 200, body: null } } }";
const BAD = `workflow: reminder
cases:
  - name: "is <wrong> & \\"odd\\""
    ${ANSWERED}
    expect: { elapsed: 2h, path: [send] }
  - name: has no stub
`;

describe("flows test", () => {
  it("given tests that pass, names each case with its virtual time: 0", async () => {
    const { flows } = await place({ "flows/a.yaml": FLOW, "flows/a.test.yaml": GOOD });
    const { code, stdout, stderr } = await flows(["test"]);
    expect(stdout).toBe("flows/a.test.yaml\n  ✓ waits an hour, and sends the context (1h)\n");
    expect([code, stderr]).toEqual([0, "1 case: 1 passed, 0 failed.\n"]);
  });

  it("given cases that fail, prints expected, actual, and what happened when: 1", async () => {
    const { flows } = await place({ "flows/a.yaml": FLOW, "flows/a.test.yaml": BAD });
    const { code, stdout, stderr } = await flows(["test"]);
    expect(stdout).toBe(`flows/a.test.yaml
  ✗ is <wrong> & "odd" (1h)  flows/a.test.yaml:3:11
      elapsed:
        expected "2h"
        actual   "1h"
      path:
        expected ["send"]
        actual   ["delay_step","send"]
      what happened:
        +0s  run created: reminder {}
        +0s  run started
        +0s  delay_step started, until +1h
        +1h  delay_step completed: null
        +1h  send started
        +1h  send completed: {"status":200,"body":null}
        +1h  run completed
  ✗ has no stub (1h)  flows/a.test.yaml:6:11
      step "send" (webhook) would touch the world, and has no stub: ${HOW}
      what happened:
        +0s  run created: reminder {}
        +0s  run started
        +0s  delay_step started, until +1h
        +1h  delay_step completed: null
        +1h  send started
`);
    expect([code, stderr]).toEqual([1, "2 cases: 0 passed, 2 failed.\n"]);
  });

  it("given a mistake in a test file, says where, and plays the other files: 1", async () => {
    const wrong = GOOD.replace("stubs:", "stub:");
    const files = { "flows/a.test.yaml": wrong, "flows/b.test.yaml": GOOD };
    const { flows } = await place({ "flows/a.yaml": FLOW, ...files });
    const { code, stdout, stderr } = await flows(["test"]);
    expect(stdout).toContain('flows/a.test.yaml:5:5: unknown key "stub" [unknown-key]');
    expect(stdout).toContain('did you mean "stubs"?');
    expect(stdout).toContain("✓ waits an hour");
    expect([code, stderr]).toEqual([1, "1 case: 1 passed, 0 failed; 1 mistake in test files.\n"]);
  });

  it("given a flow file, plays the test beside it; given a folder, all of it", async () => {
    const { flows } = await place({
      "flows/a.yaml": FLOW,
      "flows/a.test.yaml": GOOD,
      "flows/deep/b.yaml": OTHER,
      "flows/deep/b.test.yaml": GOOD.replace("workflow: reminder", "workflow: other"),
      "else/c.yaml": FLOW,
      "else/c.test.yaml": GOOD,
    });
    const said = async (...args: string[]) => (await flows(["test", ...args])).stderr;
    expect(await said()).toContain("2 cases: 2 passed");
    expect(await said("flows/a.yaml")).toContain("1 case: 1 passed");
    expect(await said("flows/deep")).toContain("1 case: 1 passed");
    expect(await said("flows/deep/b.test.yaml", "else")).toContain("2 cases: 2 passed");
  });

  it("given --filter, plays the cases with that in their names alone", async () => {
    const { flows } = await place({ "flows/a.yaml": FLOW, "flows/a.test.yaml": BAD });
    const found = await flows(["test", "--filter", "NO STUB"]);
    expect([found.code, found.stderr]).toEqual([1, "1 case: 0 passed, 1 failed.\n"]);
    const none = await flows(["test", "--filter", "nowhere"]);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining('No case has "nowhere" in its name'),
    ]);
  });

  it("given --coverage, says what no case reaches", async () => {
    const branch = FLOW.replace(
      "  - id: send\n",
      "  - id: send\n    on_error: { continue: true }\n",
    );
    const files = { "flows/a.yaml": branch, "flows/a.test.yaml": GOOD, "flows/b.yaml": OTHER };
    const { flows } = await place(files);
    const { code, stdout } = await flows(["test", "--coverage"]);
    expect(code).toBe(0);
    expect(stdout).toContain("COVERAGE OF  STEPS         ARMS\n");
    expect(stdout).toContain("reminder     2 of 2  100%  0 of 1  0%\n");
    expect(stdout).toContain("other        0 of 2  0%    none\n");
    expect(stdout).toContain("reminder does not reach: send: on_error\n");
    expect(stdout).toContain("other does not reach: delay_step, send\n");
  });

  it("given --json, prints one document", async () => {
    const { flows } = await place({ "flows/a.yaml": FLOW, "flows/a.test.yaml": BAD });
    const { code, stdout } = await flows(["test", "--json", "--coverage"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      passed: false,
      counts: { cases: 2, passed: 0, failed: 2 },
      cases: [
        {
          file: "flows/a.test.yaml",
          line: 3,
          workflow_id: "reminder",
          passed: false,
          status: "completed",
          differences: [{ at: "elapsed", expected: "2h", actual: "1h" }, { at: "path" }],
          trace: expect.arrayContaining(["+1h  run completed"]),
        },
        { name: "has no stub", status: "running" },
      ],
      coverage: [{ workflow_id: "reminder", steps: { percent: 100, missing: [] } }],
    });
  });

  it("given --format junit, prints XML that is well-formed, with mistakes as errors", async () => {
    const files = { "flows/a.test.yaml": BAD, "flows/b.test.yaml": GOOD, "flows/c.test.yaml": "[" };
    const { flows } = await place({ "flows/a.yaml": FLOW, ...files });
    const { code, stdout } = await flows(["test", "--format", "junit"]);
    expect(code).toBe(1);
    const elements = wellFormed(stdout);
    const named = (name: string) => elements.filter((element) => element.name === name);
    expect(named("testsuites")[0]?.attributes).toMatchObject({
      tests: "4",
      failures: "2",
      errors: "1",
    });
    expect(named("testsuite").map(({ attributes }) => attributes.name)).toEqual([
      "flows/a.test.yaml",
      "flows/b.test.yaml",
      "flows/c.test.yaml",
    ]);
    expect(named("testcase")[0]?.attributes).toMatchObject({
      name: 'is <wrong> & "odd"',
      classname: "reminder",
      line: "3",
    });
    expect(named("failure")[0]?.attributes.message).toBe("elapsed is not as expected");
    expect(named("error")[0]?.attributes.type).toBe("syntax");
  });

  it.each([
    [["test"], "There is no *.test.yaml file"],
    [["test", "gone"], '"gone" is not there'],
    [["test", "flows/a.yaml"], "has no test beside it"],
    [["test", "--format", "junt"], "did you mean junit?"],
  ])("given %j where there is no test: 2", async (args, said) => {
    const { flows } = await place({ "flows/a.yaml": FLOW });
    const { code, stdout, stderr } = await flows(args);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(said);
  });
});

interface Element {
  name: string;
  attributes: { [name: string]: string };
}

/** Every element, in order; throws where something is not as XML wants it. */
function wellFormed(text: string): Element[] {
  const elements: Element[] = [];
  const open: string[] = [];
  const rest = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  if (rest === text) throw new Error("no XML declaration");
  for (const [token, close, name, given, empty] of rest.matchAll(TOKEN)) {
    if (name === undefined) decoded(token);
    else if (close) {
      const opened = open.pop();
      if (opened !== name) throw new Error(`</${name}> closes <${opened}>`);
    } else {
      elements.push({ name, attributes: attributesOf(given ?? "") });
      if (!empty) open.push(name);
    }
  }
  if (open.length > 0 || elements[0]?.name !== "testsuites") throw new Error(`open: ${open}`);
  return elements;
}

const TOKEN = /<(\/)?([\w-]+)((?:\s+[\w-]+="[^"<]*")*)\s*(\/)?>|[^<]+|</g;

function attributesOf(text: string): Element["attributes"] {
  const pairs = [...text.matchAll(/([\w-]+)="([^"]*)"/g)];
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, decoded(value)]));
}

function decoded(text: string): string {
  const plain = text.replace(/&(lt|gt|amp|quot);/g, (_, name: string) => ENTITIES[name] ?? "");
  if (/<|&(?!(?:lt|gt|amp|quot);)/.test(text)) throw new Error(`not escaped: ${text}`);
  return plain;
}

const ENTITIES: { [name: string]: string } = { lt: "<", gt: ">", amp: "&", quot: '"' };

// Definitions that come by the API: what is written into the folder of flow files, and what is not.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { Put } from "../../../src/engine/runner.js";
import type { JsonObject } from "../../../src/flow/json.js";
import { createKit, entryOf, flow, type Kit, secondsOf } from "./sync-kit.js";

describe("given no workflow of an id, when its definition is put", () => {
  test("then its flow file is made, and it is served at once", async () => {
    const kit = createKit();
    const workflows = await kit.open();
    const put = await workflows.put(definition("a", 5));
    expect(put).toMatchObject({
      created: true,
      workflow: { id: "a", file: "a.yaml", valid: true },
    });
    expect(await entryOf(workflows, "a")).toEqual("workflow" in put && put.workflow);
    expect(secondsOf(workflows, "a")).toBe(5);
    expect(parse(read(kit, "a.yaml"))).toEqual(definition("a", 5));
    expect(readdirSync(kit.flows)).toEqual(["a.yaml"]);
  });

  test("then the folder of flow files is made where there is none", async () => {
    const kit = createKit();
    kit.remove("");
    const workflows = await kit.open();
    expect(await workflows.put(definition("a"))).toMatchObject({ created: true });
    expect(existsSync(join(kit.flows, "a.yaml"))).toBe(true);
  });

  const refused: [what: string, definition: JsonObject, kind: string][] = [
    [
      "an unknown step type",
      { ...definition("a"), steps: [{ id: "x", type: "dela" }] },
      "step-type",
    ],
    [
      "a step that runs a program, however deep",
      {
        ...definition("a"),
        steps: [
          {
            id: "each",
            type: "foreach",
            config: { items: [1], steps: [{ id: "x", type: "shell", config: { script: "id" } }] },
          },
        ],
      },
      "step-type",
    ],
    ["an id that is a path", definition("../../etc/passwd"), "value"],
    ["no id", { steps: [] }, "missing-key"],
    ["an id that is no text", { ...definition("a"), id: 7 }, "type"],
    ["nesting without end", nested(5_000), "size"],
    ["300 KiB", { ...definition("a"), description: "x".repeat(300 * 1024) }, "size"],
    [
      "20 000 keys",
      { ...definition("a"), context: Object.fromEntries([...Array(20_000).keys()].map(entry)) },
      "size",
    ],
  ];
  test.each(refused)("and it has %s, then nothing is written", async (_what, bad, kind) => {
    const kit = createKit({ "b.yaml": flow("b") });
    const workflows = await kit.open();
    expect(kindsOf(await workflows.put(bad))).toContain(kind);
    expect(readdirSync(kit.flows)).toEqual(["b.yaml"]);
    expect((await workflows.list()).map(({ id }) => id)).toEqual(["b"]);
    expect(workflows.diagnosticsCount()).toBe(0);
  });

  test("and one of another id stands in its file, then that is not overwritten", async () => {
    const text = flow("z");
    for (const file of ["a.yaml", "a.yml", "A.yaml"]) {
      const kit = createKit({ [file]: text });
      const workflows = await kit.open();
      expect(kindsOf(await workflows.put(definition("a")))).toEqual(["workflow-id"]);
      expect(readdirSync(kit.flows)).toEqual([file]);
      expect(read(kit, file)).toBe(text);
    }
  });

  test("and one differs from it only in case, then it is refused", async () => {
    const kit = createKit({ "x.yaml": flow("Foo") });
    const workflows = await kit.open();
    const put = await workflows.put(definition("foo"));
    expect(put).toMatchObject({ diagnostics: [{ kind: "workflow-id" }] });
    expect(JSON.stringify(put)).toContain('differs only in case from \\"Foo\\" in x.yaml');
    expect(readdirSync(kit.flows)).toEqual(["x.yaml"]);
  });

  test("and a folder or a link has the name of its file, then it is refused", async () => {
    const kit = createKit();
    mkdirSync(join(kit.flows, "a.yaml"));
    writeFileSync(join(kit.store, "secret"), "secret");
    symlinkSync(join(kit.store, "secret"), join(kit.flows, "b.yaml"));
    const workflows = await kit.open();
    expect(kindsOf(await workflows.put(definition("a")))).toEqual(["unreadable"]);
    expect(kindsOf(await workflows.put(definition("b")))).toEqual(["unreadable"]);
    expect(readFileSync(join(kit.store, "secret"), "utf8")).toBe("secret");
  });
});

describe("given a workflow with comments in its file, when its definition is put", () => {
  const commented = `# Mind the queue.\n${flow("a", 1)}  # the end\n`;

  test("then the file is edited where it is, and comments stay", async () => {
    const kit = createKit({ "sub/x.yml": commented });
    const workflows = await kit.open();
    const put = await workflows.put(definition("a", 9));
    expect(put).toMatchObject({ created: false, workflow: { id: "a", file: "sub/x.yml" } });
    expect(secondsOf(workflows, "a")).toBe(9);
    expect(read(kit, "sub/x.yml")).toContain("# Mind the queue.");
    expect(read(kit, "sub/x.yml")).toContain("# the end");
    expect(readdirSync(kit.flows)).toEqual(["sub"]);
  });

  test("then a definition with a mistake changes nothing", async () => {
    const kit = createKit({ "a.yaml": commented });
    const workflows = await kit.open();
    const put = await workflows.put({ ...definition("a"), steps: [] });
    expect("diagnostics" in put && put.diagnostics.length).toBeGreaterThan(0);
    expect(read(kit, "a.yaml")).toBe(commented);
    expect(secondsOf(workflows, "a")).toBe(1);
    expect((await entryOf(workflows, "a")).valid).toBe(true);
  });

  test("then what a person saved meanwhile, unseen so far, is what gets edited", async () => {
    const kit = createKit({ "a.yaml": commented });
    const workflows = await kit.open({ watch: false });
    kit.write("a.yaml", `# Just written.\n${commented}`);
    await workflows.put(definition("a", 9));
    expect(read(kit, "a.yaml")).toContain("# Just written.");
  });

  test("then a file that is half edited by hand is not thrown away", async () => {
    const kit = createKit({ "a.yaml": commented });
    const workflows = await kit.open({ watch: false });
    const half = `${commented}steps: [\n`;
    kit.write("a.yaml", half);
    expect(kindsOf(await workflows.put(definition("a", 9)))).toEqual(["syntax"]);
    expect(read(kit, "a.yaml")).toBe(half);
  });

  test("then the rights of the file stay as they were, and a link to it stays a link", async () => {
    const kit = createKit({ ".shared/a.yaml": commented });
    chmodSync(join(kit.flows, ".shared/a.yaml"), 0o640);
    symlinkSync(".shared/a.yaml", join(kit.flows, "a.yaml"));
    const workflows = await kit.open();
    expect(await workflows.put(definition("a", 9))).toMatchObject({ created: false });
    expect(statSync(join(kit.flows, ".shared/a.yaml")).mode & 0o777).toBe(0o640);
    expect(read(kit, ".shared/a.yaml")).toContain("seconds: 9");
  });

  test("then one that was broken, but is YAML, is put right", async () => {
    const kit = createKit({ "a.yaml": commented.replace("type: delay", "type: dela") });
    const workflows = await kit.open();
    expect(workflows.current("a")).toBeUndefined();
    expect(await workflows.put(definition("a", 9))).toMatchObject({ created: false });
    expect(secondsOf(workflows, "a")).toBe(9);
  });

  test("then many at a time end in the last one, and the file is whole", async () => {
    const kit = createKit({ "a.yaml": commented });
    const workflows = await kit.open();
    const seconds = [...Array(20).keys()];
    await Promise.all(seconds.map((each) => workflows.put(definition("a", each))));
    expect(secondsOf(workflows, "a")).toBe(19);
    expect(parse(read(kit, "a.yaml"))).toEqual({ ...definition("a", 19), name: "The a" });
  });
});

describe("given a server that others reach, when a definition is put that calls", () => {
  const ONLY_LOOPBACK =
    "a workflow that comes by the API may call loopback and private addresses " +
    "only while the server listens on loopback";
  const NAME_HOSTS =
    "a workflow that comes by the API from beyond this machine must name its hosts";
  const beyond = { private_hosts: false };
  const calling = (url: string): JsonObject => ({
    id: "a",
    name: "The a",
    context: { type: "object", properties: { host: { enum: ["127.0.0.1"] }, any: {} } },
    secrets: ["HOOK"],
    steps: [
      {
        id: "each",
        type: "foreach",
        config: { items: [1], steps: [{ id: "x", type: "http", config: { url } }] },
      },
    ],
  });

  test("what others must not reach, then it is refused at its place", async () => {
    const table: [url: string, message: string][] = [
      ["http://127.0.0.1:9/", ONLY_LOOPBACK],
      ["http://2130706433/", ONLY_LOOPBACK],
      ["http://localhost./", ONLY_LOOPBACK],
      ["http://[::ffff:10.0.0.1]/", ONLY_LOOPBACK],
      ["http://192\u3002168.0.1/${{ context.any }}", ONLY_LOOPBACK],
      ["http://169.254.169.254/", ONLY_LOOPBACK],
      ["http://${{ context.host }}/", NAME_HOSTS],
      ["http://${{ secrets.HOOK }}.${{ context.host }}/", NAME_HOSTS],
      ["${{ context.any }}", NAME_HOSTS],
    ];
    const kit = createKit();
    const workflows = await kit.open({ watch: false });
    for (const [url, message] of table) {
      const put = await workflows.put(calling(url), beyond);
      const all = "diagnostics" in put ? put.diagnostics : [];
      const errors = all.filter(({ severity }) => severity === "error");
      expect(errors, url).toMatchObject([{ kind: "value", message }]);
      expect(errors[0]?.line, url).toBeGreaterThan(8);
    }
    expect(readdirSync(kit.flows)).toEqual([]);
  });

  test("the internet or a secret address, then it is served; on loopback, all is", async () => {
    const kit = createKit();
    const workflows = await kit.open({ watch: false });
    for (const url of ["https://api.example/${{ context.any }}", "${{ secrets.HOOK }}"]) {
      expect(await workflows.put(calling(url), beyond)).toMatchObject({ workflow: { id: "a" } });
    }
    const near = calling("http://127.0.0.1:9/");
    expect(await workflows.put(near, { private_hosts: true })).toMatchObject({ created: false });
  });
});

test("given two files of one id, when its definition is put, then neither is touched", async () => {
  const kit = createKit({ "a.yaml": flow("a", 1), "b.yaml": flow("a", 2) });
  const workflows = await kit.open();
  expect(kindsOf(await workflows.put(definition("a", 9)))).toEqual(["workflow-id"]);
  expect(read(kit, "a.yaml")).toBe(flow("a", 1));
  expect(read(kit, "b.yaml")).toBe(flow("a", 2));
});

function definition(id: string, seconds = 1): JsonObject {
  const config = { seconds };
  const steps = [{ id: "one", type: "delay", config, next_step_id: null }];
  return { id, name: "The a", steps };
}

function nested(depth: number): JsonObject {
  let value: JsonObject = {};
  for (let i = 0; i < depth; i++) value = { a: value };
  return { ...definition("a"), context: value };
}

function entry(index: number): [string, number] {
  return [`key_${index}`, index];
}

function kindsOf(put: Put): string[] {
  return "diagnostics" in put ? put.diagnostics.map(({ kind }) => kind) : [];
}

function read(kit: Kit, file: string): string {
  return readFileSync(join(kit.flows, file), "utf8");
}

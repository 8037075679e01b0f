// What is served of a folder of flow files: saved, broken, deleted, claimed twice, and restarted.

import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import type { LocalWorkflows } from "../../../src/hosts/local/sync.js";
import { createKit, entryOf, eventually, flow, hashOf, quiet, secondsOf } from "./sync-kit.js";

const BROKEN = "id: a\nsteps:\n  - { id: one, type: dela }\n";

describe("given a folder of flow files, when it is opened", () => {
  test("then each valid one is served, under the hash of its canonical JSON", async () => {
    const kit = createKit({ "a.yaml": flow("a", 2), "sub/b.json": JSON.stringify(seed) });
    const workflows = await kit.open();
    const entry = await entryOf(workflows, "a");
    expect(entry).toMatchObject({ id: "a", name: "The a", file: "a.yaml", valid: true });
    expect(entry.version).toBe(hashOf(entry.workflow!));
    expect(workflows.current("a")).toMatchObject({ version: entry.version });
    expect((await entryOf(workflows, "invoice_reminder")).file).toBe("sub/b.json");
    expect((await workflows.list()).map(({ id }) => id)).toEqual(["a", "invoice_reminder"]);
  });

  test("then a version is durable before it is served", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    const whileSaving: unknown[] = [];
    let isOpen = false;
    const workflows: LocalWorkflows = await kit.open({
      watch: false,
      saveVersion: async (version) => {
        await sleep(50);
        if (isOpen) whileSaving.push(version, secondsOf(workflows, "a"));
      },
    });
    isOpen = true;
    kit.write("a.yaml", flow("a", 2));
    await workflows.sync();
    expect(whileSaving).toEqual([workflows.current("a")?.version, 1]);
    expect(secondsOf(workflows, "a")).toBe(2);
  });

  test("then a version that cannot be saved is not served, and later it is", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1), "b.yaml": flow("b") });
    let isFull = false;
    const workflows = await kit.open({
      saveVersion: async () => {
        if (isFull) throw new Error("the disk is full");
      },
    });
    isFull = true;
    kit.write("a.yaml", flow("a", 2));
    await expect(workflows.sync()).rejects.toThrow("the disk is full");
    expect(secondsOf(workflows, "a")).toBe(1);
    isFull = false;
    await workflows.sync();
    expect(secondsOf(workflows, "a")).toBe(2);
  });

  test("then the store holds what is served, to be read by cat and jq", async () => {
    const kit = createKit({ "a.yaml": flow("a") });
    const workflows = await kit.open();
    const { workflow, version } = workflows.current("a")!;
    expect(kit.document("a")).toEqual({ id: "a", version, file: "a.yaml", workflow });
  });

  test("then tests of workflows are no workflows", async () => {
    const kit = createKit({ "a.yaml": flow("a"), "a.test.yaml": "workflow: a\ncases: []\n" });
    const workflows = await kit.open();
    expect((await workflows.list()).map(({ id }) => id)).toEqual(["a"]);
    expect(workflows.diagnosticsCount()).toBe(0);
  });

  test("then a file that never was valid is listed, and not served", async () => {
    const kit = createKit({ "bad.yaml": BROKEN, "worse.yaml": "{" });
    const workflows = await kit.open();
    expect(await workflows.list()).toMatchObject([
      { id: "a", version: null, file: "bad.yaml", valid: false, workflow: null },
      { id: "worse", version: null, file: "worse.yaml", valid: false },
    ]);
    expect((await entryOf(workflows, "a")).diagnostics[0]).toMatchObject({ kind: "step-type" });
    expect(workflows.current("a")).toBeUndefined();
    expect(workflows.unserved("a")).toContain('the workflow "a" was never valid: bad.yaml:3:');
    expect(workflows.unserved("nobody")).toBeUndefined();
    expect(workflows.diagnosticsCount()).toBeGreaterThanOrEqual(2);
    expect(kit.logged.some((line) => line.startsWith("warn bad.yaml:3:"))).toBe(true);
    expect(kit.documents()).toEqual([]);
  });

  test("then a link out of the folder is not followed, whatever it leads to", async () => {
    const outside = mkdtempSync(join(tmpdir(), "outside-"));
    onTestFinished(() => rmSync(outside, { recursive: true }));
    writeFileSync(join(outside, "x.yaml"), flow("x"));
    const kit = createKit({ "a.yaml": flow("a") });
    symlinkSync(join(outside, "x.yaml"), join(kit.flows, "x.yaml"));
    symlinkSync(outside, join(kit.flows, "sub"));
    const workflows = await kit.open();
    expect(workflows.current("x")).toBeUndefined();
    expect(workflows.unserved("x")).toContain("a link out of the folder");
    writeFileSync(join(outside, "x.yaml"), flow("x", 2));
    await quiet();
    expect(workflows.current("x")).toBeUndefined();
  });
});

describe("given a workflow that is served", () => {
  test("when its file is saved, then the new version is served", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    const workflows = await kit.open();
    kit.write("a.yaml", flow("a", 2));
    await eventually(() => secondsOf(workflows, "a") === 2);
    const { version } = workflows.current("a")!;
    await eventually(() => JSON.stringify(kit.document("a")).includes(version));
    expect(kit.saved.size).toBe(2);
  });

  test("when its file is saved invalid, then its last good version is served", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    const workflows = await kit.open();
    const { version } = await entryOf(workflows, "a");
    kit.write("a.yaml", BROKEN);
    await eventually(async () => !(await entryOf(workflows, "a")).valid);
    const entry = await entryOf(workflows, "a");
    expect(entry).toMatchObject({ version, valid: false, workflow: { id: "a" } });
    expect(entry.diagnostics[0]).toMatchObject({ file: "a.yaml", line: 3, kind: "step-type" });
    expect(secondsOf(workflows, "a")).toBe(1);
    expect(workflows.diagnosticsCount()).toBe(entry.diagnostics.length);
    kit.write("a.yaml", flow("a", 3));
    await eventually(async () => (await entryOf(workflows, "a")).valid);
    expect(secondsOf(workflows, "a")).toBe(3);
    expect(workflows.diagnosticsCount()).toBe(0);
  });

  test("when its file is deleted, then it takes no new runs", async () => {
    const kit = createKit({ "a.yaml": flow("a"), "b.yaml": flow("b") });
    const workflows = await kit.open();
    kit.remove("a.yaml");
    await eventually(() => workflows.current("a") === undefined);
    expect(await workflows.get("a")).toBeUndefined();
    expect(workflows.unserved("a")).toBeUndefined();
    await eventually(() => kit.documents().join() === "b");
  });

  test("when its invalid file is deleted, then it takes no new runs either", async () => {
    const kit = createKit({ "a.yaml": flow("a") });
    const workflows = await kit.open();
    kit.write("a.yaml", BROKEN);
    await eventually(async () => !(await entryOf(workflows, "a")).valid);
    kit.remove("a.yaml");
    await eventually(async () => (await workflows.list()).length === 0);
    expect(workflows.current("a")).toBeUndefined();
  });

  test("when its file is renamed, then it is served without a break", async () => {
    const kit = createKit({ "a.yaml": flow("a") });
    const workflows = await kit.open();
    renameSync(join(kit.flows, "a.yaml"), join(kit.flows, "z.yaml"));
    await eventually(async () => {
      expect(workflows.current("a")).toBeDefined();
      return (await entryOf(workflows, "a")).file === "z.yaml";
    });
    await eventually(() => JSON.stringify(kit.document("a")).includes("z.yaml"));
    expect(kit.saved.size).toBe(1);
  });

  test("when its file gets another id, then only that one is served", async () => {
    const kit = createKit({ "a.yaml": flow("a") });
    const workflows = await kit.open();
    kit.write("a.yaml", flow("z"));
    await eventually(() => workflows.current("z") !== undefined);
    expect(workflows.current("a")).toBeUndefined();
    await eventually(() => kit.documents().join() === "z");
  });

  test("when a second file claims its id, then both are wrong and the version stays", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    const workflows = await kit.open();
    kit.write("copy.yaml", flow("a", 2));
    await eventually(async () => (await workflows.list()).length === 2);
    const list = await workflows.list();
    expect(list).toMatchObject([
      { id: "a", file: "a.yaml", valid: false, diagnostics: [{ kind: "workflow-id" }] },
      { id: "copy", file: "copy.yaml", version: null, diagnostics: [{ kind: "workflow-id" }] },
    ]);
    expect(secondsOf(workflows, "a")).toBe(1);
    kit.remove("a.yaml");
    await eventually(() => secondsOf(workflows, "a") === 2);
    expect(await workflows.list()).toMatchObject([{ id: "a", file: "copy.yaml", valid: true }]);
  });
});

describe("given a store of an earlier start, when it is opened again", () => {
  test("and the file is invalid by now, then the last good version is served", async () => {
    const kit = createKit({ "a.yaml": flow("a", 7) });
    await (await kit.open()).close();
    kit.write("a.yaml", BROKEN);
    kit.saved.clear();
    const workflows = await kit.open();
    expect(secondsOf(workflows, "a")).toBe(7);
    expect(await entryOf(workflows, "a")).toMatchObject({ valid: false, file: "a.yaml" });
    expect([...kit.saved.keys()]).toEqual([workflows.current("a")?.version]);
  });

  test("and the file was deleted while nothing ran, then it takes no new runs", async () => {
    const kit = createKit({ "a.yaml": flow("a"), "b.yaml": flow("b") });
    await (await kit.open()).close();
    kit.remove("a.yaml");
    const workflows = await kit.open();
    expect(workflows.current("a")).toBeUndefined();
    expect(kit.documents()).toEqual(["b"]);
  });

  test("and two files claim the id by now, then the version that was served stays", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    await (await kit.open()).close();
    kit.write("copy.yaml", flow("a", 2));
    kit.write("a.yaml", flow("a", 3));
    const workflows = await kit.open();
    expect(secondsOf(workflows, "a")).toBe(1);
  });

  test.each([
    ["torn", '{ "id": "a", "ver'],
    ["of another id", '{ "id": "b", "version": "x", "file": "a.yaml", "workflow": { "id": "b" } }'],
    ["not what its version says", '{"id":"a","version":"x","file":"a.yaml","workflow":{"id":"a"}}'],
    ["no object", "null"],
  ])("and a document is %s, then it is not served, and the file decides", async (_what, text) => {
    const kit = createKit({ "a.yaml": BROKEN });
    await (await kit.open()).close();
    writeFileSync(join(kit.store, "workflows", "a.json"), text);
    const workflows = await kit.open();
    expect(workflows.current("a")).toBeUndefined();
    kit.write("a.yaml", flow("a", 4));
    await workflows.sync();
    expect(secondsOf(workflows, "a")).toBe(4);
    expect(kit.document("a")).toMatchObject({ id: "a", file: "a.yaml" });
  });
});

const seed = {
  id: "invoice_reminder",
  name: "Invoice Reminder Workflow",
  entry_point: "delay_step",
  steps: [
    { id: "delay_step", type: "delay", config: { seconds: 2 }, next_step_id: "send_reminder" },
    {
      id: "send_reminder",
      type: "webhook",
      config: { url: "http://127.0.0.1:8001/notify" },
      next_step_id: null,
    },
  ],
};

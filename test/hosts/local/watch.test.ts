// Changes of a folder as editors and git make them: all of them end in the right state.

import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createKit, entryOf, eventually, flow, quiet, secondsOf } from "./sync-kit.js";

describe("given a folder that is watched, when a flow file", () => {
  test("is written aside and renamed, as editors do, then the new text is served", async () => {
    const kit = createKit({ "a.yaml": flow("a", 0) });
    const workflows = await kit.open();
    for (let seconds = 1; seconds <= 5; seconds++) {
      const aside = join(kit.flows, ".a.yaml.swp");
      writeFileSync(aside, flow("a", seconds));
      renameSync(aside, join(kit.flows, "a.yaml"));
      await eventually(() => secondsOf(workflows, "a") === seconds);
    }
  });

  test("is moved away and written anew, then it is served all the time", async () => {
    const kit = createKit({ "a.yaml": flow("a", 0) });
    const workflows = await kit.open();
    for (let seconds = 1; seconds <= 5; seconds++) {
      renameSync(join(kit.flows, "a.yaml"), join(kit.flows, "a.yaml~"));
      await sleep(3);
      kit.write("a.yaml", seconds < 5 ? "id: [" : flow("a", seconds));
      await eventually(async () => {
        const { valid } = await entryOf(workflows, "a");
        return valid === (seconds === 5) || secondsOf(workflows, "a") === seconds;
      });
      expect(secondsOf(workflows, "a")).toBe(seconds < 5 ? 0 : 5);
    }
    unlinkSync(join(kit.flows, "a.yaml~"));
  });

  test("is written in pieces, then no half of it is ever served", async () => {
    const kit = createKit({ "a.yaml": flow("a", 0) });
    const workflows = await kit.open();
    const text = flow("a", 1).replace("next_step_id: null", "next_step_id: two");
    const two = "{ id: two, type: delay, config: { seconds: 2 }, next_step_id: null }";
    const whole = `${text}  - ${two}\n`;
    const fd = openSync(join(kit.flows, "a.yaml"), "w");
    for (const line of whole.split("\n").slice(0, -1)) {
      writeSync(fd, `${line}\n`);
      await sleep(20);
    }
    closeSync(fd);
    await eventually(() => secondsOf(workflows, "a") === 1);
    expect(workflows.current("a")?.workflow.steps).toHaveLength(2);
    expect(kit.saved.size).toBe(2);
  });

  test("is written twice within 3 ms, then the second text is served", async () => {
    const files = Array.from({ length: 200 }, (_, i) => `f${i}`);
    const kit = createKit(Object.fromEntries(files.map((id) => [`${id}.yaml`, flow(id, 0)])));
    const workflows = await kit.open();
    for (const id of files) {
      kit.write(`${id}.yaml`, flow(id, 1));
      await sleep(3);
      kit.write(`${id}.yaml`, flow(id, 2));
    }
    await eventually(() => files.every((id) => secondsOf(workflows, id) === 2));
    await quiet();
    expect(files.filter((id) => secondsOf(workflows, id) !== 2)).toEqual([]);
  });

  test("is appended to without end, then other files are served meanwhile", async () => {
    const kit = createKit({ "a.yaml": flow("a", 0), "b.yaml": flow("b", 0) });
    const workflows = await kit.open();
    let writing = true;
    const endless = (async () => {
      while (writing) {
        appendFileSync(join(kit.flows, "a.yaml"), "# more\n");
        await sleep(10);
      }
    })();
    kit.write("b.yaml", flow("b", 1));
    await eventually(() => secondsOf(workflows, "b") === 1);
    writing = false;
    await endless;
  });

  test("becomes a link out of the folder, then the last good version stays", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    writeFileSync(join(kit.store, "x.yaml"), flow("a", 2));
    const workflows = await kit.open();
    rmSync(join(kit.flows, "a.yaml"));
    symlinkSync(join(kit.store, "x.yaml"), join(kit.flows, "a.yaml"));
    await eventually(async () => (await workflows.get("a"))?.valid === false);
    expect(secondsOf(workflows, "a")).toBe(1);
    expect((await entryOf(workflows, "a")).diagnostics[0]?.message).toContain("a link out");
  });

  test("stands in a sub-folder that comes, moves and goes, then so does it", async () => {
    const kit = createKit();
    const workflows = await kit.open();
    kit.write("x/y/a.yaml", flow("a"));
    await eventually(() => workflows.current("a") !== undefined);
    renameSync(join(kit.flows, "x"), join(kit.flows, "z"));
    await eventually(async () => (await workflows.get("a"))?.file === "z/y/a.yaml");
    kit.write("z/y/a.yaml", flow("a", 2));
    await eventually(() => secondsOf(workflows, "a") === 2);
    kit.remove("z");
    await eventually(() => workflows.current("a") === undefined);
  });
});

describe("given a thousand flow files, when git switches to another branch", () => {
  test("then all of the new branch is served, nothing of the old one, and back again", async () => {
    const branch = (from: number, seconds: number) =>
      Array.from({ length: 1_000 }, (_, i) => [`f${from + i}`, seconds] as const);
    const kit = createKit();
    const write = (files: (readonly [string, number])[]) => {
      for (const [id, seconds] of files) {
        // As git does: the old file is removed, and the new one written in its place.
        rmSync(join(kit.flows, `${id}.yaml`), { force: true });
        kit.write(`${id}.yaml`, flow(id, seconds));
      }
    };
    write(branch(0, 1));
    const workflows = await kit.open();
    expect((await workflows.list()).length).toBe(1_000);

    // 500 files go, 500 change, 500 come.
    for (let i = 0; i < 500; i++) kit.remove(`f${i}.yaml`);
    write(branch(500, 2));
    const isThere = (files: (readonly [string, number])[]) => () =>
      kit.documents().length === files.length &&
      files.every(([id, seconds]) => secondsOf(workflows, id) === seconds);
    await eventually(isThere(branch(500, 2)));

    for (let i = 1_000; i < 1_500; i++) kit.remove(`f${i}.yaml`);
    write(branch(0, 1));
    await eventually(isThere(branch(0, 1)));
    await quiet();
    expect(isThere(branch(0, 1))()).toBe(true);
    expect((await workflows.list()).every(({ valid }) => valid)).toBe(true);
  });
});

describe("given a folder that is watched, when the folder itself", () => {
  test("is not there yet, then its files are served once it is", async () => {
    const kit = createKit();
    rmSync(kit.flows, { recursive: true });
    const workflows = await kit.open();
    expect(await workflows.list()).toEqual([]);
    kit.write("a.yaml", flow("a", 1));
    await eventually(() => secondsOf(workflows, "a") === 1);
    kit.write("a.yaml", flow("a", 2));
    await eventually(() => secondsOf(workflows, "a") === 2);
  });

  test("is removed and made again, then its files are followed as before", async () => {
    const kit = createKit({ "a.yaml": flow("a", 1) });
    const workflows = await kit.open();
    rmSync(kit.flows, { recursive: true });
    await eventually(() => workflows.current("a") === undefined);
    mkdirSync(kit.flows);
    kit.write("a.yaml", flow("a", 2));
    await eventually(() => secondsOf(workflows, "a") === 2);
    kit.write("a.yaml", flow("a", 3));
    await eventually(() => secondsOf(workflows, "a") === 3);
  });
});

test("given a folder that is not watched, when it is synced, then it is served anew", async () => {
  const kit = createKit({ "a.yaml": flow("a", 1) });
  const workflows = await kit.open({ watch: false });
  kit.write("a.yaml", flow("a", 2));
  kit.write("b.yaml", flow("b"));
  await quiet();
  expect(secondsOf(workflows, "a")).toBe(1);
  expect((await workflows.sync()).map(({ id }) => id)).toEqual(["a", "b"]);
  expect(secondsOf(workflows, "a")).toBe(2);
});

// The flow files of a folder: which they are, and that reading them does not leave the folder.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readFlowFiles } from "../../../src/hosts/local/flow-folder.js";
import { MAX_FLOW_FILE_BYTES, MAX_FLOW_FILES } from "../../../src/limits.js";

describe("given a folder, when its flow files are read", () => {
  test("then they are .yaml, .yml and .json files in all sub-folders, sorted", async () => {
    const dir = folder({
      "b.yaml": "b",
      "a.yml": "a",
      "sub/deep/c.json": "c",
      "readme.md": "no",
      "b.test.yaml": "no",
      "sub/c.test.yml": "no",
      ".hidden.yaml": "no",
      ".git/d.yaml": "no",
      "node_modules/x/e.yaml": "no",
      "b.yaml~": "no",
    });
    expect(await readFlowFiles(dir)).toEqual({
      files: [
        { file: "a.yml", text: "a" },
        { file: "b.yaml", text: "b" },
        { file: "sub/deep/c.json", text: "c" },
      ],
      diagnostics: [],
    });
  });

  test("then a folder that is not there has none", async () => {
    const missing = join(folder({}), "missing");
    expect(await readFlowFiles(missing)).toEqual({ files: [], diagnostics: [] });
  });

  test("then a store inside is left out", async () => {
    const dir = folder({ "a.yaml": "a", "store/workflows/a.json": "{}" });
    const { files } = await readFlowFiles(dir, join(dir, "store"));
    expect(files.map(({ file }) => file)).toEqual(["a.yaml"]);
  });

  test("then a byte order mark is no part of the text", async () => {
    const dir = folder({ "a.yaml": "\ufeffid: a" });
    expect((await readFlowFiles(dir)).files).toEqual([{ file: "a.yaml", text: "id: a" }]);
  });

  test("then a file that is no UTF-8 has a diagnostic", async () => {
    const dir = folder({ "a.yaml": Buffer.from([0x69, 0xff, 0xfe]) });
    const { files, diagnostics } = await readFlowFiles(dir);
    expect(files).toEqual([]);
    expect(diagnostics).toMatchObject([
      { file: "a.yaml", kind: "unreadable", message: "the file is not text in UTF-8" },
    ]);
  });

  test("then of a huge file just enough is read to see that it is too large", async () => {
    const dir = folder({ "a.yaml": "é".repeat(MAX_FLOW_FILE_BYTES) });
    const text = (await readFlowFiles(dir)).files[0]?.text ?? "";
    expect(Buffer.byteLength(text)).toBeGreaterThan(MAX_FLOW_FILE_BYTES);
    expect(text.length).toBeLessThan(MAX_FLOW_FILE_BYTES);
  });

  test("then of too many as many as may be are read, and the first beyond is named", async () => {
    const names = Array.from({ length: MAX_FLOW_FILES + 40 }, (_, n) => `${n}.yaml`);
    const dir = folder(Object.fromEntries(names.map((name) => [name, ""])));
    const { files, diagnostics } = await readFlowFiles(dir);
    expect(files).toHaveLength(MAX_FLOW_FILES);
    expect(diagnostics).toEqual([
      {
        ...{ file: expect.stringMatching(/^\d+\.yaml$/), line: 1, column: 1, end_line: 1 },
        ...{ end_column: 2, kind: "size", severity: "error" },
        message: "more than 10000 flow files: from this one on, none is read",
        suggestion: "spread them over several folders, each with a server of its own",
      },
    ]);
    expect(files.map(({ file }) => file)).not.toContain(diagnostics[0]?.file);
  });

  test("then a pipe with the name of a flow file stops nothing", async () => {
    const dir = folder({ "b.yaml": "b" });
    execFileSync("mkfifo", [join(dir, "a.yaml")]);
    expect((await readFlowFiles(dir)).files).toEqual([{ file: "b.yaml", text: "b" }]);
  });

  test("then folders nested beyond all measure are named, not walked", async () => {
    const dir = folder({ [`${"d/".repeat(40)}a.yaml`]: "a" });
    const { files, diagnostics } = await readFlowFiles(dir);
    expect(files).toEqual([]);
    expect(diagnostics).toMatchObject([{ kind: "unreadable" }]);
  });
});

describe("given a symbolic link in the folder, when flow files are read and it leads", () => {
  test("out of the folder, then it is not followed, and a diagnostic says so", async () => {
    const outside = folder({ "secret.yaml": "secret" });
    const dir = folder({ "a.yaml": "a" });
    symlinkSync(join(outside, "secret.yaml"), join(dir, "link.yaml"));
    symlinkSync("/etc/passwd", join(dir, "passwd.json"));
    const { files, diagnostics } = await readFlowFiles(dir);
    expect(files).toEqual([{ file: "a.yaml", text: "a" }]);
    expect(diagnostics.map(({ file }) => file)).toEqual(["link.yaml", "passwd.json"]);
    expect(diagnostics[0]?.message).toContain("a link out of the folder");
  });

  test("to a folder outside, then nothing in there is read", async () => {
    const outside = folder({ "secret.yaml": "secret" });
    const dir = folder({ "a.yaml": "a" });
    symlinkSync(outside, join(dir, "sub"));
    expect((await readFlowFiles(dir)).files).toEqual([{ file: "a.yaml", text: "a" }]);
  });

  test("out of it through a link inside, then it is not followed either", async () => {
    const outside = folder({ "secret.yaml": "secret" });
    const dir = folder({});
    symlinkSync(join(outside, "secret.yaml"), join(dir, "middle"));
    symlinkSync("middle", join(dir, "link.yaml"));
    expect((await readFlowFiles(dir)).files).toEqual([]);
  });

  test("to a hidden file inside, as mounted configurations do, then it is read", async () => {
    const dir = folder({ "..2030/a.yaml": "a" });
    symlinkSync("..2030", join(dir, "..data"));
    symlinkSync("..data/a.yaml", join(dir, "a.yaml"));
    expect(await readFlowFiles(dir)).toEqual({
      files: [{ file: "a.yaml", text: "a" }],
      diagnostics: [],
    });
  });

  test("to a flow file inside, then that file is read once, under its own name", async () => {
    const dir = folder({ "z.yaml": "z" });
    symlinkSync("z.yaml", join(dir, "a.yaml"));
    expect((await readFlowFiles(dir)).files).toEqual([{ file: "z.yaml", text: "z" }]);
  });

  test("nowhere or in a circle, then it is no flow file", async () => {
    const dir = folder({ "a.yaml": "a" });
    symlinkSync("missing.yaml", join(dir, "b.yaml"));
    symlinkSync("c.yaml", join(dir, "c.yaml"));
    symlinkSync(".", join(dir, "sub"));
    expect((await readFlowFiles(dir)).files).toEqual([{ file: "a.yaml", text: "a" }]);
  });

  test("to the folder itself from elsewhere, then that is the folder", async () => {
    const dir = folder({ "a.yaml": "a" });
    const link = join(folder({}), "flows");
    symlinkSync(dir, link);
    expect((await readFlowFiles(link)).files).toEqual([{ file: "a.yaml", text: "a" }]);
  });
});

function folder(files: { [file: string]: string | Buffer }): string {
  const dir = mkdtempSync(join(tmpdir(), "flows-"));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  for (const [file, content] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), content);
  }
  return dir;
}

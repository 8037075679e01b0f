// The test files that a command is to look at, and the workflows that each of them is about.

import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Catalog } from "../flow/catalog.js";
import { checkTogether, type Examined, examine } from "../flow/check.js";
import type { Diagnostic } from "../flow/diagnostic.js";
import { get } from "../flow/model.js";
import type { FlowTest } from "../flow/test-case.js";
import { checkTestFile } from "../flow/test-file.js";
import type { Workflow } from "../flow/workflow.js";
import { isTestFile } from "../hosts/local/index.js";
import { type Found, findFlowFiles, type Home, isFlowOrTest, readHome } from "./flow-files.js";
import { type Common, quoted, usage } from "./options.js";

/** The workflows of one folder. */
export interface Folder {
  folder: string;
  /** By id; null: its file has mistakes. */
  workflows: ReadonlyMap<string, Workflow | null>;
}

export interface TestsFound {
  tests: { test: FlowTest; folder: Folder }[];
  folders: Folder[];
  /** Of the test files. */
  diagnostics: Diagnostic[];
  texts: ReadonlyMap<string, string>;
}

/** Of a folder, all its tests; of a flow file, the test beside it. */
export async function findTests(
  common: Common,
  paths: readonly string[],
  catalog: Catalog,
): Promise<TestsFound> {
  const wanted = await Promise.all(paths.map(testsAt));
  const found = await findFlowFiles(wanted, common, isTestFile);
  return checkTests(common, found, catalog, examiner(common, catalog));
}

export type Examine = (file: { file: string; text: string }) => Examined;

/** Each text once: the workflows of tests have often been examined for themselves already. */
export function examiner({ allowHost }: Common, catalog: Catalog): Examine {
  const listed = { lists_hosts: allowHost.length > 0 };
  const known = new Map<string, { text: string; examined: Examined }>();
  return ({ file, text }) => {
    const before = known.get(file);
    if (before?.text === text) return before.examined;
    const examined = examine(text, file, catalog, listed);
    known.set(file, { text, examined });
    return examined;
  };
}

export async function checkTests(
  common: Common,
  found: Found,
  catalog: Catalog,
  look: Examine,
): Promise<TestsFound> {
  const folders = new Map<string, Folder>();
  const tests: TestsFound["tests"] = [];
  const diagnostics = [...found.diagnostics];
  for (const { file, text, home } of found.files) {
    const folder = folders.get(home.folder) ?? (await readFolder(home, common, look));
    folders.set(home.folder, folder);
    const checked = checkTestFile(text, file, { workflows: folder.workflows, catalog });
    diagnostics.push(...checked.diagnostics);
    if (checked.test) tests.push({ test: checked.test, folder });
  }
  const texts = new Map(found.files.map(({ file, text }) => [file, text]));
  return { tests, folders: [...folders.values()], diagnostics, texts };
}

async function testsAt(path: string): Promise<string> {
  if (isTestFile(path) || !isFlowOrTest(path)) return path;
  if ((await stat(path).catch(() => undefined))?.isFile() !== true) return path;
  const stem = path.replace(/\.(ya?ml|json)$/, "");
  for (const beside of [`${stem}.test.yaml`, `${stem}.test.yml`, `${stem}.test.json`]) {
    if ((await stat(beside).catch(() => undefined))?.isFile()) return beside;
  }
  throw usage(
    `${quoted(path)} has no test beside it.`,
    `write ${basename(stem)}.test.yaml, or let a run write it: flows record RUN`,
  );
}

/** A test stands beside its flow file, or somewhere in the flows folder. */
async function readFolder(home: Home, common: Common, look: Examine): Promise<Folder> {
  const { files, diagnostics } = await readHome(home, common);
  const examined = files.map(look);
  const workflows = new Map<string, Workflow | null>();
  checkTogether(examined, diagnostics.length === 0).forEach(({ workflow }, index) => {
    const id = get(examined[index]?.subject?.root, "id")?.json;
    if (typeof id === "string") workflows.set(id, workflow);
  });
  return { folder: home.folder, workflows };
}

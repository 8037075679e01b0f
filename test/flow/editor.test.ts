// What an editor makes of the schemas: the real yaml-language-server, asked as an editor asks it.

import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { catalog } from "../../src/connectors/index.js";
import type { JsonObject } from "../../src/flow/json.js";
import { type Item, type LanguageServer, startLanguageServer } from "./language-server.js";

let server: LanguageServer;
beforeAll(async () => {
  server = await startLanguageServer();
});
afterAll(() => server.close());

const HEAD = "# yaml-language-server: $schema=../schemas/workflow.schema.json\n";

/** `^` marks where the cursor stands. */
const at = (marked: string) => {
  const text = HEAD + marked;
  const before = text.slice(0, text.indexOf("^")).split("\n");
  const position = { line: before.length - 1, character: before.at(-1)!.length };
  const { uri, found } = server.open(text.replace("^", ""));
  return { uri, position, found };
};

const complete = async (marked: string): Promise<Item[]> => {
  const { uri, position } = at(marked);
  return server.complete(uri, position);
};

const labels = async (marked: string) => (await complete(marked)).map(({ label }) => label).sort();

const hover = async (marked: string) => {
  const { uri, position } = at(marked);
  return server.hover(uri, position);
};

const types = Object.values(catalog).filter(({ planned }) => planned !== true);

test("given a type to fill in, then every step type is offered", async () => {
  const offered = await labels("id: w\nsteps:\n  - id: a\n    type: ^\n");
  expect(offered).toEqual(types.map(({ type }) => type).sort());
});

test.each(types)(
  "given a config of $type, then its keys are offered, each explained",
  async (each) => {
    const { type, config } = each;
    const offered = await complete(
      `id: w\nsteps:\n  - id: a\n    type: ${type}\n    config:\n      ^\n`,
    );
    // The server's own: it fills in all that is required.
    const items = offered.filter(({ label }) => label !== `config of ${type}`);
    const keys = Object.keys((config.properties ?? {}) as JsonObject);
    expect([type, items.map(({ label }) => label).sort()]).toEqual([type, keys.sort()]);
    for (const { label, documentation } of items) {
      const said = typeof documentation === "string" ? documentation : documentation?.value;
      expect([type, label, said]).toEqual([type, label, expect.stringMatching(/\w+.*\./)]);
    }
  },
);

test("given a file that begins, then the keys of a workflow are offered", async () => {
  const offered = await labels("id: w\n^\n");
  expect(offered).toEqual(expect.arrayContaining(["name", "context", "steps", "on_error"]));
  expect(offered).not.toContain("id");
});

test("given a step in a foreach, then the keys of a step are offered", async () => {
  const offered = await labels(
    "id: w\nsteps:\n  - id: a\n    type: foreach\n    config:\n      steps:\n" +
      "        - id: b\n          ^\n",
  );
  expect(offered).toEqual(expect.arrayContaining(["type", "config", "retry", "next_step_id"]));
});

test.each([
  ["a choice", "steps:\n  - id: a\n    type: delay\n    delivery: ^\n", "at_most_once"],
  ["a choice in retry", "steps:\n  - id: a\n    retry:\n      backoff: ^\n", "exponential"],
  ["a trigger's type", "triggers:\n  - type: ^\n", "schedule"],
  ["a trigger's key", "triggers:\n  - type: schedule\n    ^\n", "timezone"],
  ["a choice behind an expression", "concurrency:\n  on_conflict: ^\n", "queue"],
])("given %s to fill in, then it is offered", async (_, marked, wanted) => {
  expect(await labels(`id: w\n${marked}`)).toContain(wanted);
});

test.each([
  ["a key of the workflow", "id: w\nma^x_steps: 3\nsteps: []\n", "The most step executions"],
  ["a key of a step", "id: w\nsteps:\n  - id: a\n    ti^meout: 3s\n", "How long one attempt"],
  ["a type", "id: w\nsteps:\n  - id: a\n    type: del^ay\n", catalog.delay!.description],
  [
    "a key of a config",
    "id: w\nsteps:\n  - id: a\n    type: delay\n    config: { sec^onds: 1 }\n",
    "seconds",
  ],
])("given the pointer on %s, then it is explained", async (_, marked, wanted) => {
  expect(await hover(marked)).toContain(wanted);
});

test.each([
  [
    "an unknown key",
    "^nmae: x\nid: w\nsteps: [{ id: a, type: fail, config: { message: x } }]\n",
    "nmae",
  ],
  ["an unknown type", "id: w\nsteps: [{ id: a, type: ^dealy }]\n", "delay"],
  [
    "a key of another type",
    "id: w\nsteps:\n  - { id: a, type: delay, config: { seconds: 1, ^url: x } }\n",
    "url",
  ],
])("given %s, then it is underlined", async (_, marked, wanted) => {
  const { position, found } = at(marked);
  const [first] = await found;
  expect(first?.message).toContain(wanted);
  expect(first?.range.start).toEqual(position);
});

const FLOWS = new URL("../../flows/", import.meta.url);
test.each(readdirSync(FLOWS).filter((name) => name.endsWith(".yaml")))(
  "given flows/%s, then nothing is wrong with it",
  async (name) => {
    const text = readFileSync(new URL(name, FLOWS), "utf8");
    expect(await server.open(text, name).found).toEqual([]);
  },
);

// Files in `connectors/`: those that define a step type, and what is said of the others, and where.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Catalog } from "../../../../src/flow/catalog.js";
import { openConnectors } from "../../../../src/hosts/local/user-connectors/live.js";
import { connector, folderOf, load } from "./kit.js";

const FINE = connector("() => 1");

describe("given files in connectors/, when they are loaded", () => {
  test("then each that defines a step type gives one, whatever it is written in", async () => {
    const named = (type: string) => FINE.replace('"own"', `"${type}"`);
    const { found, said } = await load({
      "a.ts": named("a"),
      "b.mjs": named("b").replace("export const it =", "export default"),
      "c.js": named("c").replace("() => 1", "() => helper()").replace("import", IMPORT),
      "c.test.ts": "broken(",
      "c.d.ts": "declare const x: number;",
      "notes.md": "no code",
      ".hidden.ts": "broken(",
    });
    expect(said).toEqual([]);
    expect(found.map(({ connector: { type }, name }) => [type, name])).toEqual([
      ["a", "connectors/a.ts"],
      ["b", "connectors/b.mjs"],
      ["c", "connectors/c.js"],
    ]);
  });

  test("then what is wrong with one is said at its place, and the others are there", async () => {
    const twice = `${FINE}export const two = defineConnector({ ...it });\n`;
    const { found, said } = await load({
      "a_syntax.ts": "const ä = 'ö', x: number = ;\n",
      "b_import.ts": 'import { x } from "./gone.js";\nexport const y = x;\n',
      "c_throws.ts": `${FINE}\n\n  null.x;\n`,
      "d_nothing.ts": "export const x = 1;\n",
      "e_twice.ts": twice,
      "f_type.ts": FINE.replace('"own"', '"Own Type"'),
      "g_built_in.ts": FINE.replace('"own"', '"http"'),
      "h_run.ts": connector('"no function"'),
      "i_config.ts": FINE.replace('{ type: "object" }', '{ type: "string" }'),
      "j_strict.ts": FINE.replace('{ type: "object" }', '{ type: "object", proprties: {} }'),
      "k_output.ts": connector("() => 1", "output: [],"),
      "l_exit.ts": `process.exit(7);\n${FINE}`,
      "m_fine.ts": FINE,
      "n_again.ts": FINE,
    });
    expect(found.map(({ name }) => name)).toEqual(["connectors/m_fine.ts"]);
    expect(said).toEqual([
      'connectors/a_syntax.ts:1:28: the connector cannot be built: Unexpected ";"',
      'connectors/b_import.ts:1:19: the connector cannot be built: Could not resolve "./gone.js"',
      expect.stringMatching(/^connectors\/c_throws.ts:5:8: the connector cannot be loaded: Cannot/),
      "connectors/d_nothing.ts:1:1: the file exports nothing that defineConnector has made",
      "connectors/e_twice.ts:2:19: the file defines two step types: give each its own file",
      expect.stringMatching(/^connectors\/f_type.ts:2:19: its "type" must be a small letter/),
      expect.stringMatching(
        /^connectors\/g_built_in.ts:2:19: there is a built-in step type "http"/,
      ),
      'connectors/h_run.ts:2:19: its "run" must be a function',
      'connectors/i_config.ts:2:19: its "config" must be a JSON Schema of type "object"',
      expect.stringMatching(/^connectors\/j_strict.ts:2:19: its "config" is .*: .*"proprties"$/),
      'connectors/k_output.ts:2:19: its "output" must be a JSON Schema',
      expect.stringMatching(/^connectors\/l_exit.ts:1:1: .* loaded: its process ended .* code 7$/),
      'connectors/n_again.ts:1:1: the step type "own" is defined in connectors/m_fine.ts already',
    ]);
  });

  test("then none where there is no such folder", async () => {
    const { found, said } = await load({});
    expect([found, said]).toEqual([[], []]);
  });
});

describe("given a host that follows its connectors, when a file", () => {
  test("changes, comes or goes, the step types follow; the last good one stays", async () => {
    const folder = folderOf({ "own.ts": FINE });
    const flows = join(folder, "../flows");
    mkdirSync(flows);
    const says: string[] = [];
    const note = (_fields: object, message: string) => says.push(message);
    const log = { info: note, warn: note, error: note };
    const live = await openConnectors({ flows, store: join(folder, "../.workflows"), log });
    const catalogs: Catalog[] = [];
    try {
      live.watch(async (catalog) => void catalogs.push(catalog));
      expect(live.connectors.own?.description).toBe("The user's own step.");

      writeFileSync(join(folder, "own.ts"), connector("() => 2", 'description: "Second.",'));
      await expect.poll(() => catalogs.at(-1)?.own?.description, LONG).toBe("Second.");

      writeFileSync(join(folder, "own.ts"), "broken(");
      await expect
        .poll(() => says.at(-1), LONG)
        .toMatch(/^connectors\/own.ts:1:\d+: the connector/);
      expect(live.connectors.own?.description).toBe("Second.");

      writeFileSync(join(folder, "own.ts"), FINE.replace('"own"', '"renamed"'));
      await expect.poll(() => Object.keys(catalogs.at(-1) ?? {}), LONG).toContain("renamed");
      expect(Object.keys(live.connectors)).not.toContain("own");
    } finally {
      await live.close();
    }
  });
});

const LONG = { timeout: 30_000 };

const IMPORT = "const helper = () => 1;\nimport";

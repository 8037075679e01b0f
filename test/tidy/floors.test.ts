// The floors hold: the real tools pass on src, and refuse each mistake planted in a copy of it.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ROOT } from "./tree.js";

const CONFIGS = [
  "package.json",
  "tsconfig.json",
  "tsconfig.pure.json",
  ".dependency-cruiser.cjs",
] as const;

const made: string[] = [];

afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** A folder with our real configurations and dependencies, and these files alone. */
function plant(files: { [path: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), "floors-"));
  made.push(folder);
  for (const config of CONFIGS) cpSync(join(ROOT, config), join(folder, config));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

function runTool(folder: string, tool: string, args: string[]): { status: number; said: string } {
  const script = join(ROOT, "node_modules", tool);
  const ended = spawnSync(process.execPath, [script, ...args], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (ended.error) throw ended.error;
  return { status: ended.status ?? -1, said: ended.stdout + ended.stderr };
}

describe("the compiler keeps the pure rooms pure", () => {
  const PURE = ["-p", "tsconfig.pure.json"];
  const TSC = "typescript/bin/tsc";

  const IMPURE: { [name: string]: string } = {
    timer: "setTimeout(() => {}, 1);",
    interval: "setInterval(() => {}, 1);",
    microtask: "queueMicrotask(() => {});",
    process: "export const a = process.env.HOME;",
    fetch: 'export const a = fetch("http://127.0.0.1/");',
    buffer: 'export const a = Buffer.from("a");',
    console: 'console.log("a");',
    performance: "export const a = performance.now();",
    crypto: "export const a = crypto.randomUUID();",
    fs: 'import { readFileSync } from "node:fs";\nreadFileSync("a");',
    bare_fs: 'import { readFileSync } from "fs";\nreadFileSync("a");',
  };
  const rooms = ["flow", "engine", "triggers", "connectors"];

  it("finds every planted way out, in every pure room, and nothing in the good file", () => {
    const files: { [path: string]: string } = {
      "src/limits.ts": "export const MAX = 1;\nsetTimeout(() => {}, MAX);\n",
      "src/engine/good.ts":
        'import { MAX } from "../limits.js";\nexport const at = new Date(MAX);\n',
    };
    for (const room of rooms) {
      for (const [name, code] of Object.entries(IMPURE)) files[`src/${room}/${name}.ts`] = code;
    }
    const { status, said } = runTool(plant(files), TSC, PURE);
    expect(status).not.toBe(0);
    const refused = new Set(said.match(/^src\/[a-z_/]+\.ts/gm));
    const planted = Object.keys(files).filter((path) => path !== "src/engine/good.ts");
    expect([...refused].sort()).toEqual(planted.sort());
  });

  it("lets a good file through", () => {
    const good = "export const at = (ms: number): Date => new Date(ms);\n";
    const { status, said } = runTool(plant({ "src/engine/good.ts": good }), TSC, PURE);
    expect(said).toBe("");
    expect(status).toBe(0);
  });
});

interface Cruised {
  modules: { source: string }[];
  summary: {
    totalCruised: number;
    violations: { from: string; to: string; rule: { name: string; severity: string } }[];
  };
}

function cruise(folder: string): Cruised {
  const args = ["src", "--config", ".dependency-cruiser.cjs", "--output-type", "json"];
  const { said } = runTool(folder, "dependency-cruiser/bin/dependency-cruise.mjs", args);
  return JSON.parse(said) as Cruised;
}

/** Files with the rules they break: `src/flow/up.ts: flow-is-the-ground`. */
function broken(cruised: Cruised): string[] {
  const errors = cruised.summary.violations.filter((v) => v.rule.severity === "error");
  return [...new Set(errors.map((v) => `${v.from}: ${v.rule.name}`))].sort();
}

function imports(...paths: string[]): string {
  return paths.map((path) => `import "${path}";\n`).join("");
}

/** One file for each rule, named by what it does wrong, and the rule that must see it. */
const PLANTED: [path: string, text: string, rule: string][] = [
  ["src/flow/up.ts", imports("../engine/run.js"), "flow-is-the-ground"],
  ["src/flow/far_up.ts", imports("../cli/main.js"), "flow-is-the-ground"],
  [
    "src/flow/type_up.ts",
    'import type { Run } from "../engine/run.js";\nexport type A = Run;\n',
    "flow-is-the-ground",
  ],
  ["src/engine/up.ts", imports("../connectors/delay.js"), "engine-above-flow"],
  ["src/engine/far_up.ts", imports("../hosts/local/index.js"), "engine-above-flow"],
  ["src/triggers/sideways.ts", imports("../connectors/delay.js"), "floor-3-up-or-sideways"],
  ["src/connectors/sideways.ts", imports("../triggers/manual.js"), "floor-3-up-or-sideways"],
  ["src/connectors/up.ts", imports("../hosts/local/index.js"), "floor-3-up-or-sideways"],
  ["src/hosts/local/up.ts", imports("../../server/server.js"), "hosts-below-doors"],
  ["src/hosts/up.ts", imports("../cli/main.js"), "hosts-below-doors"],
  ["src/hosts/local/sideways.ts", imports("../restate/index.js"), "hosts-apart"],
  ["src/hosts/restate/sideways.ts", imports("../local/index.js"), "hosts-apart"],
  ["src/server/sideways.ts", imports("../cli/main.js"), "server-beside-cli"],
  ["src/server/host.ts", imports("../hosts/local/index.js"), "server-knows-the-runner"],
  ["src/cli/inside.ts", imports("../server/inside.js"), "cli-starts-the-server"],
  ["src/cli/host.ts", imports("../hosts/io.js"), "cli-opens-a-host"],
  ["src/limits.ts", imports("./flow/json.js"), "limits-know-nothing"],
  ["src/engine/circle.ts", imports("./circle.js"), "no-cycle"],
  ["src/flow/package.ts", imports("hono"), "pure-packages"],
  ["src/connectors/package.ts", imports("undici"), "pure-packages"],
  ["src/engine/node.ts", imports("node:fs"), "pure-of-node"],
  ["src/triggers/node.ts", imports("timers"), "pure-of-node"],
  ["src/server/leans.ts", imports("../../test/helper.js"), "no-test-in-src"],
  ["src/server/dev.ts", imports("fast-check"), "no-dev-package"],
  ["src/server/nowhere.ts", imports("./nowhere_at_all.js"), "resolvable"],
];

/** What is allowed; also the targets of the mistakes above. */
const GOOD: { [path: string]: string } = {
  "src/flow/json.ts": imports("yaml", "ajv", "typebox"),
  "src/engine/run.ts": imports("../flow/json.js"),
  "src/triggers/manual.ts": imports("../engine/run.js", "../flow/json.js", "croner"),
  "src/connectors/delay.ts": imports("../engine/run.js", "../flow/json.js"),
  "src/hosts/local/index.ts": imports("../../connectors/delay.js", "../io.js", "node:fs", "undici"),
  "src/hosts/restate/index.ts": imports("../../triggers/manual.js"),
  "src/hosts/io.ts": imports("../engine/run.js"),
  "src/server/server.ts": imports("./inside.js"),
  "src/server/inside.ts": imports("../engine/run.js", "hono"),
  "src/cli/main.ts": imports("../server/server.js", "../hosts/local/index.js", "commander"),
  "test/helper.ts": "export const a = 1;\n",
};

describe("dependency-cruiser keeps the floors", () => {
  it("sees every file of src, and finds nothing", () => {
    const cruised = cruise(ROOT);
    expect(cruised.modules.map((module) => module.source)).toContain("src/engine/run.ts");
    expect(cruised.summary.totalCruised).toBeGreaterThan(0);
    expect(broken(cruised)).toEqual([]);
  });

  it("finds nothing in a good house", () => {
    const cruised = cruise(plant(GOOD));
    expect(cruised.summary.totalCruised).toBeGreaterThan(Object.keys(GOOD).length - 1);
    expect(broken(cruised)).toEqual([]);
  });

  it("finds each planted mistake, by its own rule alone", () => {
    const files = { ...GOOD };
    for (const [path, text] of PLANTED) files[path] = text;
    const found = broken(cruise(plant(files)));
    expect(found).toEqual(PLANTED.map(([path, , rule]) => `${path}: ${rule}`).sort());
  });

  it("finds a circle of two files, whichever it names", () => {
    const files = {
      "src/engine/one.ts": imports("./two.js"),
      "src/engine/two.ts": imports("./one.js"),
    };
    const found = broken(cruise(plant(files)));
    expect(found).toEqual([expect.stringMatching(/^src\/engine\/(one|two)\.ts: no-cycle$/)]);
  });

  it("has a planted mistake for each rule", () => {
    const require = createRequire(import.meta.url);
    const config = require("../../.dependency-cruiser.cjs") as { forbidden: { name: string }[] };
    const rules = config.forbidden.map((rule) => rule.name).sort();
    expect([...new Set(PLANTED.map(([, , rule]) => rule))].sort()).toEqual(rules);
  });
});

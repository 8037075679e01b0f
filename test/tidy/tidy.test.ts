// The house is tidy, and each rule that says so finds a bad text bad and a good one good.

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { complaints, MAX_COLUMNS, MAX_FILE_LINES, MAX_FUNCTION_LINES, RULES } from "./rules.js";
import { everyText, ROOT } from "./tree.js";

describe("the repository", () => {
  const texts = everyText();

  it("is seen at all", () => {
    const seen = texts.map((text) => text.path);
    expect(seen).toContain("src/engine/run.ts");
    expect(seen).toContain("test/tidy/tidy.test.ts");
    expect(seen).toContain("package.json");
  });

  it("has nothing that a tidy rule complains about", () => {
    expect(texts.flatMap(complaints)).toEqual([]);
  });
});

const HEAD = "// A planted file, good but for one thing.\n";

function codeOf(count: number): string {
  return Array.from({ length: count }, (_, i) => `  call(${i});`).join("\n");
}

/** A function whose first line is `head`, of `count` lines in all. */
function functionOf(count: number, head = "function long() {"): string {
  return `${head}\n${codeOf(count - 2)}\n}\n`;
}

function testOf(count: number): string {
  return `${functionOf(count, 'it("b", () => {').trimEnd()});\n`;
}

function suiteOf(tests: string): string {
  return `${HEAD}describe("a", () => {\n${tests}});\n`;
}

interface Planted {
  rule: string;
  path: string;
  /** Where the complaint belongs. */
  line: number;
  bad: string;
  good: string;
}

const ENGINE = "src/engine/planted.ts";
const TEST = "test/engine/planted.test.ts";
const SHEBANG = "#!/usr/bin/env node\n";
const MARK = `${"TO"}${"DO"}`;

const PLANTED: Planted[] = [
  ["says-what-it-is", ENGINE, 1, 'import "./a.js";\n', `${HEAD}import "./a.js";\n`],
  ["says-what-it-is", ENGINE, 1, "\n// Late, if well said.\n", HEAD],
  ["says-what-it-is", ENGINE, 1, "// biome-ignore lint: it is so\n", HEAD],
  ["says-what-it-is", ENGINE, 1, "// Engine.\n", HEAD],
  ["says-what-it-is", "src/cli/main.ts", 2, `${SHEBANG}start();\n`, `${SHEBANG}${HEAD}start();\n`],
  ["file-length", ENGINE, 401, HEAD + "a();\n".repeat(400), HEAD + "a();\n".repeat(399)],
  ["line-length", ENGINE, 2, `${HEAD}// ${"é".repeat(98)}\n`, `${HEAD}// ${"é".repeat(97)}\n`],
  ["line-length", "src/server/page/style.css", 1, `/*${"-".repeat(98)}*/\n`, "/* short */\n"],
  ["function-length", ENGINE, 2, HEAD + functionOf(71), HEAD + functionOf(70)],
  [
    "function-length",
    ENGINE,
    3,
    `${HEAD}class A {\n${functionOf(71, "  long() {")}}\n`,
    `${HEAD}class A {\n${functionOf(40, "  one() {")}${functionOf(40, "  two() {")}}\n`,
  ],
  ["function-length", TEST, 3, suiteOf(testOf(71)), suiteOf(testOf(60).repeat(3))],
  ["function-length", TEST, 2, HEAD + functionOf(71), HEAD + functionOf(70)],
  ["no-loose-ends", ENGINE, 2, `${HEAD}// ${MARK}: later\n`, `${HEAD}// later\n`],
  ["no-loose-ends", "docs/page.md", 1, `${MARK}: say more\n`, "Said.\n"],
  ["no-loose-ends", ENGINE, 2, `${HEAD}// ${"@"}ts-ignore\n`, `${HEAD}// ${"@"}ts-expect-error\n`],
  ["no-any", ENGINE, 2, `${HEAD}let a: any;\n`, `${HEAD}let any: unknown; // any\n`],
  ["no-any", ENGINE, 2, `${HEAD}f(a as any[]);\n`, `${HEAD}f("as any[]");\n`],
  ["no-enum", ENGINE, 2, `${HEAD}enum A { B }\n`, `${HEAD}type A = "enum";\n`],
  ["no-enum", ENGINE, 2, `${HEAD}const enum A { B }\n`, `${HEAD}const a = { enum: 1 };\n`],
  ["no-default-export", ENGINE, 2, `${HEAD}export default 1;\n`, `${HEAD}export const a = 1;\n`],
  [
    "no-default-export",
    ENGINE,
    2,
    `${HEAD}export default function a() {}\n`,
    `${HEAD}import a from "a";\n`,
  ],
  ["no-default-export", ENGINE, 2, `${HEAD}export { a as default };\n`, `${HEAD}export { a };\n`],
  ["every-test-runs", TEST, 2, `${HEAD}it.${"only"}("a", b);\n`, `${HEAD}it("a", b);\n`],
  ["every-test-runs", TEST, 2, `${HEAD}describe.${"skip"}("a", b);\n`, `${HEAD}a.${"skip"}(b);\n`],
  ["every-test-runs", TEST, 2, `${HEAD}test.${"todo"}("a");\n`, `${HEAD}test.each(b)("a", c);\n`],
  ["time-and-chance-come-in", ENGINE, 2, `${HEAD}f(Date.now());\n`, `${HEAD}f(ports.now());\n`],
  ["time-and-chance-come-in", ENGINE, 2, `${HEAD}f(Date.now);\n`, `${HEAD}f(date.now);\n`],
  ["time-and-chance-come-in", ENGINE, 2, `${HEAD}f(new Date());\n`, `${HEAD}f(new Date(at));\n`],
  ["time-and-chance-come-in", ENGINE, 2, `${HEAD}f(new Date);\n`, `${HEAD}f(Date.parse(at));\n`],
  ["time-and-chance-come-in", ENGINE, 2, `${HEAD}f(Date());\n`, `${HEAD}f("Date()");\n`],
  ["time-and-chance-come-in", ENGINE, 2, `${HEAD}Math.random();\n`, `${HEAD}Math.floor(1);\n`],
  ["one-word-for-one-thing", ENGINE, 2, `${HEAD}const payload = 1;\n`, `${HEAD}const body = 1;\n`],
  ["one-word-for-one-thing", ENGINE, 2, `${HEAD}interface RunState {}\n`, `${HEAD}run.state();\n`],
  ["one-word-for-one-thing", ENGINE, 2, `${HEAD}function f(jobs: A) {}\n`, `${HEAD}f(b.jobs);\n`],
  ["one-word-for-one-thing", ENGINE, 2, `${HEAD}class TaskQueue {}\n`, `${HEAD}class Queue {}\n`],
  [
    "one-word-for-one-thing",
    ENGINE,
    3,
    `${HEAD}interface A {\n  db: B }\n`,
    `${HEAD}f({ db: 1 });\n`,
  ],
].map(([rule, path, line, bad, good]) => ({ rule, path, line, bad, good }) as Planted);

describe("each tidy rule", () => {
  it.each(PLANTED)("$rule finds a bad text bad and a good one good (%#)", (planted) => {
    const { rule, path, line } = planted;
    const found = complaints({ path, text: planted.bad }).filter((c) => c.endsWith(`[${rule}]`));
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(new RegExp(`^${path.replaceAll(".", "\\.")}:${line}: `));
    expect(complaints({ path, text: planted.good })).toEqual([]);
  });

  it("has a planted text", () => {
    const tried = new Set(PLANTED.map((planted) => planted.rule));
    expect([...tried].sort()).toEqual(RULES.map((rule) => rule.name).sort());
  });

  it("has the limits that the contributors' page names", () => {
    const page = readFileSync(`${ROOT}CONTRIBUTING.md`, "utf8");
    expect(page).toContain(
      `A file has at most ${MAX_FILE_LINES} lines, a function at most ${MAX_FUNCTION_LINES}, ` +
        `a line at most ${MAX_COLUMNS} columns.`,
    );
  });

  it.each([
    ["src/flow/check.ts", "const now = Date.now();"],
    ["src/triggers/manual.ts", "const now = Date.now();"],
    ["src/connectors/http.ts", "const now = Date.now();"],
  ])("lets no pure room read the clock: %s", (path, code) => {
    expect(complaints({ path, text: `${HEAD}${code}\n` })).toHaveLength(1);
  });

  it("lets hosts read the clock, and tool configs have a default export", () => {
    expect(complaints({ path: "src/hosts/local/io.ts", text: `${HEAD}f(Date.now());\n` })).toEqual(
      [],
    );
    expect(complaints({ path: "a.config.ts", text: `${HEAD}export default 1;\n` })).toEqual([]);
  });

  it("lets a standard's own word stand where it belongs, and nowhere else", () => {
    const text = `${HEAD}interface ProblemDetails {}\n`;
    expect(complaints({ path: "src/server/errors.ts", text })).toEqual([]);
    expect(complaints({ path: "src/flow/check.ts", text })).toHaveLength(1);
  });
});

// Any text as a flow file gives diagnostics or a workflow: no crash, and a hang times out.

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { check, checkFolder } from "../../src/flow/check.js";
import { type Diagnostic, KINDS } from "../../src/flow/diagnostic.js";
import { reporters } from "../../src/flow/report/report.js";
import { whole } from "./whole.js";

const survives = (text: string) => {
  const { workflow, diagnostics } = check(text, "fuzz.yaml", whole);
  const lines = text.split("\n");
  const texts = new Map([["fuzz.yaml", text]]);
  const isBroken = diagnostics.some(({ severity }) => severity === "error");
  // Asked at once: a matcher of its own for each would take as long as the checks.
  expect({
    misplaced: diagnostics.filter((diagnostic) => !isSound(diagnostic, lines)),
    isServed: workflow !== null,
    report: typeof reporters.human(diagnostics, { texts, color: false }),
  }).toEqual({ misplaced: [], isServed: !isBroken, report: "string" });
  if (workflow !== null) {
    expect(JSON.parse(JSON.stringify(workflow))).toEqual(workflow);
  }
};

/** Of a known kind, with a message, at a place that the text has. */
const isSound = (
  { kind, message, line, column, end_line, end_column }: Diagnostic,
  lines: readonly string[],
) =>
  KINDS.includes(kind) &&
  message !== "" &&
  line >= 1 &&
  line <= lines.length &&
  column >= 1 &&
  column <= (lines[line - 1]?.length ?? 0) + 2 &&
  (end_line > line || (end_line === line && end_column > column));

const read = (folder: string) => {
  const url = new URL(`${folder}/`, import.meta.url);
  return readdirSync(url)
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .map((name) => readFileSync(new URL(name, url), "utf8"));
};

const samples = [...read("ok"), ...read("err").filter((text) => text.length < 5_000)];

/** What YAML, JSON Schema, CEL and the language itself stumble over. */
const tokens = fc.constantFrom(
  ...["\n", "\n  ", "\n    ", "\t", "\r\n", " ", "- ", "? ", ": ", ":", "[", "]", "{", "}", ","],
  ...["&a ", "*a ", "!!str ", "!x ", "---\n", "...\n", "%YAML 1.1\n", "# c\n", "'", '"', "|", ">-"],
  ...["${{ ", "}}", "$${{", "context.a", "steps.a.output", "secrets.S", "error", "item", "has("],
  ...["(", ")", " + ", " == ", "id: a", "type: delay", "type: branch", "type: foreach"],
  ...["type: parallel", "type: webhook", "config: ", "steps:", "next_step_id: a", "if: "],
  ...["next_step_id: null", "entry_point: a", "on_error: ", "retry: ", "seconds: 1"],
  ...["url: http://a.example", "items: [1]", "branches: ", "cases: ", "when: true", "otherwise: "],
  ...["context: ", "triggers: ", "cron: '* * * * *'", "secrets: [S]", "outputs: ", "$ref: '#'"],
  ...["pattern: '(a+)+$'", "1e999", "0x1F", ".nan", "9007199254740993", "null", "true"],
  ...["__proto__: 1", "constructor: 1", "<<: *a", "\0", "\ud800", "\udc00", "\ufeff", "\u2028"],
  ...["\u0085", "\u{1f600}"],
);

const soup = fc.array(tokens, { maxLength: 60 }).map((parts) => parts.join(""));

const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 300 }),
  // Lone surrogates too.
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
    .map((units) => String.fromCharCode(...units)),
  fc.string({ unit: "grapheme-ascii", maxLength: 300 }),
);

/** Cut, doubled, moved and replaced pieces of files that are nearly right. */
const mutated = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(
      fc.record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        length: fc.nat({ max: 30 }),
        put: fc.oneof(tokens, fc.string({ maxLength: 8 }), fc.constant("")),
        again: fc.nat({ max: 2 }),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([sample, changes]) => {
    let text = sample;
    for (const { at, length, put, again } of changes) {
      const from = Math.floor(at * text.length);
      const piece = text.slice(from, from + length).repeat(again);
      text = text.slice(0, from) + put + piece + text.slice(from + length);
    }
    return text;
  });

/** Files that are well-formed and hold any JSON at all where a value belongs. */
const shaped = fc
  .record(
    {
      id: fc.oneof(fc.constant("w"), fc.jsonValue({ maxDepth: 1 })),
      context: fc.jsonValue({ maxDepth: 3 }),
      triggers: fc.jsonValue({ maxDepth: 3 }),
      defaults: fc.jsonValue({ maxDepth: 2 }),
      outputs: fc.jsonValue({ maxDepth: 2 }),
      steps: fc.array(
        fc.record(
          {
            id: fc.constantFrom("a", "b", "c", "d", "", "\u00e9"),
            type: fc.constantFrom(...Object.keys(whole), "constructor", ""),
            config: fc.oneof(
              fc.jsonValue({ maxDepth: 3 }),
              fc.record({ url: fc.constant("http://a.example"), seconds: fc.nat() }),
              fc.record({ cases: fc.jsonValue({ maxDepth: 2 }), otherwise: fc.constant("a") }),
            ),
            next_step_id: fc.constantFrom("a", "b", "c", "d", null),
            on_error: fc.constantFrom({ next_step_id: "a" }, { next_step_id: "c" }, {}),
            if: fc.constantFrom("context.a", "steps.b.output.c > 1", "error.message == ''", "("),
          },
          { requiredKeys: [] },
        ),
        { maxLength: 8 },
      ),
    },
    { requiredKeys: [] },
  )
  .map((file) => JSON.stringify(file));

test.each([
  ["any characters", anyText, 5_000],
  ["pieces of flow files in any order", soup, 6_000],
  ["flow files with pieces changed", mutated, 8_000],
  ["any JSON in the places of a flow file", shaped, 3_000],
])(
  "given %s, it is checked to the end",
  (_, texts, numRuns) => {
    let runs = 0;
    fc.assert(
      fc.property(texts, (text) => {
        survives(text);
        runs += 1;
      }),
      { numRuns },
    );
    expect(runs).toBe(numRuns);
  },
  300_000,
);

const bomb = (width: number, levels: number) => {
  const lines = ["id: bomb", "outputs:", "  a0: &a0 [x]"];
  for (let level = 1; level < levels; level += 1) {
    lines.push(`  a${level}: &a${level} [${`*a${level - 1}, `.repeat(width)}]`);
  }
  return lines.join("\n");
};

const chain = (steps: number) =>
  `id: w\nsteps:\n${Array.from(
    { length: steps },
    (__, index) =>
      `  - { id: s${index}, type: branch, config: { cases: [{ when: context.a, ` +
      `next_step_id: s${(index * 7) % steps} }], otherwise: s${(index + 1) % steps} } }\n`,
  ).join("")}`;

const wrong = (steps: number, cases: number) =>
  `id: w\nsteps:\n${Array.from(
    { length: steps },
    (__, index) =>
      `  - { id: step_${index}, type: branch, config: { otherwise: null, cases: [` +
      `${`{ when: a, next_step_id: stop_${index} }, `.repeat(cases)}] } }\n`,
  ).join("")}`;

const nested = (levels: number) => {
  let body = "{ id: z, type: delay, config: { seconds: 1 } }";
  for (let level = 0; level < levels; level += 1) {
    body = `{ id: p${level}, type: parallel, config: { branches: { x: { steps: [${body}] } } } }`;
  }
  return `id: w\nsteps: [${body}]`;
};

test.each([
  ["10 000 brackets", "[".repeat(10_000)],
  ["10 000 braces with keys", "{a: ".repeat(10_000)],
  ["10 000 sequence indicators on one line", "- ".repeat(10_000)],
  ["10 000 explicit keys on one line", "? ".repeat(10_000)],
  ["10 000 values on one line", ": ".repeat(10_000)],
  ["10 000 keys on one line", "a: ".repeat(10_000)],
  ["10 000 anchors", "&a ".repeat(10_000)],
  ["10 000 tags", "!!str ".repeat(10_000)],
  [
    "500 levels of indentation",
    Array.from({ length: 500 }, (_, n) => `${" ".repeat(n)}a:\n`).join(""),
  ],
  ["brackets behind a quote that is not one", `a: b"${"[".repeat(5_000)}`],
  ["brackets behind a comment that is not one", `a: [x#${"[".repeat(5_000)}`],
  ["brackets behind a block scalar that has ended", `a: |\n  x\nb: ${"[".repeat(5_000)}`],
  ["closing brackets first", `a: "]]]]]]]]"\nb: ${"[".repeat(80)}`],
  ["a bomb of aliases", bomb(9, 9)],
  ["a long bomb of aliases", bomb(2, 48)],
  ["an alias inside its anchor", "a: &a { b: *a }"],
  ["aliases in a circle", "a: &a [*b]\nb: &b [*a]"],
  ["an alias as a key", "a: &a x\n*a : y"],
  ["NUL", "id: a\0b"],
  ["a lone surrogate", "id: \ud800"],
  ["an escaped lone surrogate", 'id: "\\ud800"'],
  ["a text of exactly 256 KiB", "#".repeat(256 * 1024)],
  ["a text beyond 256 KiB", "#".repeat(256 * 1024 + 1)],
  ["a plain scalar of 250 000 characters", `id: ${"x ".repeat(125_000)}`],
  ["an unterminated quote of 250 000 characters", `id: "${"\\".repeat(250_000)}`],
  ["20 000 keys in one mapping", Array.from({ length: 20_000 }, (_, n) => `k${n}: 1\n`).join("")],
  ["1 000 equal keys", "a: 1\n".repeat(1_000)],
  ["80 000 entries in a list", `id: [${"1,".repeat(80_000)}]`],
  ["1 000 branches in loops", chain(1_000)],
  ["7 000 references to nowhere", wrong(500, 14)],
  ["parallels 12 deep", nested(12)],
  ["only line breaks", "\n".repeat(100_000)],
  ["only blanks", " ".repeat(100_000)],
  ["5 000 expressions", `id: w\noutputs: ["${"${{ 1 }}".repeat(5_000)}"]`],
  ["5 000 expressions that are wrong", `id: w\noutputs: ["${"${{ x }}".repeat(5_000)}"]`],
  [
    "expressions that are wrong behind a wide indentation",
    `id: w\noutputs:\n  a: >\n${" ".repeat(100_000)}\${{ x }}\n${" ".repeat(100_000)}\${{ y }}\n`,
  ],
  ["an expression of brackets", `id: w\noutputs: { a: "\${{ ${"(".repeat(5_000)} }}" }`],
  ["a pattern that backtracks", "id: w\ncontext: { type: string, pattern: '^(a+)+$' }"],
  ["a schema in a circle", "id: w\ncontext: { allOf: [{ $ref: '#' }, { $ref: '#' }] }"],
])("given %s, it is checked to the end", (_, text) => {
  survives(text);
});

test("given a text beyond 256 KiB, then its size is told, and nothing else of it", () => {
  const kinds = (text: string) =>
    check(text, "fuzz.yaml", whole).diagnostics.map(({ kind }) => kind);
  expect(kinds("#".repeat(256 * 1024 + 1))).toEqual(["size"]);
  expect(kinds("#".repeat(256 * 1024))).not.toContain("size");
});

test("given any of the texts side by side, then a folder is checked to the end", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(mutated, shaped), { maxLength: 5 }), (texts) => {
      const files = texts.map((text, index) => ({ file: `${index}.yaml`, text }));
      expect(checkFolder(files, whole)).toHaveLength(files.length);
    }),
    { numRuns: 300 },
  );
});

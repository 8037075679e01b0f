// Hostile flow files and definitions: each has at least one mistake, whatever the text in it is.

import type { Request } from "./hostile-requests.js";
import { type Maker, NASTY } from "./hostile-values.js";

const STEP = "steps:\n  - { id: a, type: delay, config: { seconds: 1 } }\n";

const IDS = NASTY.filter((text) => !/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(text));

/** Lines of a flow file that is otherwise as it must be. */
const LINES: ((make: Maker) => string)[] = [
  (make) => `${x(make)}: 1`,
  (make) => `__proto__: { ${x(make)}: 1 }`,
  (make) => `id: ${x(make)}`,
  (make) => `entry_point: ${x(make)}`,
  (make) => `timeout: ${x(make)}`,
  (make) => `outputs: { a: ${expression(make)} }`,
  (make) => `triggers: [{ type: schedule, cron: ${x(make)} }]`,
  (make) => `triggers: [{ type: webhook, path: ${JSON.stringify(`/${make.text()}`)} }]`,
  (make) => `secrets: [${JSON.stringify(`x ${make.text()}`)}]`,
  (make) => `context: { type: object, pattern: "(", ${x(make)}: 1 }`,
  (make) => `name: ${"[".repeat(65 + make.below(9_000))}`,
  (make) => `name: ${"{a: ".repeat(65 + make.below(2_000))}`,
  (make) => `name: &a [*a, ${x(make)}]`,
  (make) => Array.from({ length: 1_001 + make.below(500) }, (_, i) => `k${i}: 0`).join("\n"),
  (make) => `name: ${make.pick(["\0", "\u0001", "\u007f", "\ufffe"])}`,
  (make) => `name: !${make.pick(["!js/eval", "x", "!binary"])} [${x(make)}]`,
  (make) => make.pick(["}", "]", "\t- x", "--- !!js/function x\n", "%YAML 9\n", "? ["]),
];

const STEPS: ((make: Maker) => string)[] = [
  (make) => `id: a, type: ${x(make)}`,
  (make) => `id: ${JSON.stringify(`x ${make.text()}`)}, type: delay, config: { seconds: 1 }`,
  (make) => `id: a, type: delay, config: { seconds: ${make.pick(NUMBERS)} }`,
  (make) => `id: a, type: delay, config: { for: ${x(make)} }`,
  (make) => `id: a, type: set, if: ${expression(make)}, config: { values: {} }`,
];

const FILES: ((make: Maker, id: string) => string)[] = [
  (make) => `id: ${JSON.stringify(make.pick(IDS))}\n${STEP}`,
  (make) => `a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, ${x(make)}]\n`,
  (make, id) => `\ufeff\ufeffid: ${id}\n${make.text()}: [\n`,
  (make, id) => JSON.stringify({ id, steps: [], [make.text()]: make.text() }),
];

const SHAPES = [
  ...FILES,
  ...LINES.map((line) => (make: Maker, id: string) => `id: ${id}\n${line(make)}\n${STEP}`),
  ...STEPS.map((step) => (make: Maker, id: string) => `id: ${id}\nsteps:\n  - { ${step(make)} }\n`),
];

/** A text of YAML and JSON that is no word of the language. */
function x(make: Maker): string {
  return JSON.stringify(`x${make.text()}`);
}

const NUMBERS = [
  "1e999",
  "-1",
  ".nan",
  "-.inf",
  "9007199254740993e99",
  "0x1FFFFFFFFFFFFFFF",
  '"1"',
];

export function hostileFlow(make: Maker, id: string): string {
  return make.pick(SHAPES)(make, id);
}

/** One with a mistake: nothing is called `x`. */
function expression(make: Maker): string {
  const text = JSON.stringify(make.text());
  return JSON.stringify(`\${{ x.${make.pick(["matches", "a", "__proto__"])}(${text}) + ( }}`);
}

/** A definition with at least one mistake: its step is of no known type. */
export function hostileDefinition(make: Maker): Request {
  const text = () => make.text();
  const step = { id: text(), type: `x${text()}`, config: { [text()]: text() }, [text()]: text() };
  const definition = { id: text(), name: text(), steps: [step], [text()]: [text()] };
  const body = JSON.stringify(definition);
  const headers = { "content-type": "application/json" };
  return { method: "POST", path: "/api/workflows", headers, body };
}

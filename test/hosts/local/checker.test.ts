// Checks in a thread: what one hostile text can do, and what it cannot do to all others.

import { expect, onTestFinished, test } from "vitest";
import { catalog } from "../../../src/connectors/index.js";
import type { Catalog } from "../../../src/flow/catalog.js";
import type { JsonObject } from "../../../src/flow/json.js";
import { Checker, type CheckLimits } from "../../../src/hosts/local/checker.js";

const GOOD = flow("good", "delay", "{ seconds: 1 }");

test("given two texts, when they are checked, then each has its result", async () => {
  const results = await checker().check([text("a.yaml", GOOD), text("b.yaml", "id: b\n")], []);
  expect(results.get("a.yaml")).toMatchObject({ workflow: { id: "good" }, diagnostics: [] });
  expect(results.get("b.yaml")).toMatchObject({ workflow: null });
});

test("given a second file of an id, when it comes and goes, then both know", async () => {
  const check = checker();
  await check.check([text("a.yaml", GOOD)], []);
  const both = await check.check([text("b.yaml", GOOD)], []);
  expect([...both.keys()].sort()).toEqual(["a.yaml", "b.yaml"]);
  expect(both.get("a.yaml")).toMatchObject({ workflow: null });
  const one = await check.check([], ["b.yaml"]);
  expect(one.get("a.yaml")).toMatchObject({ workflow: { id: "good" }, diagnostics: [] });
});

test("given files that are known, when a text is tried, then nothing of it is kept", async () => {
  const check = checker();
  await check.check([text("a.yaml", GOOD)], []);
  expect(await check.try(text("b.yaml", GOOD))).toMatchObject({ workflow: null });
  expect(await check.try(text("a.yaml", GOOD))).toMatchObject({ diagnostics: [] });
  expect((await check.check([text("c.yaml", flow("c", "delay", "{ for: 1s }"))], [])).size).toBe(1);
});

test.each([
  ["stalls", "did not end within 1.5 s", "stall"],
  ["breaks", "broke", "recurse"],
  ["exhausts the memory of", "memory", "exhaust"],
])(
  "given a text that %s the thread, when it is checked, then it alone has a diagnostic",
  async (_what, why, type) => {
    const isGreedy = type === "exhaust";
    const check = checker(isGreedy ? { deadline_ms: 60_000, memory_mb: 64 } : undefined);
    const hostile = flow("hostile", type, `{ value: ${"[".repeat(40)}${"]".repeat(40)} }`);
    const texts = [
      text("a.yaml", GOOD),
      text("h.yaml", hostile),
      text("z.yaml", flow("z", "delay", "{ for: 1s }")),
    ];
    const results = await check.check(texts, []);
    expect(results.get("h.yaml")).toMatchObject({
      workflow: null,
      diagnostics: [{ file: "h.yaml", line: 1, kind: "unreadable", severity: "error" }],
    });
    expect(results.get("h.yaml")?.diagnostics[0]?.message).toContain(why);
    expect(results.get("a.yaml")).toMatchObject({ workflow: { id: "good" } });
    expect(results.get("z.yaml")).toMatchObject({ workflow: { id: "z" } });
    // The next thread knows what the first one knew.
    expect(await check.try(text("b.yaml", GOOD))).toMatchObject({ workflow: null });
  },
);

test("given a text that stalled, when it is put right, then it is checked again", async () => {
  const check = checker();
  const hostile = flow("h", "stall", `{ value: ${"[".repeat(40)}${"]".repeat(40)} }`);
  expect((await check.check([text("h.yaml", hostile)], [])).get("h.yaml")?.workflow).toBeNull();
  const mended = await check.check([text("h.yaml", flow("h", "stall", "{ value: 7 }"))], []);
  expect(mended.get("h.yaml")).toMatchObject({ workflow: { id: "h" } });
});

test("given a text that stalls, when it is only tried, then others go on", async () => {
  const check = checker();
  const hostile = flow("h", "stall", `{ value: ${"[".repeat(40)}${"]".repeat(40)} }`);
  expect((await check.try(text("h.yaml", hostile))).diagnostics[0]?.kind).toBe("unreadable");
  expect(await check.try(text("a.yaml", GOOD))).toMatchObject({ workflow: { id: "good" } });
});

test.each([
  ["[ ten thousand times", "[".repeat(10_000)],
  ["{ ten thousand times", "{a: ".repeat(10_000)],
  ["- ten thousand times", "- ".repeat(10_000)],
  ["20 000 keys", Array.from({ length: 20_000 }, (_, i) => `k${i}: ${i}\n`).join("")],
  [
    "a bomb of aliases",
    `a: &a [x, x]\n${"bcdefghijklmnop".replace(/./g, (name) => {
      const before = String.fromCharCode(name.charCodeAt(0) - 1);
      return `${name}: &${name} [*${before}, *${before}]\n`;
    })}`,
  ],
  ["300 KiB", `id: a\nname: ${"x".repeat(300 * 1024)}\n`],
  ["a byte of zero", "id: a\u0000b\n"],
])(
  "given %s, when it is checked, then it has diagnostics, and the next text is checked",
  async (_name, hostile) => {
    const check = checker();
    const results = await check.check([text("h.yaml", hostile), text("z.yaml", GOOD)], []);
    expect(results.get("h.yaml")?.workflow).toBeNull();
    expect(results.get("h.yaml")?.diagnostics).not.toEqual([]);
    expect(results.get("h.yaml")?.diagnostics[0]?.kind).not.toBe("unreadable");
    expect(results.get("z.yaml")).toMatchObject({ workflow: { id: "good" } });
  },
);

test("given that hosts are listed, does not warn of one that data chooses", async () => {
  const chosen = `id: one
context: { type: object, properties: { at: { type: string } } }
steps: [{ id: send, type: webhook, config: { url: "http://\${{ context.at }}/x" } }]
`;
  for (const [lists, kinds] of [
    [false, ["tainted-input"]],
    [true, []],
  ] as const) {
    const results = await checker(undefined, lists).check([text("one.yaml", chosen)], []);
    expect(results.get("one.yaml")?.diagnostics.map(({ kind }) => kind)).toEqual(kinds);
  }
});

function checker(limits?: CheckLimits, lists_hosts = false): Checker {
  const made = new Checker(
    { ...catalog, ...HOSTILE },
    lists_hosts,
    limits ?? { deadline_ms: 1_500, memory_mb: 512 },
  );
  onTestFinished(() => made.close());
  return made;
}

/** Step types whose schemas a validator cannot get through. */
const HOSTILE: Catalog = {
  stall: stepType("stall", {
    items: { anyOf: [ref("value"), ref("value"), ref("value")] },
    not: { const: [] },
  }),
  recurse: stepType("recurse", { allOf: [ref("value")] }),
  exhaust: stepType("exhaust", {
    items: { allOf: [ref("value"), ref("value"), ref("value"), { not: {} }] },
  }),
};

function stepType(type: string, value: JsonObject) {
  const properties = { value: ref("value") };
  const config = { type: "object", properties, $defs: { value } };
  return { type, description: "", config, control: false };
}

function ref(name: string): JsonObject {
  return { $ref: `#/$defs/${name}` };
}

function flow(id: string, type: string, config: string): string {
  const step = `{ id: one, type: ${type}, config: ${config}, next_step_id: null }`;
  return `id: ${id}\nsteps:\n  - ${step}\n`;
}

function text(file: string, content: string) {
  return { file, text: content };
}

// The traps of the library and of the language, each with the way around it.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  checkBare,
  ExpressionError,
  evaluateBare,
  findExpressions,
} from "../../../src/flow/expression/index.js";
import type { Json } from "../../../src/flow/json.js";
import {
  MAX_BIND_DEPTH,
  MAX_EXPRESSION_DEPTH,
  MAX_EXPRESSION_LENGTH,
  MAX_LITERAL_ENTRIES,
} from "../../../src/limits.js";
import { env } from "./scope.js";

type Answer = { value: Json } | { kind: string };

function answer(text: string, context: Json = {}): Answer {
  try {
    return { value: evaluateBare(text, { context }) };
  } catch (error) {
    if (error instanceof ExpressionError) {
      return { kind: error.kind };
    }
    throw error;
  }
}

const kindsOf = (text: string) => checkBare(text, env).findings.map(({ kind }) => kind);

describe("numbers of JSON and of CEL mix", () => {
  const context = { n: 5, list: [1, 2.5] };
  it.each<[string, Json]>([
    ["context.n + 1", 6],
    ["1 + context.n", 6],
    ["context.n - 1 + 0.5", 4.5],
    ["1 + 1.5", 2.5],
    ["3 * context.n", 15],
    ["context.n % 3", 2],
    ["context.n == 5", true],
    ["5 != context.n", false],
    ["[5] == [context.n]", true],
    ["{'a': 5} == {'a': context.n}", true],
    ["5 in [context.n]", true],
    ["context.n in [5]", true],
    ["1 in context.list", true],
    ["[1] + context.list", [1, 1, 2.5]],
    ["[1, 2.5].map(x, x + 1)", [2, 3.5]],
    ["context.n > 3 ? 1 : 0.5", 1],
  ])("%s", (text, value) => {
    expect(answer(text, context)).toEqual({ value });
  });

  it("come back as numbers, and never rounded", () => {
    expect(answer("9007199254740991")).toEqual({ value: 2 ** 53 - 1 });
    expect(answer("-9007199254740991")).toEqual({ value: -(2 ** 53 - 1) });
    expect(answer("9007199254740991 + 1")).toEqual({ kind: "overflow" });
    expect(answer("[9007199254740991 + 1]")).toEqual({ kind: "overflow" });
    expect(kindsOf("9007199254740992")).toEqual(["expression"]);
  });
});

describe("a regular expression cannot hang a run", () => {
  it("answers for a pattern that backtracks for ever in V8", () => {
    const text = `${"a".repeat(50_000)}!`;
    expect(answer("context.t.matches('^(a+)+$')", { t: text })).toEqual({ value: false });
    expect(answer("context.t.matches(context.p)", { t: text, p: "(x+x+)+y" })).toEqual({
      value: false,
    });
  });

  it("is refused at its place when it is written down, else when it runs", () => {
    const [finding] = checkBare("context.name.matches('a(')", env).findings;
    expect(finding).toMatchObject({ kind: "regex", start: 21, end: 25 });
    expect(answer("context.p.matches(context.p)", { p: "a(" })).toEqual({ kind: "regex" });
    // RE2 has no look-ahead, because nothing linear has.
    expect(kindsOf("context.name.matches('(?=a)')")).toEqual(["regex"]);
  });

  it("is bounded in length", () => {
    expect(answer("'a'.matches(context.p)", { p: "a".repeat(2_000) })).toEqual({ kind: "regex" });
  });
});

describe("an expression is bounded before it runs", () => {
  const nested = (times: number, open: string, close: string) =>
    open.repeat(times) + close.repeat(times);
  it.each([
    ["length", "1".padStart(MAX_EXPRESSION_LENGTH + 1, " ")],
    ["nesting in brackets", `${nested(300, "[", "]")}`],
    ["nesting in parentheses", `${"(".repeat(300)}1${")".repeat(300)}`],
    [
      "nesting by operators",
      Array(MAX_EXPRESSION_DEPTH + 1)
        .fill("1")
        .join("+"),
    ],
    ["nesting by signs", `${"!".repeat(4_000)}true`],
    ["comprehensions", "[1].map(a, [1].map(b, [1].map(c, a + b + c)))"],
    [
      "bindings",
      Array.from({ length: MAX_BIND_DEPTH + 1 }, (_, i) => `cel.bind(v${i}, 1, `).join("") +
        `1${")".repeat(MAX_BIND_DEPTH + 1)}`,
    ],
    [
      "elements of a list",
      `[${Array(MAX_LITERAL_ENTRIES + 1)
        .fill("1")
        .join(",")}]`,
    ],
  ])("in %s", (_what, text) => {
    expect(kindsOf(text)).toEqual(["cost"]);
    expect(answer(text)).toEqual({ kind: "cost" });
  });

  it("may be as large as the bounds allow", () => {
    const texts = [
      "1".padStart(MAX_EXPRESSION_LENGTH, " "),
      Array(MAX_EXPRESSION_DEPTH).fill("1").join("+"),
      "[1].map(a, [1].map(b, a + b))",
      "[1].map(a, [1].filter(b, b == a)).map(c, [1].all(d, d in c))",
    ];
    for (const text of texts) {
      expect(kindsOf(text)).toEqual([]);
      expect(answer(text)).toHaveProperty("value");
    }
  });
});

describe("an expression is bounded while it runs", () => {
  const context = {
    list: Array.from({ length: 3_000 }, (_, index) => index),
    text: "ab".repeat(500_000),
    lists: [Array.from({ length: 500_000 }, () => 0), Array.from({ length: 500_000 }, () => 0)],
  };
  it.each([
    "context.list.map(a, context.list.map(b, a + b)).size()",
    "context.list.all(a, a in context.list)",
    "context.list.filter(a, context.text.contains('x'))",
    "context.list.filter(a, context.lists[0] == context.lists[1])",
    "context.list.map(a, context.list + context.list).size()",
    "context.text.split('').map(c, c).size()",
    "cel.bind(a, context.text + context.text, cel.bind(b, a + a + a + a, size(b + b + b + b)))",
    // The error is absorbed by CEL's rules, the cost is not.
    "context.list.exists(a, context.list.map(b, a + b).size() < 1) || true",
  ])("%s", (text) => {
    expect(answer(text, context)).toEqual({ kind: "cost" });
  });

  it("lets an ordinary loop over a long list end", () => {
    expect(answer("context.list.filter(a, a % 2 == 0).size()", context)).toEqual({ value: 1_500 });
  });

  it("starts each evaluation with a full budget", () => {
    for (let round = 0; round < 5; round += 1) {
      expect(answer("context.lists[0].all(x, x == 0)", context)).toEqual({ value: true });
    }
  });
});

describe("no expression reaches a prototype", () => {
  it.each([
    "context.constructor",
    "context['constructor']",
    "context.a.constructor.constructor",
    "context.__proto__",
    "context['__proto__']",
    "context.toString",
    "context.hasOwnProperty",
    "context.list.length",
    "context.list['length']",
    "context.text.length",
    "constructor",
    "toString",
    "hasOwnProperty",
    "valueOf",
    "__proto__",
    "this",
    "globalThis",
    "process",
  ])("%s is missing, or no expression", (text) => {
    const context = { a: {}, list: [1], text: "a" };
    expect(answer(text, context)).toHaveProperty("kind");
    expect(answer(`has(context.a.${text.replace(/\W/g, "_")})`, context)).not.toEqual({
      value: true,
    });
  });

  it("reads data that has such names like any other", () => {
    const context = JSON.parse(
      '{"constructor": {"name": "a"}, "__proto__": {"b": 2},' +
        '"items": [{"constructor": 1, "c": 3}]}',
    ) as Json;
    expect(answer("context.constructor.name", context)).toEqual({ value: "a" });
    expect(answer("context['__proto__'].b", context)).toEqual({ value: 2 });
    expect(answer("context.items.map(i, i.c)", context)).toEqual({ value: [3] });
    expect(answer("size(context)", context)).toEqual({ value: 3 });
    expect(answer("context", context)).toEqual({ value: context });
    expect(answer("context.items == context.items && context == context", context)).toEqual({
      value: true,
    });
  });
});

describe("no expression knows the time, draws a number or does anything", () => {
  it.each([
    "now()",
    "now",
    "timestamp()",
    "timestamp('now')",
    "timestamp(now())",
    "random()",
    "uuid()",
    "env('HOME')",
    "fetch('http://127.0.0.1/')",
    "eval('1')",
    "require('fs')",
  ])("%s is refused", (text) => {
    expect(checkBare(text, env).findings.length).toBeGreaterThan(0);
    expect(answer(text)).toHaveProperty("kind");
  });

  it("has the same times on every host", () => {
    const zone = process.env.TZ;
    try {
      for (const host of ["UTC", "America/New_York", "Asia/Kathmandu"]) {
        process.env.TZ = host;
        const at = "timestamp('2026-03-08T07:30:00Z')";
        expect(answer(`${at}.getHours('America/New_York')`)).toEqual({ value: 3 });
        expect(answer(`${at}.getDayOfYear()`)).toEqual({ value: 66 });
        expect(answer("timestamp('Mar 8 2026 07:30:00')")).toEqual({ kind: "value" });
      }
    } finally {
      if (zone === undefined) {
        delete process.env.TZ;
      } else {
        process.env.TZ = zone;
      }
    }
  });

  it("reads a long duration in no time", () => {
    expect(answer("duration(context.d)", { d: "1".repeat(100_000) })).toEqual({ kind: "value" });
  });
});

describe("an expression forgets the run it was evaluated for", () => {
  it("gives each scope its own answer", () => {
    const text = "context.list.map(x, cel.bind(y, x, y * context.by))";
    expect(answer(text, { list: [1, 2], by: 2 })).toEqual({ value: [2, 4] });
    expect(answer(text, { list: [3], by: 3 })).toEqual({ value: [9] });
    expect(answer(text, { list: ["a"], by: 3 })).toEqual({ kind: "type" });
    expect(answer(text, { list: [1], by: 1 })).toEqual({ value: [1] });
  });

  it("keeps nothing of the shapes of data it has seen", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const texts = ["size(context)", "!context", "context && true", "context.filter(x, x)"];
    const shape = (seed: number): Json => {
      let value: Json = 1;
      for (let level = 0; level < 60; level += 1) {
        value = (seed >> (level % 15)) & 1 ? [value] : { a: value };
      }
      return value;
    };
    const see = (from: number, to: number) => {
      for (let seed = from; seed < to; seed += 1) {
        for (const text of texts) {
          answer(text, shape(seed));
        }
      }
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = see(0, 200);
    expect(see(200, 4_000) - before).toBeLessThan(20 * 1024 * 1024);
  });

  it("is not changed by what is done with its answer", () => {
    const context = { list: [1, 2] };
    const first = evaluateBare("context.list + [3]", { context }) as Json[];
    first.push(4);
    expect(evaluateBare("context.list + [3]", { context })).toEqual([1, 2, 3]);
    const made = evaluateBare("[1, 2]", {}) as Json[];
    made.push(3);
    expect(evaluateBare("[1, 2]", {})).toEqual([1, 2]);
  });
});

it("what YAML has cut off at a blank and a hash is an expression that is never closed", () => {
  expect(findExpressions("${{ context.count").findings).toMatchObject([
    { kind: "expression", suggestion: expect.stringContaining("in quotes") },
  ]);
});

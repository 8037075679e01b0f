// Values of expressions over plain JSON, in texts, values and configs.

import { describe, expect, it } from "vitest";
import {
  ExpressionError,
  evaluateBare,
  evaluateCondition,
  evaluateConfig,
  evaluateValue,
  isConstant,
} from "../../../src/flow/expression/index.js";
import type { Json } from "../../../src/flow/json.js";

const scope = {
  context: {
    count: 5,
    half: 2.5,
    index: 2,
    name: "Ada",
    empty: "",
    yes: true,
    nothing: null,
    list: [1, 2, 3],
    deep: { a: { b: [true, null] } },
    odd: { toString: 1, valueOf: 2 },
  },
  steps: { fetch: { status: "completed", output: { items: [{ id: 7 }, { id: 8 }] } } },
  run: { id: "r1", created_at: "2026-01-31T09:30:00Z" },
};

function errorOf(evaluate: () => unknown): ExpressionError {
  try {
    evaluate();
  } catch (error) {
    if (error instanceof ExpressionError) {
      return error;
    }
    throw error;
  }
  throw new Error("nothing went wrong");
}

describe("an expression has a value", () => {
  it.each<[string, Json]>([
    ["context.count + 1", 6],
    ["context.count - 7", -2],
    ["context.half * 2", 5],
    ["7 / 2", 3],
    ["context.count / 2", 2.5],
    ["context.count % 2", 1],
    ["-context.count", -5],
    ["context.name + '!'", "Ada!"],
    ["context.list + [4]", [1, 2, 3, 4]],
    ["context.list[context.index]", 3],
    ["context.list[size(context.list) - 1]", 3],
    ["context.count == 5 && context.count >= 5 && context.half < 3", true],
    ["context.list == [1, 2, 3]", true],
    ["context.deep == {'a': {'b': [true, null]}}", true],
    ["2 in context.list", true],
    ["'a' in context.deep", true],
    ["'toString' in context.deep", false],
    ["context.nothing == null", true],
    ["context.name == null", false],
    ["context.name == 5", false],
    ["context.yes ? 'a' : 1", "a"],
    ["steps.fetch.output.items.map(i, i.id)", [7, 8]],
    ["steps.fetch.output.items.map(i, i.id > 7, i.id * 2)", [16]],
    ["steps.fetch.output.items.filter(i, i.id > 7)", [{ id: 8 }]],
    ["steps.fetch.output.items.exists_one(i, i.id == 8)", true],
    ["context.deep.map(key, key)", ["a"]],
    ["cel.bind(x, context.count, x * x)", 25],
    ["{'id': context.count, 'more': [context.name]}", { id: 5, more: ["Ada"] }],
    ["has(steps.fetch.output.items[1].id)", true],
    ["has(steps.fetch.output.items[2].id)", false],
    ["has(steps.gone.output.items)", false],
    ["has(context.nothing.a)", false],
    ["has(context.nothing)", true],
    ["steps.?gone.output.orValue('none')", "none"],
    ["steps.?gone.output", null],
    ["context.?name", "Ada"],
    ["context.name.substring(context.index)", "a"],
    ["context.name.upperAscii().lowerAscii().indexOf('d')", 1],
    ["'a,b,c'.split(',', context.index)", ["a", "b,c"]],
    ["['a', 'b'].join('-')", "a-b"],
    ["string(context.count) + string(context.half) + string(context.yes)", "52.5true"],
    ["int('12') + int(context.half)", 14],
    ["double('1.5')", 1.5],
    ["bytes('Ada').base64()", "QWRh"],
    ["bytes('{\"a\": [1]}').json().a[0] + 1", 2],
    ["timestamp(run.created_at) + duration('1h')", "2026-01-31T10:30:00.000Z"],
    ["timestamp(run.created_at) - timestamp('2026-01-31T08:00:00Z')", "5400s"],
    ["timestamp(run.created_at).getHours('Asia/Tokyo')", 18],
    ["string(duration('90s'))", "90s"],
    ["int(timestamp('1970-01-01T00:01:00Z'))", 60],
  ])("%s", (text, value) => {
    expect(evaluateBare(text, scope)).toEqual(value);
  });

  it("is a boolean where a condition is asked for", () => {
    expect(evaluateCondition("context.count > 3", scope)).toBe(true);
    const error = errorOf(() => evaluateCondition("context.count", scope));
    expect(error).toMatchObject({ kind: "type", start: 0, end: 13 });
    expect(error.message).toBe(
      "it gives 5, and a condition needs a boolean (in the expression context.count)",
    );
  });
});

describe("a text with expressions has a value", () => {
  it.each<[Json, Json]>([
    ["${{ context.list }}", [1, 2, 3]],
    ["${{ context.list }}\n", [1, 2, 3]],
    ["${{ context.nothing }}", null],
    ["${{ context.count }}!", "5!"],
    ["n: ${{ context.nothing }}.", "n: ."],
    ["${{ context.list }} ${{ context.deep }}", '[1,2,3] {"a":{"b":[true,null]}}'],
    ["$${{ context.count }}", "${{ context.count }}"],
    ["plain", "plain"],
    [5, 5],
    [null, null],
    [
      { a: ["${{ context.count }}", { "b ${{ c }}": "x ${{ context.name }}" }] },
      { a: [5, { "b ${{ c }}": "x Ada" }] },
    ],
  ])("%j", (value, wanted) => {
    expect(evaluateValue(value, scope)).toEqual(wanted);
  });

  it.each([
    [true, [5, null, "a $ {{ b }}", {}, [], { a: ["x", { b: true }] }]],
    [false, ["${{ 1 }}", ["x", "${{ 1 }}"], { a: 1, b: { c: [2, "x ${{ 1 }}"] }, d: 3 }]],
  ])("has no expression in it: %s", (wanted, values) => {
    for (const value of values) {
      expect([isConstant(value), isConstant(value)], JSON.stringify(value)).toEqual([
        wanted,
        wanted,
      ]);
    }
  });

  it("does not look for expressions in what expressions bring", () => {
    const sly = { context: { text: "${{ context.other }}", other: "!" } };
    expect(evaluateValue("a ${{ context.text }}", sly)).toBe("a ${{ context.other }}");
    expect(evaluateValue(["${{ context.text }}"], sly)).toEqual(["${{ context.other }}"]);
  });

  it("keeps keys that could reach a prototype as plain keys", () => {
    const value = JSON.parse('{"__proto__": "${{ context.count }}", "constructor": "a"}') as Json;
    const made = evaluateValue(value, scope) as object;
    expect(Object.keys(made)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(made)).toBe(Object.prototype);
  });
});

describe("what goes wrong is an error with a kind, a sentence and a place", () => {
  it.each([
    ["steps.fetch.output.itms", "missing", 'steps.fetch.output has no "itms"'],
    ["steps.gone.output", "missing", 'steps has no "gone"'],
    ["error.status", "missing", '"error" is not there'],
    ["context.list[9]", "missing", "index 9 >= size 3"],
    ["context.list[0.5]", "missing", "index 0.5 >= size 3"],
    ["context.name.substring(9)", "missing", "out of range"],
    ["context.nothing.a", "missing", 'context.nothing has no "a"'],
    ["context.name + context.count", "type", '"+" does not take a string and a number'],
    ["context.name < context.count", "type", '"<" does not take a string and a number'],
    ["size(context.count)", "type", "there is no size() for a number"],
    ["context.count ? 1 : 2", "type", "a boolean is needed, not a number"],
    ["!context.name", "type", "a boolean is needed, not a string"],
    ["context.yes && context.name", "type", "a boolean is needed, not a string"],
    ["context.list.filter(x, x)", "type", "a boolean is needed, not a number"],
    ["-context.list", "type", '"-" needs a number, not a list'],
    ["context.name.foo()", "type", "found no matching overload for 'any value.foo()'"],
    ["context.count.trim()", "type", "a number has no trim()"],
    ["context.name.contains(context.count)", "type", "a string has no contains() for a number"],
    ["bytes('a')", "type", "a byte string is not JSON"],
    ["1 / (size(context.list) - 3)", "value", "division by zero"],
    ["context.count / 0.0", "value", "division by zero"],
    ["double('Infinity')", "value", "Infinity is not JSON"],
    ["int(context.name)", "value", "int() was given a string that is no number"],
    ["timestamp(context.name)", "value", '"Ada" is no time'],
    ["timestamp(run.created_at).getHours('Mars')", "value", '"Mars" is no time zone'],
    ["bytes(context.name).json()", "value", "json() was given no JSON"],
    ["{'constructor': 1}", "value", 'the key "constructor" is not allowed'],
    ["{context.nothing: 1}", "type", "a key is a string, not null"],
    ["context.deep[context.odd]", "type", "a value is of a type that does not fit"],
    ["{context.odd: 1}", "type", "a key is a string, not an object"],
    ["9007199254740992", "overflow", "beyond what a number in JSON holds exactly"],
    ["9223372036854775807 + 1", "overflow", "is too large"],
    ["context.name.matches(context.name + '(')", "regex", "missing closing )"],
    ["context.count +", "syntax", "the expression ends too early"],
    ["secrets.TOKEN", "secret", "a secret can only stand alone"],
    ["size(secrets.TOKEN)", "secret", "a secret can only stand alone"],
  ])("%s", (text, kind, message) => {
    const error = errorOf(() => evaluateBare(text, scope));
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(message);
    expect(error.message).toContain(`(in the expression ${text})`);
  });

  it("has its place in the text that was given", () => {
    const text = "a ${{ context.count }} ${{ 1 + context.gone }}";
    const error = errorOf(() => evaluateValue({ b: [text] }, scope));
    expect(error.text).toBe(text);
    expect(text.slice(error.start, error.end)).toBe("context.gone");
  });

  it("is a syntax error where an expression is never closed", () => {
    expect(errorOf(() => evaluateValue("a ${{ b", scope))).toMatchObject({
      kind: "syntax",
      start: 2,
    });
  });
});

describe("secrets in a config are left to the host", () => {
  it("describes each string with a secret, and leaves it empty", () => {
    const config = {
      url: "https://example.org/${{ context.name }}",
      headers: { authorization: "Bearer ${{ secrets.TOKEN }}", "a/b~c": "${{ secrets['HOOK'] }}" },
      list: [1, "${{ context.count }}-${{ secrets.TOKEN }}-$${{"],
    };
    expect(evaluateConfig(config, scope)).toEqual({
      config: {
        url: "https://example.org/Ada",
        headers: { authorization: "", "a/b~c": "" },
        list: [1, ""],
      },
      secrets: [
        { pointer: "/headers/authorization", parts: ["Bearer ", { secret: "TOKEN" }] },
        { pointer: "/headers/a~1b~0c", parts: [{ secret: "HOOK" }] },
        { pointer: "/list/1", parts: ["5", "-", { secret: "TOKEN" }, "-${{"] },
      ],
    });
  });

  it("never takes data for a secret", () => {
    const sly = { context: { text: "${{ secrets.TOKEN }}" } };
    expect(evaluateConfig({ a: "${{ context.text }}", b: "x ${{ context.text }}" }, sly)).toEqual({
      config: { a: "${{ secrets.TOKEN }}", b: "x ${{ secrets.TOKEN }}" },
      secrets: [],
    });
    expect(evaluateConfig({ a: "${{ context.text }}${{ secrets.T }}" }, sly).secrets).toEqual([
      { pointer: "/a", parts: ["${{ secrets.TOKEN }}", { secret: "T" }] },
    ]);
  });

  it("refuses a secret inside an expression, and one that the scope would bring", () => {
    const scoped = { ...scope, secrets: { TOKEN: "hush" } };
    for (const text of ["${{ secrets.TOKEN + 'a' }}", "${{ [secrets.TOKEN] }}", "${{ secrets }}"]) {
      expect(errorOf(() => evaluateConfig({ a: text }, scoped)).kind).toBe("secret");
    }
    expect(errorOf(() => evaluateValue("${{ secrets.TOKEN }}", scoped)).kind).toBe("secret");
  });
});

// What holds for every text, every value and every expression that a check lets pass.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Checked,
  checkBare,
  checkText,
  ExpressionError,
  evaluateBare,
  evaluateConfig,
  evaluateValue,
  findExpressions,
  type Type,
  typeEnv,
} from "../../../src/flow/expression/index.js";
import type { Json, JsonObject } from "../../../src/flow/json.js";
import { expressions } from "./arbitrary.js";
import { env } from "./scope.js";

const PIECES = [
  ..."abx01 .,:;?!+-*/%<>=&|()[]{}$#'\"\\\n\t\u0000é\ud800".split(""),
  ...["${{", "}}", "$${{", "context", "steps", "secrets", ".map(", ".all(", "has(", "cel.bind("],
  ...["true", "null", " in ", "&&", "||", "==", ".?", "[?", "'''", '"""', "r'", "b'", "//"],
  ...["1e9", "0x", "5u", "timestamp(", "duration(", ".matches(", "constructor", "__proto__"],
];
const soup = fc.array(fc.constantFrom(...PIECES), { maxLength: 30 }).map((all) => all.join(""));
const anyText = fc.oneof(fc.string({ unit: "binary", maxLength: 60 }), soup, soup);

/** JSON, with the keys that are trouble in JavaScript. */
const anyJson = fc
  .json({ depthSize: "small" })
  .map((text) => JSON.parse(text) as Json)
  .chain((value) =>
    fc.constantFrom<Json>(
      value,
      JSON.parse(`{"constructor": ${JSON.stringify(value)}, "__proto__": [1]}`) as Json,
      [{ constructor: value }, value] as unknown as Json,
    ),
  );

function isSound({ findings, reads }: Checked, text: string): void {
  for (const place of [...findings, ...reads]) {
    expect(place.start).toBeGreaterThanOrEqual(0);
    expect(place.end).toBeGreaterThan(place.start);
    expect(place.end).toBeLessThanOrEqual(Math.max(1, text.length));
  }
}

function evaluateOrRefuse(evaluate: () => Json): Json | ExpressionError {
  try {
    return evaluate();
  } catch (error) {
    if (error instanceof ExpressionError) {
      return error;
    }
    throw error;
  }
}

describe("any text at all", () => {
  it("is split into parts that cover it, in order", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { parts, findings } = findExpressions(text);
        let at = 0;
        for (const part of parts) {
          expect(part.start).toBe(at);
          at = part.end;
        }
        expect(at === text.length || findings.length > 0).toBe(true);
      }),
      { numRuns: 5_000 },
    );
  });

  it("is checked and evaluated to an answer, never a crash, with places inside it", () => {
    fc.assert(
      fc.property(anyText, anyJson, (text, context) => {
        isSound(checkBare(text, env, "bool"), text);
        isSound(checkText(text, env, { secrets: true }), text);
        const scope = { context };
        evaluateOrRefuse(() => evaluateBare(text, scope));
        evaluateOrRefuse(() => evaluateValue([text, `\${{${text}}}`], scope));
        evaluateOrRefuse(() => evaluateConfig({ a: text }, scope).config);
      }),
      { numRuns: 5_000 },
    );
  });

  it("that a check refuses for its cost is refused when it runs, and so is its grammar", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        fc.pre(!/^\s*\$\{\{/.test(text));
        const refused = checkBare(text, env).findings.filter(({ kind }) => kind === "cost");
        const outcome = evaluateOrRefuse(() => evaluateBare(text, {}));
        if (refused.length > 0) {
          expect(outcome).toMatchObject({ kind: "cost" });
        }
        if (outcome instanceof ExpressionError && outcome.kind === "syntax") {
          expect(checkBare(text, env).findings.length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("interpolation", () => {
  const escaped = (text: string) => text.replaceAll("${{", () => "$${{");

  it("gives back any text that was escaped", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(evaluateValue(escaped(text), {})).toBe(text);
        expect(checkText(escaped(text), env).findings).toEqual([]);
      }),
      { numRuns: 3_000 },
    );
  });

  it("gives back any value from a text that is one expression, and its text from any other", () => {
    fc.assert(
      fc.property(anyJson, anyText, (value, text) => {
        const scope = { context: value };
        expect(evaluateValue("${{ context }}", scope)).toEqual(value);
        expect(evaluateValue({ a: ["${{ context }}"] }, scope)).toEqual({ a: [value] });
        const around = `${escaped(text)}|\${{ context }}|`;
        const written =
          typeof value === "string" ? value : value === null ? "" : JSON.stringify(value);
        expect(evaluateValue(around, scope)).toBe(`${text}|${written}|`);
      }),
      { numRuns: 2_000 },
    );
  });

  it("never expands a secret that data names", () => {
    fc.assert(
      fc.property(anyText, anyText, (before, after) => {
        const text = `${before}\${{ secrets.TOKEN }}${after}`;
        const scope = { context: { text } };
        const { config, secrets } = evaluateConfig(
          { a: "${{ context.text }}", b: "${{ context.text }} ${{ secrets.KEY }}" },
          scope,
        );
        expect(config).toEqual({ a: text, b: "" });
        expect(secrets).toEqual([{ pointer: "/b", parts: [text, " ", { secret: "KEY" }] }]);
      }),
    );
  });
});

describe("an expression that a check lets pass", () => {
  const SCHEMA: JsonObject = {
    type: "object",
    additionalProperties: false,
    required: ["t", "n", "i", "b", "e", "ts", "ns", "os", "o", "m"],
    properties: {
      t: { type: "string" },
      n: { type: "number" },
      i: { type: "integer" },
      b: { type: "boolean" },
      e: { enum: ["a", "bc"] },
      ts: { type: "array", items: { type: "string" } },
      ns: { type: "array", items: { type: "number" } },
      os: { type: "array", items: { $ref: "#/$defs/o" } },
      o: { $ref: "#/$defs/o" },
      m: { type: "object", additionalProperties: { type: "number" } },
    },
    $defs: {
      o: {
        type: "object",
        additionalProperties: false,
        required: ["t", "n"],
        properties: { t: { type: "string" }, n: { type: "number" } },
      },
    },
  };
  const typed = typeEnv({ context: SCHEMA });
  const text = fc.constantFrom("", "a", "bc", "5", "2026-01-31T09:30:00Z", "a,b", "é", "💡");
  const number = fc.oneof(fc.constantFrom(0, 1, -1, 2.5), fc.integer({ min: -9, max: 99 }));
  const object = fc.record({ t: text, n: number });
  const context = fc.record({
    ...{ t: text, n: number, i: fc.integer({ min: 0, max: 5 }), b: fc.boolean() },
    ...{ e: fc.constantFrom("a", "bc"), ts: fc.array(text), ns: fc.array(number) },
    ...{ os: fc.array(object), o: object, m: fc.dictionary(text, number) },
  });

  it("gives a value of the type that the check said, or an error of a documented kind", () => {
    let passed = 0;
    let valued = 0;
    fc.assert(
      fc.property(expressions(), context, (written, value) => {
        const { findings, type } = checkBare(written, typed);
        if (findings.some(({ severity }) => severity === "error")) {
          return;
        }
        passed += 1;
        const outcome = evaluateOrRefuse(() => evaluateBare(written, { context: value }));
        if (outcome instanceof ExpressionError) {
          // Where a value may be of any type, only the run can tell that it does not fit.
          const open = JSON.stringify(type).includes("dyn") || UNSURE.test(written);
          const documented = ["missing", "overflow", "value", ...(open ? ["type", "regex"] : [])];
          expect(documented, `${written}: ${outcome.message}`).toContain(outcome.kind);
          return;
        }
        valued += 1;
        expect(fits(outcome, type), `${written} gave ${JSON.stringify(outcome)}`).toBe(true);
      }),
      { numRuns: 10_000 },
    );
    expect(passed).toBeGreaterThan(2_000);
    expect(valued).toBeGreaterThan(1_500);
  });

  it("gives a value or an error over data of any other shape", () => {
    const odd = fc.record({
      ...{ t: anyJson, n: anyJson, i: anyJson, b: anyJson, e: anyJson },
      ...{ ts: anyJson, ns: anyJson, os: anyJson, o: anyJson, m: anyJson },
    });
    fc.assert(
      fc.property(expressions(), fc.oneof(odd, context), (written, value) => {
        const made = JSON.parse(JSON.stringify(value)) as Json;
        evaluateOrRefuse(() => evaluateBare(written, { context: made }));
        expect(made).toEqual(value);
      }),
      { numRuns: 5_000 },
    );
  });

  /** What makes the type of a part unknown: mixed lists and ternaries, and patterns from data. */
  const UNSURE = /\?|\[|\{|matches|json|dyn/;
});

function fits(value: Json, type: Type): boolean {
  if (value === null && ("nullable" in type || type.kind === "null")) {
    return true;
  }
  switch (type.kind) {
    case "dyn":
      return true;
    case "int":
      return Number.isInteger(value);
    case "double":
      return typeof value === "number";
    case "bool":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && (type.values?.includes(value) ?? true);
    case "timestamp":
    case "duration":
      return typeof value === "string";
    case "list":
      return Array.isArray(value) && value.every((item) => fits(item, type.item));
    case "object": {
      if (value === null || typeof value !== "object" || Array.isArray(value)) {
        return false;
      }
      return Object.entries(value).every(([key, item]) => {
        const place = type.properties.get(key) ?? type.rest;
        return place !== null && fits(item, place);
      });
    }
    default:
      return false;
  }
}

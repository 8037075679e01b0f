// What a check of an expression finds: the place, the sentence, and the likely fix.

import { describe, expect, it } from "vitest";
import {
  type Checked,
  checkBare,
  checkText,
  nameOf,
  typeEnv,
  withError,
} from "../../../src/flow/expression/index.js";
import { env } from "./scope.js";

/** `kind at "what is underlined": message → suggestion`, one a line. */
function said({ findings }: Checked, text: string): string[] {
  return findings.map(({ start, end, kind, message, suggestion }) => {
    const place = text.slice(start, end);
    return `${kind} at ${place}: ${message}${suggestion ? ` → ${suggestion}` : ""}`;
  });
}

const bare = (text: string) => said(checkBare(text, env), text);
const condition = (text: string) => said(checkBare(text, env, "bool"), text);

describe("an expression that fits is silent, and has a type", () => {
  it.each([
    ["context.region", "a string"],
    ["context.count + 1", "a number"],
    ["context.count / 2 > 1.5 && context.dry_run", "a boolean"],
    ["context.tags[context.count]", "a string"],
    ["context.lines.filter(l, l.amount > 5).map(l, l.id)", "a list"],
    ["size(context.lines) > 0 ? context.lines[0].id : 0", "a number"],
    ["5 in [1, 2.5]", "a boolean"],
    ["context.note == null", "a boolean"],
    ["context.any.deep[3].er", "any value"],
    ["context.dry_run ? 1 : 'a'", "any value"],
    ["[1, 'a', null]", "a list"],
    ["{'id': context.count, 'name': context.name}.name", "a string"],
    ["steps.fetch.output.status == 200", "a boolean"],
    ["steps['send-it'].output.whatever", "any value"],
    ["steps.?ask.output.approved.orValue(false)", "a boolean"],
    ["invoice.id + string(invoice_index)", "a string"],
    ["timestamp(run.created_at) + duration('1h')", "a timestamp"],
    ["timestamp(run.created_at) - timestamp('2026-01-01T00:00:00Z') > duration('2h')", "a boolean"],
    ["cel.bind(x, context.count, x + x)", "a number"],
    ["bytes(context.name).base64()", "a string"],
    ["type(context.any) == string", "a boolean"],
    ["context.name.split(',').map(x, x.trim()).join('-')", "a string"],
    ["context.lines.exists(l, l.id == 3) || 'x' in invoice", "a boolean"],
    ["has(steps.fetch.output.body.items[0].id)", "a boolean"],
  ])("%s is %s", (text, type) => {
    const checked = checkBare(text, env);
    expect(said(checked, text)).toEqual([]);
    expect(nameOf(checked.type)).toBe(type);
  });
});

describe("a name that is not there is found at its place, with the nearest right one", () => {
  it.each([
    ["stepz.fetch.output", 'expression at stepz: there is no "stepz" here → did you mean "steps"?'],
    [
      "fetch.output",
      'expression at fetch: there is no "fetch" here → did you mean "steps.fetch.output"?',
    ],
    ["region", 'expression at region: there is no "region" here → did you mean "context.region"?'],
    ["TOKEN", 'expression at TOKEN: there is no "TOKEN" here → did you mean "secrets.TOKEN"?'],
    [
      "steps.fecth.output",
      'expression at fecth: there is no step "fecth" to read here → did you mean "fetch"?',
    ],
    [
      "1 + steps.send-it.output",
      'expression at send: there is no step "send" to read here → write steps["send-it"]',
    ],
    [
      "context.regoin == 'eu'",
      'expression-type at regoin: context has no "regoin" → did you mean "region"?',
    ],
    [
      "has(context.regoin)",
      'expression-type at regoin: context has no "regoin" → did you mean "region"?',
    ],
    [
      "context.lines.map(l, l.amont)",
      'expression-type at amont: l has no "amont" → did you mean "amount"?',
    ],
    ["context['nme']", 'expression-type at \'nme\': context has no "nme" → did you mean "name"?'],
    [
      "context.lines.id",
      'expression-type at id: context.lines is a list, and has no "id" → write context.lines[0].id, or context.lines.map(item, item.id)',
    ],
    [
      "context.tags.length",
      'expression-type at length: context.tags is a list, and has no "length" → write size(context.tags)',
    ],
    [
      "steps[context.name].output",
      'expression at context.name: a step is named literally → write it like steps.fetch or steps["fetch-it"]',
    ],
    [
      "error.status",
      'expression at error: "error" is known only in a step that on_error leads to, and in retry.when',
    ],
    [
      "lenght(context.name)",
      'expression at lenght: there is no function "lenght" → the functions are has, size, string, int, double, bool, timestamp and duration',
    ],
    ["length(context.name)", 'expression at length: there is no function "length" → write size(…)'],
    [
      "contains(context.name, 'a')",
      'expression at contains: there is no function "contains" → write context.name.contains(…)',
    ],
    [
      "context.name.contians('a')",
      'expression-type at contians: a string has no method "contians" → did you mean "contains"?',
    ],
    [
      "context.name.string()",
      'expression-type at string: "string" is a function, not a method → write string(context.name)',
    ],
  ])("%s", (text, sentence) => {
    expect(bare(text)).toEqual([sentence]);
  });

  it("knows the error where there is one", () => {
    const text = "error.status >= 500 || error.kind == 'network'";
    expect(said(checkBare(text, withError(env)), text)).toEqual([]);
    expect(said(checkBare(text, typeEnv({ error: true })), text)).toEqual([]);
  });
});

describe("types that do not fit are found", () => {
  it.each([
    [
      "context.name + 1",
      'expression-type at context.name + 1: "+" does not take a string and a number → put string(…) around what is no string',
    ],
    [
      "context.name == context.count",
      "expression-type at context.name == context.count: a string never equals a number → put double(…) around the string, or string(…) around the number",
    ],
    [
      "context.count < 'a'",
      "expression-type at context.count < 'a': \"<\" does not take a number and a string → put double(…) around the string, or string(…) around the number",
    ],
    [
      "context.dry_run == 'true'",
      "expression-type at context.dry_run == 'true': a boolean never equals a string → compare with true or false",
    ],
    [
      "size(context.count)",
      "expression-type at context.count: size() takes a string, a byte string, a list or an object, not a number",
    ],
    [
      "context.name.substring()",
      "expression-type at context.name.substring(): substring() takes 1 or 2 arguments, not 0",
    ],
    [
      "context.count in context.tags",
      "expression-type at context.count in context.tags: a number is never in a list of strings → put double(…) around the string, or string(…) around the number",
    ],
    [
      "'a' in context.name",
      "expression-type at 'a' in context.name: \"in\" looks into lists and objects, not into strings → write context.name.contains('a')",
    ],
    [
      "context.name.map(c, c)",
      "expression-type at context.name: map() goes through a list, or the keys of an object, not a string",
    ],
    [
      "context.lines.filter(l, l.amount)",
      "expression-type at l.amount: filter() needs a boolean, not a number → write l.amount != 0",
    ],
    [
      "!context.name",
      'expression-type at context.name: "!" needs a boolean, not a string → write context.name != ""',
    ],
    ["-context.name", 'expression-type at context.name: "-" needs a number, not a string'],
    [
      "context.name ? 1 : 2",
      'expression-type at context.name: a condition needs a boolean, not a string → write context.name != ""',
    ],
    [
      "steps.?ask.output.approved && true",
      'expression-type at steps.?ask.output.approved: "&&" needs a boolean, not an optional boolean → write steps.?ask.output.approved.orValue(false)',
    ],
    [
      "steps.?fetch.output.status + 1",
      "expression-type at steps.?fetch.output.status: steps.?fetch.output.status may be absent → say what it is then: put .orValue(…) behind it",
    ],
    [
      "context.name.orValue('a')",
      "expression-type at context.name: orValue() is for what may be absent → write .? before the last name of its path",
    ],
    [
      "context.lines.join(',')",
      'expression-type at join: a list has no method "join" → put .map(item, string(item)) before it',
    ],
    [
      "bytes(context.name)",
      "expression-type at bytes(context.name): the value is a byte string, which is not JSON → put .base64() or .string() behind it",
    ],
    ["{1: 'a'}", "expression-type at 1: a key is a string, not a number"],
    ["context.count / 0", "expression at context.count / 0: this divides by zero"],
    [
      "9007199254740993",
      "expression at 9007199254740993: 9007199254740993 is beyond what a number in JSON holds exactly",
    ],
    ["5u", "expression at 5u: numbers have no sign of being unsigned here → write 5"],
    ["int('five')", "expression at int('five'): int() was given a string that is no number"],
    [
      "timestamp('2026-02-30T00:00:00Z')",
      'expression at timestamp(\'2026-02-30T00:00:00Z\'): "2026-02-30T00:00:00Z" is no time: write it like "2026-01-31T09:30:00Z" or with "+01:00"',
    ],
  ])("%s", (text, sentence) => {
    expect(bare(text)).toEqual([sentence]);
  });
});

describe("a text that is no expression is found, with what was meant", () => {
  it.each([
    ["", "expression at : the expression is empty"],
    ["context.count = 3", 'expression at =: "=" is no operator → write "==" to compare'],
    ["context.count === 3", 'expression at =: "===" is no operator → write "=="'],
    ["a and b", 'expression at and: "and" is no operator → write "&&"'],
    ["not a", 'expression at a: an operator is missing before "a"'],
    ["a & b", 'expression at &: "&" is no operator → write "&&"'],
    ["a ?? b", 'expression at ?: "??" is no operator → write has(a.b) ? a.b : other'],
    ["a?.b", 'expression at .: "?." is no operator → write ".?", which gives an optional'],
    ["(a", 'expression at a: ")" is missing'],
    ["a)", 'expression at ): ")" closes nothing'],
    ["a +", "expression at +: the expression ends too early"],
    ["'abc", "expression at 'abc: a string is not closed"],
    ["“a”", "expression at “: quotes must be straight → write \"…\" or '…'"],
    ["a.0", 'expression at 0: "0" cannot stand behind a dot → write [0]'],
    ["a.in", 'expression at in: "in" cannot stand behind a dot → write ["in"]'],
    ["if", 'expression at if: "if" is a word of the language, not a name'],
    ["a b", 'expression at b: an operator is missing before "b"'],
    ["a # b", 'expression at #: "#" cannot stand here'],
    [
      "'\\d'",
      'expression at \\d: "\\d" is no escape in a string → write "\\\\d", or put r before the string',
    ],
    [
      "context.lines.map(1, 2)",
      'expression at 1: the first argument must be a name for the elements → write it like "list.map(item, item.id)"',
    ],
    [
      "context.lines.map(context, 1)",
      'expression at context: "context" means something already → take another name',
    ],
    [
      "has(context)",
      "expression at has(context): has() asks for one path → write it like has(steps.fetch.output)",
    ],
    [
      "${{ context.count }}",
      "expression at ${{ context.count }}: an expression stands here without braces → write context.count",
    ],
  ])("%j", (text, sentence) => {
    expect(bare(text)).toEqual([sentence]);
  });
});

describe("a condition is a boolean that can come out both ways", () => {
  it.each([
    ["context.dry_run", []],
    ["context.any", []],
    ["size(context.tags) > 0 && !context.dry_run", []],
    [
      "context.tags",
      [
        "expression-type at context.tags: a condition needs a boolean, not a list → write size(context.tags) > 0",
      ],
    ],
    ["true", ["constant-condition at true: this is always true"]],
    ["1 > 2", ["constant-condition at 1 > 2: this is always false"]],
    ["context.dry_run || true", ["constant-condition at true: this is always true"]],
    [
      "context.region == 'uk'",
      [
        'constant-condition at context.region == \'uk\': context.region is never "uk": it is "eu" or "us" → did you mean "us"?',
      ],
    ],
    ["context.tags.exists(t, t == 'a')", []],
  ])("%s", (text, sentences) => {
    expect(condition(text)).toEqual(sentences);
  });

  it("warns of a constant condition, and does not refuse it", () => {
    expect(checkBare("false", env, "bool").findings).toMatchObject([{ severity: "warning" }]);
  });
});

describe("a text may hold expressions", () => {
  it("has places in the whole text", () => {
    const text = "a ${{ context.regoin }} b ${{ context.count + }}";
    const { findings, type } = checkText(text, env);
    expect(findings.map(({ start, end }) => text.slice(start, end))).toEqual(["regoin", "+"]);
    expect(nameOf(type)).toBe("a string");
  });

  it("keeps the type of its only expression, with a line break behind it or not", () => {
    for (const text of ["${{ context.lines }}", "${{ context.lines }}\n"]) {
      expect(nameOf(checkText(text, env).type)).toBe("a list");
    }
    expect(nameOf(checkText(" ${{ context.lines }}", env).type)).toBe("a string");
    expect(checkText("plain", env)).toEqual({
      type: { kind: "string", values: ["plain"] },
      findings: [],
      reads: [],
    });
  });

  it("finds what is never closed", () => {
    expect(checkText("${{ context.count", env).findings).toMatchObject([
      { kind: "expression", start: 0 },
    ]);
  });
});

describe("a secret is opaque", () => {
  const alone = "a secret can only stand alone between its braces, in a step's config";

  it("stands in a config's text, alone between its braces", () => {
    const place = { secrets: true };
    for (const text of ["${{ secrets.TOKEN }}", "Bearer ${{ secrets['TOKEN'] }}!"]) {
      expect(checkText(text, env, place).findings).toEqual([]);
    }
    expect(checkText("${{ secrets.TOKEN }}", env, place).type).toEqual({ kind: "secret" });
  });

  it("must be declared", () => {
    const text = "${{ secrets.TOKN }}";
    const checked = checkText(text, env, { secrets: true });
    expect(said(checked, text)).toEqual([
      'expression at TOKN: the secret "TOKN" is not declared → did you mean "TOKEN"?',
    ]);
    const other = "${{ secrets.PASSWORD }}";
    expect(said(checkText(other, typeEnv({}), { secrets: true }), other)).toEqual([
      'expression at PASSWORD: the secret "PASSWORD" is not declared → add PASSWORD to "secrets:"',
    ]);
  });

  it.each([
    "secrets.TOKEN == 'a'",
    "size(secrets.TOKEN) > 3",
    "secrets.TOKEN + 'a'",
    "[secrets.TOKEN]",
    "context.dry_run ? secrets.TOKEN : secrets.HOOK",
    "secrets[context.name]",
    "secrets",
    "has(secrets.TOKEN)",
    "context.tags.exists(t, t == secrets.TOKEN)",
    "string(secrets.TOKEN).size()",
  ])("is refused in %s, even in a config", (inner) => {
    const { findings } = checkText(`\${{ ${inner} }}`, env, { secrets: true });
    expect(findings[0]).toMatchObject({ kind: "expression-type", message: alone });
  });

  it("is refused outside a config, wherever it stands", () => {
    expect(checkText("${{ secrets.TOKEN }}", env).findings).toMatchObject([{ message: alone }]);
    expect(checkBare("secrets.TOKEN", env).findings).toMatchObject([{ message: alone }]);
  });
});

// What a check of an expression finds: the place, the sentence, and the likely fix.

import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  type Checked,
  checkBare,
  checkText,
  type Finding,
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

/**
 * `check.txt` holds what a check says of many texts: a text behind `> `, and below it what is
 * underlined, with a sentence. A heading says how the texts are checked. UPDATE=1 rewrites it.
 */
describe("what does not fit is underlined, with a sentence and a likely fix", () => {
  const path = new URL("check.txt", import.meta.url);
  const golden = readFileSync(path, "utf8");
  const checks: { [heading: string]: (text: string) => Checked } = {
    expression: (text) => checkBare(text, env),
    condition: (text) => checkBare(text, env, "bool"),
    text: (text) => checkText(text, env),
    config: (text) => checkText(text, env, { secrets: true }),
  };

  /** The same file, with every answer made anew. */
  function answered(): string {
    let check = checks.expression!;
    const lines = golden.split("\n").flatMap((line) => {
      const heading = /^# (\w+): /.exec(line)?.[1];
      if (heading !== undefined) {
        check = checks[heading]!;
      }
      const text = /^> (.*)$/.exec(line)?.[1];
      if (text === undefined) {
        return /^ {2,}~/.test(line) ? [] : [line];
      }
      return [line, ...check(text).findings.map(underlined)];
    });
    return lines.join("\n");
  }

  function underlined({ start, end, kind, message, suggestion }: Finding): string {
    const line = " ".repeat(start + 2) + "~".repeat(end - start);
    return `${line} ${kind}: ${message}${suggestion ? ` → ${suggestion}` : ""}`;
  }

  it("as check.txt has it", () => {
    const made = answered();
    if (process.env.UPDATE === "1") {
      writeFileSync(path, made);
    }
    expect(made).toBe(readFileSync(path, "utf8"));
    expect(golden.match(/^> /gm)?.length).toBeGreaterThan(80);
  });

  it("knows the error where there is one", () => {
    const text = "error.status >= 500 || error.kind == 'network'";
    expect(checkBare(text, withError(env)).findings).toEqual([]);
    expect(checkBare(text, typeEnv({ error: true })).findings).toEqual([]);
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

// Splitting a text into literal parts and expressions.

import { describe, expect, it } from "vitest";
import {
  type ExpressionPart,
  findExpressions,
  wholeExpression,
} from "../../../src/flow/expression/index.js";

const expressionsIn = (text: string) =>
  findExpressions(text)
    .parts.filter((part): part is ExpressionPart => part.kind === "expression")
    .map((part) => part.text);

const literalOf = (text: string) =>
  findExpressions(text)
    .parts.map((part) => (part.kind === "literal" ? part.text : "•"))
    .join("");

describe("a text is split into literal parts and expressions", () => {
  it("gives each part its offsets in the decoded text", () => {
    expect(findExpressions("a ${{ b }} c").parts).toEqual([
      { kind: "literal", text: "a ", start: 0, end: 2 },
      { kind: "expression", text: " b ", start: 2, end: 10, offset: 5 },
      { kind: "literal", text: " c", start: 10, end: 12 },
    ]);
  });

  it.each([
    ["braces of a map", "${{ {'a': {'b': 1}} }}", " {'a': {'b': 1}} "],
    ["braces of a map next to the closing ones", "${{ {'a': {'b': 1}}}}", " {'a': {'b': 1}}"],
    ["braces in single quotes", "${{ '}}' }}", " '}}' "],
    ["braces in double quotes", '${{ "}}" }}', ' "}}" '],
    ["a quote escaped in a string", "${{ 'a\\'}}' }}", " 'a\\'}}' "],
    ["braces in a string of three quotes", '${{ """a"}}""" }}', ' """a"}}""" '],
    ["a raw string", "${{ r'}}\\' }}' }}", " r'}}\\' }}' "],
    ["a quote in a comment", "${{ a // don't }}", " a // don't "],
    ["line breaks", "${{\n a\n}}", "\n a\n"],
    ["a dollar in a string", "${{ '${{ x }}' }}", " '${{ x }}' "],
  ])("does not end an expression early at %s", (_case, text, inner) => {
    const { parts, findings } = findExpressions(text);
    expect(findings).toEqual([]);
    expect(expressionsIn(text)).toEqual([inner]);
    expect(wholeExpression(parts)?.text).toBe(inner);
  });

  it.each([
    ["$${{ literal }}", "${{ literal }}"],
    ["$$${{ x }}", "$${{ x }}"],
    ["$${{ a }} ${{ b }}", "${{ a }} •"],
    ["$ {{ a }} {{ b }} }}", "$ {{ a }} {{ b }} }}"],
    ["${{ a }}$${{ b }}", "•${{ b }}"],
  ])("reads %s as %s", (text, literal) => {
    expect(literalOf(text)).toBe(literal);
    expect(findExpressions(text).findings).toEqual([]);
  });

  it("says that an expression is never closed, from where it opens", () => {
    const { findings, parts } = findExpressions("a ${{ b");
    expect(findings).toMatchObject([{ start: 2, end: 7, kind: "expression", severity: "error" }]);
    expect(findings[0]?.message).toContain("never closed");
    expect(parts).toEqual([{ kind: "literal", text: "a ", start: 0, end: 2 }]);
  });

  it.each([
    ["a string that is not closed", "${{ 'a }} b", " 'a "],
    ["a brace that is not closed", "${{ { }} b ${{ c }}", " { "],
    ["an expression that starts inside", "${{ a ${{ b }} c", " a ${{ b "],
  ])("leaves the mistake inside the expression for %s", (_case, text, first) => {
    expect(expressionsIn(text)[0]).toBe(first);
  });

  it("takes time in proportion to the text, however it is broken", () => {
    for (const piece of ["${{{}}", "${{'}}", '${{"""}}', "${{'''}}${{{", "${{//", "${{ { '"]) {
      const { parts } = findExpressions(piece.repeat(40_000));
      expect(parts.length).toBeLessThanOrEqual(80_000);
    }
  });
});

describe("a text that is one expression keeps the type of its value", () => {
  it.each([
    ["${{ a }}", true],
    ["${{ a }}\n", true],
    [" ${{ a }}", false],
    ["${{ a }} ", false],
    ["${{ a }}${{ b }}", false],
    ["a", false],
    ["", false],
  ])("%j: %s", (text, whole) => {
    expect(wholeExpression(findExpressions(text).parts) !== undefined).toBe(whole);
  });
});

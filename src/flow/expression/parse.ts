// From a text to a tree within bounds, or to what is wrong with it in words.

import { ParseError, type ParseResult } from "@marcbachmann/cel-js";
import {
  MAX_BIND_DEPTH,
  MAX_COMPREHENSION_DEPTH,
  MAX_EXPRESSION_DEPTH,
  MAX_EXPRESSION_LENGTH,
} from "../../limits.js";
import { parseCel } from "./cel.js";
import type { Finding } from "./finding.js";
import { syntaxMistake } from "./syntax.js";
import { asBinding, asComprehension, childrenOf, depthOf, type Node } from "./tree.js";

export type Parsed = { program: ParseResult; tree: Node } | { finding: Finding };

/** Offsets of the finding are in `text`. */
export function parseExpression(text: string): Parsed {
  if (text.length > MAX_EXPRESSION_LENGTH) {
    return cost(
      { start: 0, end: text.length },
      `an expression has at most ${MAX_EXPRESSION_LENGTH} characters, this one has ${text.length}`,
    );
  }
  let program: ParseResult;
  try {
    program = parseCel(text);
  } catch (error) {
    if (error instanceof ParseError) {
      return { finding: syntaxMistake(error, text) };
    }
    if (error instanceof RangeError) {
      return tooDeep(text);
    }
    throw error;
  }
  const tree = program.ast;
  if (depthOf(tree) > MAX_EXPRESSION_DEPTH) {
    return tooDeep(text);
  }
  return deepLoop(tree, 0, 0) ?? { program, tree };
}

function tooDeep(text: string): { finding: Finding } {
  const message = `an expression is nested at most ${MAX_EXPRESSION_DEPTH} levels deep`;
  return cost({ start: 0, end: text.length }, message);
}

function deepLoop(node: Node, loops: number, bindings: number): { finding: Finding } | undefined {
  const loop = asComprehension(node);
  if (loop !== undefined) {
    if (loops === MAX_COMPREHENSION_DEPTH) {
      return cost(
        node,
        `"${loop.name}" stands inside ${loops} other loops over lists, ` +
          `and at most ${MAX_COMPREHENSION_DEPTH} may be nested`,
        'do the inner part in a step of its own, of type "set"',
      );
    }
    return deepest([loop.range], loops, bindings) ?? deepest(loop.inner, loops + 1, bindings);
  }
  const binding = asBinding(node);
  if (binding !== undefined) {
    if (bindings === MAX_BIND_DEPTH) {
      return cost(node, `at most ${MAX_BIND_DEPTH} cel.bind() may be nested`);
    }
    return (
      deepest([binding.value], loops, bindings) ?? deepest([binding.body], loops, bindings + 1)
    );
  }
  return deepest(childrenOf(node), loops, bindings);
}

function deepest(nodes: readonly Node[], loops: number, bindings: number) {
  for (const node of nodes) {
    const found = deepLoop(node, loops, bindings);
    if (found !== undefined) {
      return found;
    }
  }
  return undefined;
}

function cost(
  place: { start: number; end: number },
  message: string,
  suggestion?: string,
): { finding: Finding } {
  const { start, end } = place;
  const finding: Finding = { start, end, kind: "cost", severity: "error", message };
  return { finding: suggestion === undefined ? finding : { ...finding, suggestion } };
}

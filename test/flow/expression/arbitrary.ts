// Arbitrary expressions that mostly fit: each part is made of parts of the right kind, mostly.

import fc from "fast-check";

type Kind = "text" | "number" | "boolean" | "list" | "object" | "any";
type Parts = { [kind in Kind]: fc.Arbitrary<string> };

/** Over a context with `t n i b e ts ns os o m`. */
export function expressions(): fc.Arbitrary<string> {
  return fc.letrec<{ [kind in Kind]: string }>((tie) => {
    const mostly = (kind: Kind) =>
      fc.oneof({ weight: 30, arbitrary: tie(kind) }, { weight: 1, arbitrary: tie("any") });
    const parts: Parts = {
      text: mostly("text"),
      number: mostly("number"),
      boolean: mostly("boolean"),
      list: mostly("list"),
      object: mostly("object"),
      any: tie("any"),
    };
    const any = ["text", "number", "boolean", "list", "object"] as const;
    return {
      text: texts(parts),
      number: numbers(parts),
      boolean: booleans(parts),
      list: lists(parts),
      object: objects(parts),
      any: fc.oneof({ depthSize: "small" }, ...any.map((kind) => tie(kind))),
    };
  }).any;
}

/** Pieces side by side. */
function join(...pieces: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> {
  return fc
    .tuple(...pieces.map((piece) => (typeof piece === "string" ? fc.constant(piece) : piece)))
    .map((all) => all.join(""));
}

const one = (...texts: string[]) => fc.constantFrom(...texts);
const oneOf = (...forms: fc.Arbitrary<string>[]) => fc.oneof({ depthSize: "small" }, ...forms);

function texts({ text: t, number: n, boolean: b, list: l }: Parts): fc.Arbitrary<string> {
  return oneOf(
    one("context.t", "context.e", "context.o.t", "'a'", "''", "'5'", "context['t']"),
    join("(", t, " + ", t, ")"),
    join("string(", fc.oneof(t, n, b), ")"),
    join(t, one(".trim()", ".lowerAscii()", ".upperAscii()", ".substring(0)")),
    join(t, ".substring(", n, ")"),
    join(l, ".map(z, string(z)).join(',')"),
    join("(", b, " ? ", t, " : ", t, ")"),
    join("context.ts[", n, "]"),
    join("bytes(", t, one(").base64()", ").hex()", ").string()")),
    join("cel.bind(v, ", t, ", v + v)"),
    join("context.?t.orValue(", t, ")"),
    join("string(timestamp(", t, "))"),
  );
}

function numbers({ text: t, number: n, boolean: b, list: l, object: o }: Parts) {
  return oneOf(
    one("context.n", "context.i", "context.o.n", "1", "0", "2.5", "-1", "context.ns[0]"),
    join("(", n, one(" + ", " - ", " * ", " / ", " % "), n, ")"),
    join("size(", fc.oneof(t, l, o), ")"),
    join("-", n),
    join(one("int(", "double("), fc.oneof(t, n), ")"),
    join(t, ".indexOf(", t, ")"),
    join("(", b, " ? ", n, " : ", n, ")"),
    join("context.m[", t, "]"),
    join("timestamp(", n, ").getFullYear()"),
    join("cel.bind(v, ", n, ", v * v)"),
  );
}

function booleans({ text: t, number: n, boolean: b, list: l, object: o }: Parts) {
  return oneOf(
    one("context.b", "true", "false", "has(context.m.a)", "has(context.os[0].t)"),
    join("(", n, one(" < ", " <= ", " > ", " >= ", " == ", " != "), n, ")"),
    join("(", t, one(" < ", " == ", " != "), t, ")"),
    join("(", b, one(" && ", " || "), b, ")"),
    join("!", b),
    join(t, one(".contains(", ".startsWith(", ".matches("), t, ")"),
    join(l, one(".exists(", ".all(", ".exists_one("), "x, x == ", fc.oneof(n, t), ")"),
    join("(", n, " in ", l, ")"),
    join("(", t, " in ", o, ")"),
    join("(", l, " == ", l, ")"),
    join("(", o, " == ", o, ")"),
  );
}

function lists({ text: t, number: n, list: l }: Parts): fc.Arbitrary<string> {
  return oneOf(
    one("context.ts", "context.ns", "[]", "[1, 2]", "context.os.map(y, y.n)"),
    join("(", l, " + ", l, ")"),
    join("[", fc.oneof(n, t), ", ", fc.oneof(n, t), "]"),
    join(l, ".filter(x, x != ", fc.oneof(n, t), ")"),
    join(l, ".map(x, x == ", fc.oneof(n, t), " ? 1 : 2)"),
    join(l, ".map(x, [x, ", t, "])"),
    join(t, ".split(", t, ")"),
  );
}

function objects({ text: t, number: n, boolean: b, list: l, object: o }: Parts) {
  return oneOf(
    one("context.o", "context.m", "{}", "context.os[0]", "context"),
    join("{'a': ", fc.oneof(n, t, l), ", 'b': ", fc.oneof(n, b), "}"),
    join("{", t, ": ", n, "}"),
    join("(", b, " ? ", o, " : ", o, ")"),
  );
}

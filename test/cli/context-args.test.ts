// `--context` and `--set`: what they take, what they refuse, and in which words.

import { describe, expect, it } from "vitest";
import { ArgumentMistake, parseContext } from "../../src/cli/context-args.js";

const set = (...sets: string[]) => parseContext(undefined, sets);

function mistake(text: string | undefined, ...sets: string[]): string {
  try {
    parseContext(text, sets);
  } catch (error) {
    expect(error).toBeInstanceOf(ArgumentMistake);
    return (error as Error).message;
  }
  throw new Error(`nothing wrong was found in ${text} ${sets}`);
}

describe("--set", () => {
  it("given numbers, booleans and null, keeps their types", () => {
    expect(set("a=1", "b=-2.5", "c=1e3", "d=true", "e=false", "f=null")).toEqual({
      a: 1,
      b: -2.5,
      c: 1000,
      d: true,
      e: false,
      f: null,
    });
  });

  it("given anything that is no JSON, keeps the text", () => {
    expect(set("a=Ada", "b=", "c=a=b", "d=007", "e=1.2.3", "f=True", "g=http://x/?q=1")).toEqual({
      a: "Ada",
      b: "",
      c: "a=b",
      d: "007",
      e: "1.2.3",
      f: "True",
      g: "http://x/?q=1",
    });
  });

  it("given a number that JavaScript would round or overflow, keeps it as text", () => {
    expect(set("a=12345678901234567890", "b=1e999", "c=9007199254740991")).toEqual({
      a: "12345678901234567890",
      b: "1e999",
      c: 9007199254740991,
    });
  });

  it("given JSON, takes it as such; a quoted number is a string", () => {
    expect(set('a={"b":[1,"2"]}', 'c="42"', "d=[]")).toEqual({
      a: { b: [1, "2"] },
      c: "42",
      d: [],
    });
  });

  it("given dots, sets inside; a later one adds to an earlier one", () => {
    expect(set("a.b=1", "a.c.d=x", 'e={"f":1}', "e.g=2")).toEqual({
      a: { b: 1, c: { d: "x" } },
      e: { f: 1, g: 2 },
    });
  });

  it("given a --context as well, is laid over it", () => {
    expect(parseContext('{"a":1,"b":{"c":1}}', ["b.c=2", "b.d=3"])).toEqual({
      a: 1,
      b: { c: 2, d: 3 },
    });
  });

  it("given no key or no equals sign, says what it wants", () => {
    for (const text of ["invoice", "=3", ""]) {
      expect(mistake(undefined, text)).toContain("--set wants key=value");
    }
    expect(mistake(undefined, "a..b=1")).toContain("a key is empty");
    expect(mistake(undefined, "a.=1")).toContain("a key is empty");
  });

  it("given a path through a value that is no object, says which", () => {
    expect(mistake(undefined, "a=1", "a.b=2")).toContain("a is already a number");
    expect(mistake(undefined, "a.b=[1]", "a.b.c=2")).toContain("a.b is already a list");
    expect(mistake(undefined, "a=null", "a.b=2")).toContain("a is already null");
  });

  it("given a value that begins like JSON but is not, shows how to quote it", () => {
    expect(mistake(undefined, "note=[urgent] call")).toContain('"[urgent] call"');
  });

  it("given keys that JavaScript gives a meaning, refuses them, and no prototype changes", () => {
    for (const text of ["__proto__.x=1", "a.constructor=1", 'a={"b":{"__proto__":{}}}']) {
      expect(mistake(undefined, text)).toContain("is not allowed");
    }
    expect(({} as { x?: number }).x).toBeUndefined();
    expect(set("toString=1", "hasOwnProperty.x=2")).toEqual({
      toString: 1,
      hasOwnProperty: { x: 2 },
    });
  });

  it("given more levels than a context may have, refuses", () => {
    expect(mistake(undefined, `${"a.".repeat(100)}a=1`)).toContain("levels deep");
    expect(mistake(undefined, `a=${"[".repeat(101)}${"]".repeat(101)}`)).toContain("levels deep");
  });
});

describe("--context", () => {
  it("given nothing, is an empty object", () => {
    expect(parseContext(undefined, [])).toEqual({});
  });

  it("given an object, is that object", () => {
    expect(parseContext('{"invoice": 42}', [])).toEqual({ invoice: 42 });
  });

  it("given another JSON value, says which, and shows an object", () => {
    expect(mistake("[1]")).toContain("must be a JSON object, not a list");
    expect(mistake("null")).toContain("not null");
    expect(mistake("3")).toContain("not a number");
  });

  it("given what is no JSON, repeats what the parser says", () => {
    expect(mistake("{invoice: 42}")).toMatch(/--context is not JSON: .+Example/);
  });

  it("given a forbidden key or a huge text, refuses", () => {
    expect(mistake('{"a":{"constructor":1}}')).toContain("is not allowed");
    expect(mistake(`{"a":"${"x".repeat(1024 * 1024)}"}`)).toContain("is small");
  });
});

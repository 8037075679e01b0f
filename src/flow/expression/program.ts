// An expression compiled once and run often, with every error turned into one of ours.

import type { ParseResult } from "@marcbachmann/cel-js";
import { MAX_COMPILED_EXPRESSIONS } from "../../limits.js";
import type { Json } from "../json.js";
import { Cache } from "./cache.js";
import type { Finding } from "./finding.js";
import { toCel, toJson } from "./json-value.js";
import { type Mishap, MishapError, mishapOf } from "./mishap.js";
import { parseExpression } from "./parse.js";
import { type Keeper, prepare } from "./prepare.js";
import { type FreeNames, freeNames, isAccess, literalKey, type Node } from "./tree.js";
import { isWorkSpent, startWork, WorkSpent } from "./work.js";

/**
 * The values of the roots. Secrets are never among them. Values are plain JSON that no one changes
 * afterwards: what has been looked through once is not looked through again.
 */
export interface Scope {
  readonly [root: string]: Json | Members | undefined;
}

/** A root of which most expressions read a member or two, out of many that change all the time. */
export class Members {
  constructor(
    readonly get: (name: string) => Json | undefined,
    readonly names: () => Iterable<string>,
  ) {}
}

export type Program = Runnable | Broken | SecretName;

interface Runnable {
  kind: "runnable";
  run: ParseResult;
  /** The roots it reads. */
  names: FreeNames;
  keepers: readonly Keeper[];
}

/** What a check would have refused. */
interface Broken {
  kind: "broken";
  mishap: Mishap;
}

/** `secrets.NAME` and nothing else. */
interface SecretName {
  kind: "secret";
  name: string;
  end: number;
}

const programs = new Cache<Program>(MAX_COMPILED_EXPRESSIONS);

/** Compiled once, for all runs. */
export function compile(text: string): Program {
  return programs.get(text, compileOnce);
}

/** The value, or a `MishapError`. */
export function run(program: Program, scope: Scope): Json {
  if (program.kind !== "runnable") {
    throw new MishapError(program.kind === "broken" ? program.mishap : loose(program));
  }
  startWork();
  try {
    const values: { [root: string]: unknown } = Object.create(null);
    for (const [name, read] of program.names) {
      if (Object.hasOwn(scope, name)) {
        values[name] = toCel(rootValue(scope[name], read));
      }
    }
    const value = toJson(program.run(values));
    if (isWorkSpent()) {
      // An `||` or an `all` can hide the error, but not the cost.
      throw new WorkSpent();
    }
    return value;
  } catch (error) {
    throw new MishapError(mishapOf(error, program.run.ast));
  } finally {
    for (const keeper of program.keepers) {
      keeper.release();
    }
  }
}

function rootValue(
  root: Scope[string],
  { whole, members }: { whole: boolean; members: Iterable<string> },
): Json | undefined {
  if (!(root instanceof Members)) {
    return root;
  }
  const entries: [string, Json][] = [];
  for (const name of whole ? root.names() : members) {
    const member = root.get(name);
    if (member !== undefined) {
      entries.push([name, member]);
    }
  }
  return Object.fromEntries(entries);
}

/** For a check, which looks at a text once: a thousand files need not push each other out. */
export function compileOnce(text: string): Program {
  const parsed = parseExpression(text);
  if ("finding" in parsed) {
    return broken(parsed.finding);
  }
  const { program, tree } = parsed;
  const names = freeNames(tree);
  if (names.has("secrets")) {
    const name = secretNamed(tree);
    return name === undefined
      ? { kind: "broken", mishap: { ...SECRET_INSIDE, start: tree.start, end: tree.end } }
      : { kind: "secret", name, end: tree.end };
  }
  const keepers = prepare(tree);
  const checked = program.check();
  if (checked.error !== undefined) {
    return { kind: "broken", mishap: mishapOf(checked.error, tree) };
  }
  return { kind: "runnable", run: program, names, keepers };
}

/** `secrets.NAME` or `secrets["NAME"]`: the name. */
export function secretNamed(tree: Node): string | undefined {
  const direct = isAccess(tree) && (tree.op === "." || tree.op === "[]");
  const [root] = direct ? tree.args : [];
  return direct && root?.op === "id" && root.args === "secrets" ? literalKey(tree) : undefined;
}

function broken({ kind, message, start, end }: Finding): Broken {
  return {
    kind: "broken",
    mishap: { kind: kind === "cost" ? "cost" : "syntax", message, start, end },
  };
}

const SECRET_INSIDE = {
  kind: "secret",
  message: "a secret can only stand alone between its braces, in a step's config",
} as const;

function loose({ end }: SecretName): Mishap {
  return { ...SECRET_INSIDE, start: 0, end };
}

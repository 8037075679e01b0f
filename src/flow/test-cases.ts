// From a checked test file to its cases: defaults filled in, durations in ms.

import { parseDuration } from "./duration.js";
import type { Json, JsonObject } from "./json.js";
import { Lines } from "./lines.js";
import { get } from "./model.js";
import {
  type ByAddress,
  DEFAULT_TEST_START,
  type Expected,
  type PersonSays,
  type Stub,
  type TestCase,
} from "./test-case.js";
import type { TextNode } from "./tree.js";

export function toCases(root: TextNode, text: string): TestCase[] {
  const lines = new Lines(text);
  return (get(root, "cases")?.items ?? []).map((node) => {
    const place = lines.position(get(node, "name")?.start ?? node.start);
    return { ...toCase(node.json as JsonObject), ...place };
  });
}

function toCase(given: JsonObject): Omit<TestCase, "line" | "column"> {
  return {
    name: String(given.name),
    context: (given.context as JsonObject | undefined) ?? {},
    at: Date.parse(String(given.at ?? DEFAULT_TEST_START)),
    trigger: (given.trigger as JsonObject | undefined) ?? { type: "manual" },
    maps: isMapped(given),
    stubs: eachOf(given.stubs, toStub),
    signals: ((given.signals ?? []) as JsonObject[]).map(({ name, data, after }) => ({
      name: String(name),
      data: data ?? null,
      after_ms: ms(after),
    })),
    answers: eachOf(given.answers, toAnswer),
    expect: toExpected((given.expect as JsonObject | undefined) ?? {}),
  };
}

/** Without a context of its own, a case that something else than a person starts. */
export function isMapped({ context, trigger }: JsonObject): boolean {
  const type = (trigger as JsonObject | undefined)?.type;
  return context === undefined && type !== undefined && type !== "manual";
}

function eachOf<T>(given: Json | undefined, read: (value: Json) => T): ByAddress<T> {
  const entries = Object.entries((given ?? {}) as JsonObject);
  return Object.fromEntries(
    entries.map(([address, value]) => [
      address,
      Array.isArray(value) ? value.map(read) : read(value),
    ]),
  );
}

function toStub(given: Json): Stub {
  const { output, error, after } = given as JsonObject;
  if (error === undefined) return { after_ms: ms(after), output: output ?? null };
  const { retry_after, ...failure } = error as JsonObject;
  const asked = retry_after === undefined ? {} : { retry_after_ms: ms(retry_after) };
  return { after_ms: ms(after), error: { ...failure, ...asked } };
}

function toAnswer(given: Json): PersonSays | null {
  if (given === null) return null;
  const { approved, comment, after } = given as JsonObject;
  const said = typeof comment === "string" ? comment : null;
  return { approved: approved === true, comment: said, after_ms: ms(after) };
}

function toExpected({ elapsed, output, ...given }: JsonObject): Expected {
  return {
    ...(given as unknown as Expected),
    ...(output === undefined ? {} : { outputs: output }),
    ...(elapsed === undefined ? {} : { elapsed_ms: ms(elapsed) }),
  };
}

function ms(value: Json | undefined): number {
  return parseDuration(value ?? 0) ?? 0;
}

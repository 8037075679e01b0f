// Definitions written into the text of a flow file: what people wrote beside them stays.

import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { JsonObject } from "../../../src/flow/json.js";
import { editedText, newText } from "../../../src/hosts/local/flow-edit.js";

const TEXT = `# Reminds of invoices.
# Owner: billing

id: reminder # never change this
name: "Reminder"

steps:
  # First we wait.
  - id: pause
    type: delay
    config: { seconds: 2 } # short
    next_step_id: send

  # Then we tell them.
  - id: send
    type: webhook
    config:
      url: http://127.0.0.1:8001/notify # the subscriber
      headers: { x-team: 'billing' }
    next_step_id: null
`;

describe("given a flow file with comments, when a definition is written into it", () => {
  test("that says the same, then not a byte changes", () => {
    expect(edited(TEXT, (definition) => definition)).toBe(TEXT);
  });

  test("that changes a value, then only that value changes", () => {
    const text = edited(TEXT, (definition) => {
      step(definition, 0).config = { seconds: 30 };
      return definition;
    });
    expect(text).toBe(TEXT.replace("seconds: 2 }", "seconds: 30 }"));
  });

  test("that changes a quoted text with a comment, then quotes and comment stay", () => {
    const text = edited(TEXT, (definition) => ({ ...definition, name: "Reminders" }));
    expect(text).toBe(TEXT.replace('"Reminder"', '"Reminders"'));
  });

  test("that has a new key and lacks another, then all else stays", () => {
    const text = edited(TEXT, ({ name: _name, ...definition }) => ({
      ...definition,
      timeout: "5m",
    }));
    expect(text).toBe(`${TEXT.replace('name: "Reminder"\n', "")}timeout: 5m\n`);
  });

  test("that has a new step in front, then each step keeps its comments", () => {
    const text = edited(TEXT, (definition) => {
      const steps = definition.steps as JsonObject[];
      const first = { id: "first", type: "delay", config: { seconds: 1 }, next_step_id: "pause" };
      return { ...definition, steps: [first, ...steps] };
    });
    expect(text).toContain("  # First we wait.\n  - id: pause\n");
    expect(text).toContain("  # Then we tell them.\n  - id: send\n");
    expect(text).toContain("{ seconds: 2 } # short\n");
  });

  test("that has the steps in another order, then comments move along", () => {
    const text = edited(TEXT, (definition) => ({
      ...definition,
      steps: (definition.steps as JsonObject[]).toReversed(),
    }));
    expect(text.indexOf("# Then we tell")).toBeLessThan(text.indexOf("# First we wait"));
    expect(text).toContain("# First we wait.\n  - id: pause\n");
  });

  test("whose values are all of another kind, then they are all written", () => {
    const definition = { id: ["a"], name: { b: null }, steps: "c" };
    expect(parse(editedText("a.yaml", TEXT, definition) ?? "")).toEqual(definition);
  });
});

describe("given a flow file with anchors and aliases, when a definition is written into it", () => {
  const shared = `id: a
common: &headers { x-team: billing } # shared
one: { headers: *headers }
two: { headers: *headers }
`;

  test("that says the same, then the aliases stay", () => {
    expect(edited(shared, (definition) => definition)).toBe(shared);
  });

  test("that changes the shared part for one only, then each says what is meant", () => {
    const definition = {
      id: "a",
      common: { "x-team": "sales" },
      one: { headers: { "x-team": "billing" } },
      two: { headers: { "x-team": "billing" } },
    };
    expect(parse(editedText("a.yaml", shared, definition) ?? "")).toEqual(definition);
  });

  test("that lacks the anchored part, then what its aliases said is written out", () => {
    const definition = { id: "a", two: { headers: { "x-team": "billing" } } };
    expect(parse(editedText("a.yaml", shared, definition) ?? "")).toEqual(definition);
  });
});

describe("given a text, when it is edited or made new", () => {
  test("and it is no YAML, then nothing can be kept of it", () => {
    expect(editedText("a.yaml", "id: [", { id: "a" })).toBeUndefined();
  });

  test("and its file is JSON, then it stays JSON", () => {
    expect(editedText("a.json", '{"id":"a"}', { id: "b" })).toBe('{\n  "id": "b"\n}\n');
  });

  test.each([
    "${{ context.x }}",
    "a: b",
    "x # y",
    "null",
    "1e3",
    "- a",
    "*a",
    "two\nlines",
    " padded ",
    "x".repeat(300),
    "",
  ])("and a text in it is %j, then it reads back as it was", (value) => {
    const definition = { id: "a", value, list: [value], map: { [value]: value } };
    expect(parse(newText("a.yaml", definition))).toEqual(definition);
    const flow = 'id: a\nvalue: "b"\nlist: [b]\nmap: { c: d }\n';
    expect(parse(editedText("a.yaml", flow, definition) ?? "")).toEqual(definition);
  });

  test("and a part of it occurs twice, then it is written twice, without aliases", () => {
    const part = { x: 1 };
    expect(newText("a.yaml", { one: part, two: part })).toBe("one:\n  x: 1\ntwo:\n  x: 1\n");
  });
});

function edited(text: string, change: (definition: JsonObject) => JsonObject): string {
  const definition = change(structuredClone(parse(text)) as JsonObject);
  const result = editedText("a.yaml", text, definition) ?? "";
  expect(parse(result)).toEqual(definition);
  return result;
}

function step(definition: JsonObject, index: number): JsonObject {
  return (definition.steps as JsonObject[])[index]!;
}

// `flows fmt`: keys in one order, comments kept, and nothing changed the second time.

import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { check } from "../../src/flow/check.js";
import { formatFlow, formatTest } from "../../src/flow/format.js";
import { whole } from "./whole.js";

const format = (text: string) => {
  const { text: formatted, diagnostics } = formatFlow(text, "w.yaml", whole);
  expect(diagnostics).toEqual([]);
  expect(formatFlow(formatted!, "w.yaml", whole).text).toBe(formatted);
  return formatted!;
};

test("given keys in any order, then the schemas order them, and comments stay beside", () => {
  const text = `# yaml-language-server: $schema=../schemas/workflow.schema.json
name: Send   # for people
id:   w

# What is done.
steps:
    # first wait
    - type: delay
      id: pause   # a moment
      next_step_id: send
      config: {seconds: 1}


    - config:
        body: { b: 1, a: 2 }
        # where to
        url: http://x.example
      id: send
      retry: { when: error.status == 503, max_attempts: 2 }
      type: webhook
# the end
`;
  expect(format(text)).toBe(`# yaml-language-server: $schema=../schemas/workflow.schema.json
id: w
name: Send # for people

# What is done.
steps:
  # first wait
  - id: pause # a moment
    type: delay
    config: { seconds: 1 }
    next_step_id: send

  - id: send
    type: webhook
    config:
      # where to
      url: http://x.example
      body: { b: 1, a: 2 }
    retry: { max_attempts: 2, when: error.status == 503 }

# the end
`);
});

test("given a comment behind a key, then it stays there, and those below stay below", () => {
  const text = `id: w
steps: # in this order
  # first
  - id: a
    type: webhook
    config: # two
      url: http://x.example
      body: [1] # three
    output:   # four
      # five
      type: object
`;
  expect(format(text)).toBe(text.replace("   # four", " # four"));
});

test("given JSON, then it stays JSON", () => {
  const text = '{"steps":[{"type":"delay","id":"a","config":{"seconds":1}}],"id":"w"}';
  expect(format(text)).toBe(`{
  "id": "w",
  "steps": [
    {
      "id": "a",
      "type": "delay",
      "config": {
        "seconds": 1
      }
    }
  ]
}
`);
});

test("given an alias that would come before its anchor, then the order stays", () => {
  const text = `id: w
steps:
  - next_step_id: &next b
    id: a
    type: branch
    config: { cases: [{ when: context.x, next_step_id: *next }], otherwise: null }
  - { id: b, type: delay, config: { seconds: 1 } }
`;
  expect(format(text)).toBe(text);
});

test("given a text that is no YAML, then it is said where", () => {
  const { text, diagnostics } = formatFlow("id: [", "w.yaml", whole);
  expect(text).toBeUndefined();
  expect(diagnostics.map(({ kind }) => kind)).toEqual(["syntax"]);
});

test("given blanks that count in a block scalar, then they are kept", () => {
  const text = "id: w\ndescription: |\n  one  \n  two\nsteps: []\n";
  expect(format(text)).toBe(text);
  const untidy = "steps: []\ndescription: |\n  one  \n  two\nid: w\n";
  expect(format(untidy)).toBe("id: w\ndescription: |\n  one  \n  two\nsteps: []\n");
});

test("given triggers, and steps inside a step, then their keys are ordered", () => {
  const text = `id: w
triggers:
  - { timezone: UTC, cron: 0 9 * * 1, type: schedule }
steps:
  - id: both
    type: parallel
    config:
      branches:
        one: { steps: [{ type: delay, id: a, config: { seconds: 1 } }] }
  - id: each
    type: foreach
    config:
      steps: [{ type: delay, id: b, config: { seconds: 1 } }]
      items: [1]
`;
  const ordered = text
    .replace(/{ (timezone: UTC), (cron: 0 9 .*), (type: schedule) }/, "{ $3, $2, $1 }")
    .replace("type: delay, id: a", "id: a, type: delay")
    .replace("type: delay, id: b", "id: b, type: delay")
    .replace(/( +steps: \[{ id: b.*\n)( +items: .*\n)/, "$2$1");
  expect(format(text)).toBe(ordered);
});

const samples = ["ok", "err"].flatMap((folder) => {
  const url = new URL(`${folder}/`, import.meta.url);
  return readdirSync(url)
    .filter((name) => /\.(ya?ml|json)$/.test(name))
    .map((name) => ({ name: `${folder}/${name}`, text: readFileSync(new URL(name, url), "utf8") }));
});

test.each(samples)("given $name, then its meaning and its diagnostics' kinds stay", ({ text }) => {
  const { text: formatted } = formatFlow(text, "w.yaml", whole);
  if (formatted === undefined) {
    return;
  }
  expect(parse(formatted)).toEqual(parse(text.replace(/^\ufeff/, "")));
  expect(formatFlow(formatted, "w.yaml", whole).text).toBe(formatted);
  const said = (file: string) => {
    const { workflow, diagnostics } = check(file, "w.yaml", whole);
    return { workflow, kinds: diagnostics.map(({ kind }) => kind).sort() };
  };
  expect(said(formatted)).toEqual(said(text));
});

const own = ["flows", "docs/examples/own-step-types/flows"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => `${folder}/${name}`),
);

test.each(own)("given %s of this repository, then it is laid out already", (file) => {
  const text = readFileSync(file, "utf8");
  const isTest = file.endsWith(".test.yaml");
  expect((isTest ? formatTest(text, file) : formatFlow(text, file, whole)).text).toBe(text);
});

test("given files with pieces moved, then formatting twice is formatting once", () => {
  const pieces = fc.constantFrom(
    "\n",
    "  ",
    "# c\n",
    " # c",
    "\n\n",
    "- ",
    "{",
    "}",
    "a: 1\n",
    '"',
  );
  const changes = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), pieces), {
    maxLength: 5,
  });
  const texts = samples.filter(({ text }) => text.length < 3_000).map(({ text }) => text);
  let formattedOnce = 0;
  fc.assert(
    fc.property(fc.constantFrom(...texts), changes, (sample, put) => {
      let text = sample;
      for (const [at, piece] of put) {
        const from = Math.floor(at * text.length);
        text = text.slice(0, from) + piece + text.slice(from);
      }
      const { text: formatted } = formatFlow(text, "w.yaml", whole);
      if (formatted !== undefined) {
        formattedOnce += 1;
        expect(formatFlow(formatted, "w.yaml", whole).text).toBe(formatted);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(formattedOnce).toBeGreaterThan(100);
});

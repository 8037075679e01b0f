// From a flow file to a workflow: what normal form is, and what is seen across files.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { catalog } from "../../src/connectors/index.js";
import { check, checkFolder } from "../../src/flow/check.js";

const workflow = (text: string) => {
  const checked = check(text, "w.yaml", catalog);
  expect(checked.diagnostics).toEqual([]);
  return checked.workflow!;
};

const seed = readFileSync(new URL("ok/seed.json", import.meta.url), "utf8");

test("given the seed's sample, then JSON and YAML give one workflow", () => {
  const yaml = readFileSync(new URL("ok/seed.yaml", import.meta.url), "utf8");
  expect(workflow(seed)).toEqual(workflow(yaml));
  expect(workflow(seed)).toEqual({
    ...(parse(seed) as object),
    max_steps: 10_000,
    steps: [
      {
        id: "delay_step",
        type: "delay",
        config: { seconds: 2 },
        next_step_id: "send_reminder",
      },
      {
        id: "send_reminder",
        type: "webhook",
        config: { url: "http://127.0.0.1:8001/notify" },
        next_step_id: null,
        timeout_ms: 30_000,
      },
    ],
  });
});

test("given what may be left out, then normal form has it", () => {
  const text = `
id: w
timeout: 4h
defaults: { timeout: 10s, retry: { max_attempts: 5, delay: 2s, jitter: 0.5 } }
on_error: { next_step_id: c }
steps:
  - { id: a, type: delay, config: { for: 1m } }
  - id: b
    type: webhook
    config: { url: "http://x.example" }
    retry: { backoff: linear, when: error.status == 503 }
    delivery: at_most_once
    next_step_id: null
  - { id: c, type: webhook, config: { url: "http://x.example" }, timeout: 1500ms }
`;
  const retry = { max_attempts: 5, delay_ms: 2_000, max_delay_ms: 300_000, jitter: 0.5 };
  expect(workflow(text)).toEqual({
    id: "w",
    name: "w",
    entry_point: "a",
    timeout_ms: 14_400_000,
    max_steps: 10_000,
    on_error: { next_step_id: "c" },
    steps: [
      { id: "a", type: "delay", config: { for: "1m" }, next_step_id: "b" },
      {
        id: "b",
        type: "webhook",
        config: { url: "http://x.example" },
        next_step_id: null,
        timeout_ms: 10_000,
        retry: { ...retry, backoff: "linear", when: "error.status == 503" },
        delivery: "at_most_once",
      },
      {
        id: "c",
        type: "webhook",
        config: { url: "http://x.example" },
        next_step_id: null,
        timeout_ms: 1_500,
        retry: { ...retry, backoff: "exponential" },
      },
    ],
  });
});

test("given an id in two files, then both have the error and neither is served", () => {
  const other = seed.replace("invoice_reminder", "other");
  const checked = checkFolder(
    [
      { file: "a.yaml", text: seed },
      { file: "b.json", text: seed },
      { file: "c.yaml", text: other },
    ],
    catalog,
  );
  expect(checked.map(({ file, workflow }) => [file, workflow?.id])).toEqual([
    ["a.yaml", undefined],
    ["b.json", undefined],
    ["c.yaml", "other"],
  ]);
  expect(checked[0]!.diagnostics).toEqual([
    {
      file: "a.yaml",
      line: 1,
      column: 9,
      end_line: 1,
      end_column: 27,
      kind: "workflow-id",
      severity: "error",
      message: 'the id "invoice_reminder" is also used in b.json',
      suggestion: "give each workflow its own id",
    },
  ]);
  expect(checked[1]!.diagnostics[0]!.message).toContain("a.yaml");
});

test("given a file beyond 256 KiB of UTF-8, then it is not parsed", () => {
  const text = `id: big\nname: ${"é".repeat(131_100)}\n`;
  const { workflow, diagnostics } = check(text, "big.yaml", catalog);
  expect(workflow).toBeNull();
  expect(diagnostics.map(({ kind, message }) => [kind, message])).toEqual([
    ["size", "the file has 262215 bytes; at most 256 KiB are read"],
  ]);
});

test("given characters of three bytes, then they count as three", () => {
  const text = `id: big\nname: ${"€".repeat(87_400)}\n`;
  const { diagnostics } = check(text, "big.yaml", catalog);
  expect(diagnostics.map(({ message }) => message)).toEqual([
    "the file has 262215 bytes; at most 256 KiB are read",
  ]);
});

test.each(["\ud83d", "\ude00", "\ude00\ud83d"])(
  "given half a character (%j), then it is not parsed",
  (half) => {
    const { workflow, diagnostics } = check(`id: w\nname: a${half}b\n`, "w.yaml", catalog);
    expect(workflow).toBeNull();
    expect(diagnostics.map(({ line, column, kind }) => [line, column, kind])).toEqual([
      [2, 8, "syntax"],
    ]);
    expect(diagnostics[0]!.message).toMatch(/^U\+D[8E][03][0D] is half a character, /);
  },
);

test("given a warning alone, then the workflow is served", () => {
  const text = `
id: w
steps:
  - { id: a, type: delay, config: { seconds: 1 }, next_step_id: null }
  - { id: b, type: delay, config: { seconds: 1 } }
`;
  const checked = check(text, "w.yaml", catalog);
  expect(checked.diagnostics.map(({ kind, severity }) => [kind, severity])).toEqual([
    ["unreachable", "warning"],
  ]);
  expect(checked.workflow).not.toBeNull();
});

test("given more mistakes than anyone reads, then the first hundred are reported", () => {
  const keys = Array.from({ length: 300 }, (_, index) => `k${index}: 1`).join("\n");
  expect(check(`id: w\n${keys}\n`, "w.yaml", catalog).diagnostics).toHaveLength(100);
});

test("given an alias, then its values are copies in the workflow", () => {
  const text = `
id: w
steps:
  - { id: a, type: webhook, config: &c { url: "http://x.example", body: { n: 1 } } }
  - { id: b, type: webhook, config: *c }
`;
  const { steps } = workflow(text);
  expect(steps[0]!.config).toEqual(steps[1]!.config);
  expect(steps[0]!.config.body).not.toBe(steps[1]!.config.body);
});

test("given what is not executed yet, then it is refused by name, once each", () => {
  const text = `
id: w
steps:
  - { id: a, type: later, config: {} }
`;
  const later = { ...catalog.delay!, type: "later", config: { type: "object" }, planned: true };
  const known = { ...catalog, later } as typeof catalog;
  const { workflow, diagnostics } = check(text, "w.yaml", known);
  expect(workflow).toBeNull();
  expect(diagnostics.map(({ line, kind, message }) => [line, kind, message])).toEqual([
    [4, "step-type", 'step type "later" is not executed by this version yet'],
  ]);
});

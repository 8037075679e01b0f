// The `log` step: what it hands to the log of its run.

import { expect, test } from "vitest";
import { connectors } from "../../src/connectors/index.js";
import type { Call, Io, Written } from "../../src/engine/ports.js";

const CALL = { type: "log", run_id: "run_1", step_id: "note" } as Call;

async function written(config: Call["config"]): Promise<Written[]> {
  const entries: Written[] = [];
  const io = { log: (entry) => entries.push(entry) } as Pick<Io, "log"> as Io;
  const signal = new AbortController().signal;
  const output = await connectors.log?.run?.({ ...CALL, config }, io, signal);
  expect(output).toBeNull();
  return entries;
}

test("given a message alone, then it is written as information", async () => {
  expect(await written({ message: "hello" })).toEqual([
    { stream: "log", level: "info", text: "hello" },
  ]);
});

test("given a level and data, then they stand beside it", async () => {
  expect(await written({ message: "hello", level: "warn", data: { n: [1] } })).toEqual([
    { stream: "log", level: "warn", text: "hello", data: { n: [1] } },
  ]);
});

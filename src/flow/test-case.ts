// Tests of workflows as plain values: what a test file says, every duration in ms.

import type { Json, JsonObject } from "./json.js";

/** One `*.test.yaml` file. */
export interface FlowTest {
  file: string;
  workflow_id: string;
  cases: TestCase[];
}

/** One run, in virtual time. */
export interface TestCase {
  name: string;
  /** Where its name stands in the file, from 1. */
  line: number;
  column: number;
  context: JsonObject;
  /** ms since 1970: when the run starts. */
  at: number;
  trigger: JsonObject;
  /** The case says what happened, and not the context: the trigger's own `context` makes it. */
  maps: boolean;
  stubs: ByAddress<Stub>;
  signals: SignalSent[];
  /** Null: nobody answers. */
  answers: ByAddress<PersonSays | null>;
  expect: Expected;
}

/**
 * By the address of a step: its id; `hand_over/tell_warehouse` for a step of the workflow that step
 * `hand_over` starts; or the key of one instance as the run's document shows it, for one pass of a
 * loop or one item: `remind_each#0/3/send_reminder#0`.
 */
export type ByAddress<T> = { [address: string]: T | T[] };

/** What the world answers to one attempt. */
export interface Stub {
  after_ms: number;
  output?: Json;
  error?: {
    kind?: string;
    message?: string;
    status?: number;
    exit_code?: number;
    retry_after_ms?: number;
  };
}

export interface SignalSent {
  name: string;
  data: Json;
  after_ms: number;
}

export interface PersonSays {
  approved: boolean;
  comment: string | null;
  after_ms: number;
}

/** All of it must hold; of mappings, the keys that are named. */
export interface Expected {
  status?: string;
  path?: string[];
  elapsed_ms?: number;
  attempts?: { [address: string]: number };
  /** `message` is a part of the message. */
  error?: JsonObject;
  outputs?: Json;
  /** One for every instance of the step, or a list with one for each. */
  steps?: ByAddress<JsonObject>;
  /** One for every call, or a list with one for each. */
  calls?: ByAddress<JsonObject>;
}

/** A Thursday: when runs of tests start that do not say. */
export const DEFAULT_TEST_START = "2026-01-01T00:00:00Z";

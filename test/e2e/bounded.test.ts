// The bound that hostile inputs are held to: a late answer is forgiven once or twice, not always.

import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { BOUND_MS, inTimeTogether, sendAll } from "./bounded.js";

const LATE_MS = BOUND_MS + 20;

test("given an input that is late once, when all are sent, then it is sent again", async () => {
  const sent = await sendAll([input([LATE_MS, 0]), input([0])].values());
  expect([sent.count, sent.again]).toEqual([2, 1]);
});

test("given an input that is late each time, when all are sent, then it is named", async () => {
  const all = [input([0]), input([LATE_MS])].values();
  await expect(sendAll(all)).rejects.toThrow(/^the input: answered after \d+, \d+, \d+ ms/);
});

test("given an answer that is wrong, when all are sent, then it is named", async () => {
  const all = [{ what: "it", send: async () => "200 root:x" }].values();
  await expect(sendAll(all)).rejects.toThrow("it: 200 root:x");
});

test("given one of many that is slow, when they are sent together, then it is found", async () => {
  const send = async (inputs: readonly number[]) => (inputs.includes(5) ? LATE_MS : 0);
  await inTimeTogether([1, 2, 3, 4], send);
  await expect(inTimeTogether([1, 2, 3, 4, 5, 6, 7], send)).rejects.toThrow(/^5: took 270, 270/);
});

/** Takes these ms, one after the other, and the last one again and again. */
function input(took: number[]) {
  let tries = 0;
  const send = async () => {
    await pause(took[Math.min(tries++, took.length - 1)]);
    return undefined;
  };
  return { what: "the input", send };
}

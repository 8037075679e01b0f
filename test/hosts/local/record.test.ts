// Lines of the journal: what is read back, and what is not taken for a record.

import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import {
  BatchBuffer,
  FILLER,
  lineEnd,
  parseRecord,
  skipFiller,
} from "../../../src/hosts/local/record.js";

const hex = (crc: number): string => crc.toString(16).padStart(8, "0");

describe("given a record", () => {
  const json = JSON.stringify({ run_id: "run_é", events: [] });
  const batch = new BatchBuffer().encode(7, 40, ["{}", json]);
  const line = batch.subarray(batch.indexOf("\n", 1) + 1, -1);

  test("when it is written and read, then it is the same", () => {
    expect(parseRecord(line)).toEqual({ batch: 7, first: 40, seq: 41, json });
  });

  test("when its batch is larger than any before, then no byte of it is another", () => {
    const buffer = new BatchBuffer();
    for (const [batch, seq] of [
      [1, 1],
      [9, 99_999],
      [10, 100_000],
      [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 2],
    ] as const) {
      const jsons = ["{}", JSON.stringify("é€😀\n".repeat(seq % 90_000)), '{"a":1}'];
      const lines = buffer.encode(batch, seq, jsons).toString().split("\n");
      expect([lines.shift(), lines.pop()]).toEqual(["", ""]);
      const bodies = jsons.map((text, i) => `${batch} ${seq} ${seq + i} ${text}`);
      expect(lines).toEqual(bodies.map((body) => `${hex(crc32(body))} ${body}`));
    }
  });

  test("when its batch was a large one, then the memory for it is not kept", () => {
    const buffer = new BatchBuffer();
    const large = buffer.encode(1, 1, [JSON.stringify("é".repeat(8_000_000))]);
    expect(large.buffer.byteLength).toBeGreaterThan(16_000_000);
    expect(buffer.encode(2, 2, [json]).buffer.byteLength).toBeLessThan(1_000_000);
  });

  test("when any bit of it is flipped, then it is no record", () => {
    for (let bit = 0; bit < line.length * 8; bit += 1) {
      const flipped = Buffer.from(line);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(parseRecord(flipped), `bit ${bit}`).toBeUndefined();
    }
  });

  test("when it is cut anywhere, then it is no record", () => {
    for (let length = 0; length < line.length; length += 1) {
      expect(parseRecord(line.subarray(0, length)), `${length} bytes`).toBeUndefined();
    }
  });
});

test("given filler of any length, when it is skipped, then the first other byte is next", () => {
  for (const length of [0, 1, FILLER.length - 1, FILLER.length, 2 * FILLER.length + 5]) {
    const bytes = Buffer.concat([Buffer.alloc(length, "\n"), Buffer.from("x\n\n")]);
    expect(skipFiller(bytes, 0)).toBe(length);
    expect(lineEnd(bytes, length)).toBe(length + 1);
    expect(skipFiller(bytes, length + 1)).toBe(bytes.length);
  }
});

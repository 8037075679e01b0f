// Lines of the journal: what is read back, and what is not taken for a record.

import { describe, expect, test } from "vitest";
import {
  encodeRecord,
  FILLER,
  lineEnd,
  parseRecord,
  skipFiller,
} from "../../../src/hosts/local/record.js";

describe("given a record", () => {
  const json = JSON.stringify({ run_id: "run_é", events: [] });
  const line = Buffer.from(encodeRecord(7, 40, 41, json)).subarray(0, -1);

  test("when it is written and read, then it is the same", () => {
    expect(parseRecord(line)).toEqual({ batch: 7, first: 40, seq: 41, json });
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

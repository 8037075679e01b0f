// The frames of a checkpoint: each is what was written, and where it was written, or it is damaged.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { nodeDisk } from "../../../src/hosts/local/disk.js";
import { DamagedFrame, FrameReader, frameEncoder } from "../../../src/hosts/local/frames.js";

const FRAMES = [
  { head: { type: "first" }, parts: [] },
  { head: { type: "one" }, parts: [Buffer.from("abc"), Buffer.from("de")] },
  { head: { type: "two" }, parts: [Buffer.from("xyz"), Buffer.from("\n\n")] },
];

function encoded(): Buffer[] {
  return FRAMES.map(frameEncoder());
}

function read(bytes: Buffer, rooms: number[] = []): { head: object; texts: string[] }[] {
  const folder = mkdtempSync(join(tmpdir(), "flows-frames-"));
  const file = join(folder, "frames");
  writeFileSync(file, bytes);
  const fd = nodeDisk.open(file, "read");
  onTestFinished(() => {
    nodeDisk.close(fd);
    rmSync(folder, { recursive: true });
  });
  const reader = new FrameReader(nodeDisk, fd);
  const frames = [];
  while (!reader.isAtEnd) {
    const { head, parts } = reader.next((size) => {
      rooms.push(size);
      return Buffer.alloc(size);
    });
    frames.push({ head, texts: parts.map(String) });
  }
  return frames;
}

describe("given frames in a file", () => {
  it("when they are read, then they are what was written", () => {
    const bytes = { first: [], one: [3, 2], two: [3, 2] };
    expect(read(Buffer.concat(encoded()))).toEqual([
      { head: { type: "first", bytes: bytes.first }, texts: [] },
      { head: { type: "one", bytes: bytes.one }, texts: ["abc", "de"] },
      { head: { type: "two", bytes: bytes.two }, texts: ["xyz", "\n\n"] },
    ]);
  });

  it("when one is elsewhere, missing or there twice, then it is damaged", () => {
    const [first, one, two] = encoded() as [Buffer, Buffer, Buffer];
    for (const order of [
      [first, two, one],
      [first, two],
      [one, two],
      [first, one, one, two],
    ]) {
      expect(() => read(Buffer.concat(order))).toThrow(DamagedFrame);
    }
  });

  it("when a byte is another one, or the file ends early, then it is damaged", () => {
    const whole = Buffer.concat(encoded());
    for (let at = 0; at < whole.length; at += 1) {
      const flipped = Buffer.from(whole);
      flipped[at] = (whole[at] ?? 0) ^ 1;
      expect(() => read(flipped), `byte ${at}`).toThrow(DamagedFrame);
    }
    const last = whole.length - (encoded()[2]?.length ?? 0);
    for (let end = last + 1; end < whole.length; end += 1) {
      expect(() => read(whole.subarray(0, end)), `cut at ${end}`).toThrow(DamagedFrame);
    }
  });

  it("when a part is long, then it is read whole, and each of its bytes counts", () => {
    const part = Buffer.from(Array.from({ length: 600_000 }, (_, i) => i % 251));
    const bytes = frameEncoder()({ head: {}, parts: [part] });
    expect(read(bytes)[0]?.texts).toEqual([String(part)]);
    for (let at = bytes.length - 1; at > 0; at -= 50_021) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (bytes[at] ?? 0) ^ 1;
      expect(() => read(flipped), `byte ${at}`).toThrow(DamagedFrame);
    }
  });

  it("when one says that it has more than the file, then no memory is taken for it", () => {
    const rooms: number[] = [];
    const frame = `00000000 {"bytes":[4,${2 ** 40}]}\nabcd`;
    expect(() => read(Buffer.from(frame), rooms)).toThrow(DamagedFrame);
    expect(rooms).toEqual([]);
  });
});

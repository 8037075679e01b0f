// Draws run ids: `run_` and a lower-case ULID, so that names sort by the time they were drawn.

import { randomBytes } from "node:crypto";

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** 48 bits of ms since 1970, then 80 bits of chance. */
export function newRunId(now: number): string {
  let time = now;
  let id = "";
  for (let digit = 0; digit < 10; digit++) {
    id = ALPHABET[time % 32] + id;
    time = Math.floor(time / 32);
  }
  for (const byte of pool(16)) id += ALPHABET[byte & 31];
  return `run_${id}`;
}

/** Asking for many bytes at once: each call of randomBytes costs more than an id. */
let bytes = Buffer.alloc(0);
let used = 0;

function pool(count: number): Uint8Array {
  if (used + count > bytes.length) {
    bytes = randomBytes(4096);
    used = 0;
  }
  used += count;
  return bytes.subarray(used - count, used);
}

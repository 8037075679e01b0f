// Reads what a program writes no faster than this process can bear beside its other work.

import type { Readable } from "node:stream";
import { PROCESS_READ_BYTES, PROCESS_READ_PAUSE_MS } from "../../limits.js";

/** To be told of each chunk. */
export function throttle(stream: Readable | null): (chunk: Buffer) => void {
  let read = 0;
  return (chunk) => {
    read += chunk.length;
    if (read < PROCESS_READ_BYTES) return;
    read = 0;
    stream?.pause();
    setTimeout(() => stream?.resume(), PROCESS_READ_PAUSE_MS);
  };
}

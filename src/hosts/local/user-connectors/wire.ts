// What host and connector processes say to each other: JSON, one value a line, over a pipe.

import type { Readable, Writable } from "node:stream";
import type { LogLevel } from "../../../engine/ports.js";
import type { Json, JsonObject } from "../../../flow/json.js";

export type ToChild =
  | { type: "load"; file: string; code: string }
  | { type: "run"; config: JsonObject; context: JsonObject }
  | { type: "abort" };

export type FromChild =
  | { type: "loaded"; definitions: Json[] }
  | { type: "broken"; message: string; stack: string }
  | { type: "log"; level: LogLevel; text: string; data?: Json }
  | { type: "output"; output: Json }
  | { type: "failure"; message: string; kind?: string; retry_after_ms?: number };

/** The pipe's number in the child. */
export const WIRE_FD = 3;

/** Where the child cannot be told any more it is about to end, and that is heard elsewhere. */
export function send(to: Writable, message: ToChild | FromChild): void {
  if (to.writable) to.write(`${JSON.stringify(message)}\n`);
}

/** Calls back for each line; once, and never again, when one is no JSON or longer than allowed. */
export function receive<Message>(
  from: Readable,
  limit: number,
  heard: (message: Message) => void,
  excess: () => void = () => {},
): void {
  let chunks: Buffer[] = [];
  let size = 0;
  let isOver = false;
  const end = () => {
    if (!isOver) excess();
    isOver = true;
    chunks = [];
  };
  const line = (text: string) => {
    let message: Message;
    try {
      message = JSON.parse(text) as Message;
    } catch {
      end();
      return;
    }
    heard(message);
  };
  from.on("data", (chunk: Buffer) => {
    let rest = chunk;
    while (!isOver) {
      const cut = rest.indexOf("\n");
      const piece = cut < 0 ? rest : rest.subarray(0, cut);
      size += piece.length;
      if (size > limit) return end();
      chunks.push(piece);
      if (cut < 0) return;
      const text = Buffer.concat(chunks).toString();
      chunks = [];
      size = 0;
      rest = rest.subarray(cut + 1);
      line(text);
    }
  });
}

// Server-sent events: frames, ids, and chunks that end anywhere.

import { describe, expect, it } from "vitest";
import { type ServerSentEvent, serverSentEvents } from "../../src/cli/sse.js";

async function read(...chunks: string[]): Promise<ServerSentEvent[]> {
  async function* body() {
    for (const chunk of chunks) yield new TextEncoder().encode(chunk);
  }
  const events: ServerSentEvent[] = [];
  for await (const event of serverSentEvents(body())) events.push(event);
  return events;
}

describe("server-sent events", () => {
  const text = 'event: step_completed\nid: 7\ndata: {"a":1}\n\n: a comment\n\ndata: x\ndata: y\n\n';
  const events = [
    { event: "step_completed", id: "7", data: '{"a":1}' },
    { event: "message", id: "7", data: "x\ny" },
  ];

  it("given whole frames, gives name, id and data; the id stays until another comes", async () => {
    expect(await read(text)).toEqual(events);
  });

  it("given a chunk for each character, gives the same", async () => {
    expect(await read(...text)).toEqual(events);
  });

  it("given CR LF line ends in any chunks, gives the same", async () => {
    const windows = text.replaceAll("\n", "\r\n");
    expect(await read(windows)).toEqual(events);
    expect(await read(...windows)).toEqual(events);
  });

  it("given a stream that ends in the middle of an event, drops that event", async () => {
    expect(await read("id: 1\ndata: whole\n\nid: 2\ndata: ha")).toEqual([
      { event: "message", id: "1", data: "whole" },
    ]);
  });
});

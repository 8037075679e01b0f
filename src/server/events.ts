// A run's changes as server-sent events: bounded in number, alive while silent, cut when unread.

import { FINISHED } from "../engine/run.js";
import type { Change } from "../engine/runner.js";
import { MAX_UNREAD_HEARTBEATS } from "../limits.js";
import type { Answer, Clean } from "./answer.js";
import type { Log } from "./log.js";
import { unknownRun } from "./params.js";
import { Problem } from "./problem.js";
import type { Door, Input } from "./route.js";

const STREAM_HEADERS = { "content-type": "text/event-stream" };

type WatchInput = Input<{ run_id: string }, unknown, { "last-event-id"?: string }>;

export async function watchRun(input: WatchInput, door: Door): Promise<Answer | Problem> {
  const { run_id } = input.params;
  if ((await door.host.runner.get(run_id)) === undefined) return unknownRun(run_id);
  if (input.method === "HEAD") return { status: 200, headers: STREAM_HEADERS };
  const leave = door.streams.take();
  if (leave === undefined) {
    return new Problem("busy", `${door.streams.limit} event streams are open already: try later.`);
  }
  const stop = new AbortController();
  const abort = () => stop.abort();
  door.closing.addEventListener("abort", abort);
  const ended = () => {
    abort();
    door.closing.removeEventListener("abort", abort);
    leave();
  };
  if (door.closing.aborted) abort();
  try {
    const answer = await openStream(input, door, stop.signal, ended);
    if (!("body" in answer)) ended();
    return answer;
  } catch (error) {
    ended();
    throw error;
  }
}

async function openStream(
  input: WatchInput,
  door: Door,
  signal: AbortSignal,
  ended: () => void,
): Promise<Answer | Problem> {
  const { runner } = door.host;
  const { run_id } = input.params;
  const after = input.headers["last-event-id"];
  const changes = (await runner.watch(run_id, after, signal))?.[Symbol.asyncIterator]();
  if (changes === undefined) return unknownRun(run_id);
  let first: IteratorResult<Change> | undefined;
  const run = after === undefined ? undefined : await runner.get(run_id);
  if (run !== undefined && FINISHED.has(run.status)) {
    // A browser comes again when a stream ends, unless it is told that there is nothing more.
    first = await changes.next();
    if (first.done === true) return { status: 204 };
  }
  const { heartbeat_ms, log, clean } = door;
  const cut = () => input.outgoing.destroy();
  const body = eventStream({ first, changes, heartbeat_ms, log, clean, cut, ended });
  return { status: 200, body, headers: STREAM_HEADERS };
}

interface StreamOptions {
  /** Read from `changes` already. */
  first: IteratorResult<Change> | undefined;
  changes: AsyncIterator<Change>;
  heartbeat_ms: number;
  log: Log;
  clean: Clean;
  /** Cuts the connection of a client that does not read. */
  cut(): void;
  /** Called once, whoever ended the stream. */
  ended(): void;
}

/** The wire: `id: <change id>`, `event: <event type, or "run">`, `data: {"run": …, "event": …}`. */
function eventStream(options: StreamOptions): ReadableStream<Uint8Array> {
  const { changes, heartbeat_ms, log, clean } = options;
  let heartbeat: NodeJS.Timeout | undefined;
  let { first } = options;
  let unread = 0;
  const end = () => {
    clearInterval(heartbeat);
    options.ended();
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(ENCODER.encode(": the changes of one run\n\n"));
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) {
          unread = 0;
          controller.enqueue(HEARTBEAT);
        } else if (++unread >= MAX_UNREAD_HEARTBEATS) {
          options.cut();
        }
      }, heartbeat_ms);
    },
    async pull(controller) {
      unread = 0;
      try {
        const next = first ?? (await changes.next());
        first = undefined;
        if (next.done !== true) {
          controller.enqueue(ENCODER.encode(frame(next.value, clean)));
          return;
        }
      } catch (error) {
        log.error({ err: error }, "an event stream ended early");
      }
      end();
      closeQuietly(controller);
    },
    cancel() {
      end();
    },
  });
}

const ENCODER = new TextEncoder();
const HEARTBEAT = ENCODER.encode(": still here\n\n");

function frame(change: Change, clean: Clean): string {
  const event = change.type === "event" ? change.event : null;
  const data = clean(JSON.stringify({ run: change.run, event }));
  return `id: ${change.id}\nevent: ${event?.type ?? "run"}\ndata: ${data}\n\n`;
}

/** The client may have gone while the last change was awaited. */
function closeQuietly(controller: ReadableStreamDefaultController<Uint8Array>): void {
  try {
    controller.close();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

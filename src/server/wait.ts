// Waits for the end of a run, for a client that wants the answer in one request.

import type { ServerResponse } from "node:http";
import { FINISHED, type Run } from "../engine/run.js";
import type { Door } from "./route.js";

/** The run as it ended, or as it was when the time was up, the client left or the server closed. */
export async function untilEnd(
  door: Door,
  runId: string,
  wait_ms: number,
  outgoing: ServerResponse,
): Promise<{ ended: boolean; run: Run } | undefined> {
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = setTimeout(abort, wait_ms);
  outgoing.once("close", abort);
  door.closing.addEventListener("abort", abort);
  if (door.closing.aborted) abort();
  try {
    const run = await door.host.runner.ended(runId, stop.signal);
    return run && { ended: FINISHED.has(run.status), run };
  } finally {
    clearTimeout(timer);
    outgoing.off("close", abort);
    door.closing.removeEventListener("abort", abort);
  }
}

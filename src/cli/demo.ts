// `flows demo`: server, subscriber and invoice reminder in one process, from trigger to result.

import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { isRefusal } from "../engine/command.js";
import type { Host } from "../engine/runner.js";
import { ServerError, startServer } from "../server/server.js";
import { type ExitCode, refusalError, runExit } from "./exit.js";
import { abortExit, follow, Narrator } from "./follow.js";
import { openHost } from "./host.js";
import { interruptible } from "./interrupt.js";
import { createLog, type Log } from "./log.js";
import { type Common, type Options, quoted, usage } from "./options.js";
import type { Output } from "./output.js";
import { connect } from "./remote.js";
import { type Received, startSubscriber } from "./subscriber.js";
import { fields } from "./table.js";
import { packageVersion } from "./version.js";

const WORKFLOW_ID = "invoice_reminder";
const CONTEXT = { invoice: 42, customer: "Ada Lovelace", amount: 99.5 };
const SERVER_PORT = 8000;
const SUBSCRIBER_PORT = 8001;

export async function demo(common: Common, _: string[], options: Options): Promise<ExitCode> {
  const seconds = secondsOf(options.delay as string);
  const url = urlOf(options.url as string | undefined);
  const { signal, release } = interruptible();
  const folder = await mkdtemp(join(tmpdir(), "flows-demo-"));
  const store = join(folder, ".workflows");
  const subscriber = url === undefined ? await startSubscriber(SUBSCRIBER_PORT) : undefined;
  const target = url ?? (subscriber?.url as string);
  const flows = await flowsWith({ seconds, url: target }, join(folder, "flows"));
  const log = await createLog(common.output, "warn");
  const host = await openHost({ ...common, flows, store }, { watch: false, drive: true, log });
  try {
    const server = await serverOf(host, log);
    try {
      host.setAddress(server.url);
      introduce({ store, server: server.url, target, flows }, common.output);
      const { runId, exit } = await runOnce(server.url, common.output, signal);
      if (subscriber !== undefined) report(subscriber.received, common.output);
      conclude(join(store, "runs", `${runId}.json`), common.output);
      return exit;
    } finally {
      await server.close();
    }
  } finally {
    await host.close();
    await subscriber?.close();
    release();
  }
}

function secondsOf(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value <= 86_400) return value;
  throw usage(`--delay wants seconds, 0 to 86400, not ${quoted(text)}.`);
}

function urlOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw usage(`--url wants an http or https address, not ${quoted(text)}.`);
}

/** The package's own flows folder; where its reminder must differ, a copy that does. */
async function flowsWith(wanted: { seconds: number; url: string }, copy: string): Promise<string> {
  const flows = fileURLToPath(new URL("../../flows", import.meta.url));
  const file = `${WORKFLOW_ID}.yaml`;
  const document = parseDocument(await readFile(join(flows, file), "utf8"));
  const places: [(string | number)[], string | number][] = [
    [["steps", 0, "config", "seconds"], wanted.seconds],
    [["steps", 1, "config", "url"], wanted.url],
  ];
  if (places.every(([path, value]) => document.getIn(path) === value)) return flows;
  for (const [path, value] of places) document.setIn(path, value);
  await cp(flows, copy, { recursive: true });
  await writeFile(join(copy, file), String(document));
  return copy;
}

async function serverOf(host: Host, log: Log) {
  const start = (port: number) =>
    startServer(host, { host: "127.0.0.1", port, version: packageVersion(), log });
  return start(SERVER_PORT).catch((error) => {
    if (!(error instanceof ServerError) || error.code !== "port_taken") throw error;
    return start(0);
  });
}

function introduce(
  places: { store: string; server: string; target: string; flows: string },
  output: Output,
): void {
  if (output.json) return;
  const { store, server, target, flows } = places;
  const lines: [string, string][] = [
    ["flows", flows],
    ["store", store],
    ["server", server],
    ["webhook to", target],
  ];
  output.result(`${fields(lines, output.colors)}\n`);
  output.result(`POST ${server}/api/workflows/${WORKFLOW_ID}/trigger`);
  output.result(`     ${JSON.stringify({ context: CONTEXT })}`);
}

/** Through the front door, like any other client. */
async function runOnce(
  url: string,
  output: Output,
  signal: AbortSignal,
): Promise<{ runId: string; exit: ExitCode }> {
  const { runner } = connect(url, undefined);
  const answer = await runner.trigger({ workflow_id: WORKFLOW_ID, context: CONTEXT });
  if (isRefusal(answer)) throw refusalError(answer);
  const { run_id: runId, status } = answer;
  if (!output.json) output.result(`202  ${JSON.stringify({ run_id: runId, status })}\n`);
  const narrator = new Narrator(output.result, output.colors);
  const run = await follow({
    runner,
    runId,
    signal,
    onChange: (change) => {
      if (output.json) output.value(change);
      else narrator.show(change);
    },
  });
  return { runId, exit: run ? runExit(run) : abortExit(signal) };
}

function report(received: Received[], output: Output): void {
  if (output.json) return;
  output.result(received.length > 0 ? "\nThe subscriber received" : "\nThe subscriber got nothing");
  for (const { method, path, idempotency_key: key, body } of received) {
    output.result(`${method} ${path}\nidempotency-key: ${key}\n${body}`);
  }
}

function conclude(file: string, output: Output): void {
  if (output.json) return;
  output.result(`\nThe run is a file:\n${file}`);
}

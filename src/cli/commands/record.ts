// `flows record RUN`: turns a run that has ended into a test, with secrets taken out of it.

import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import type { Difference } from "../../engine/expectations.js";
import { Facts } from "../../engine/facts.js";
import { recordedCase } from "../../engine/recorded.js";
import { FINISHED, type Run } from "../../engine/run.js";
import type { ServedWorkflow, Workflows } from "../../engine/runner.js";
import type { Catalog } from "../../flow/catalog.js";
import type { Diagnostic } from "../../flow/diagnostic.js";
import type { JsonObject } from "../../flow/json.js";
import { redact } from "../../flow/redact.js";
import { checkTestFile } from "../../flow/test-file.js";
import type { Workflow } from "../../flow/workflow.js";
import { CliError, EXIT, type ExitCode } from "../exit.js";
import { noSuchRun } from "../follow.js";
import { noSuchWorkflow, runIdOf } from "../ids.js";
import { type Common, type Options, quoted } from "../options.js";
import { createColors, withoutSecrets } from "../output.js";
import { withHost } from "../reach.js";
import { stepTypes } from "../step-types.js";
import { differenceLines } from "../test-report/human.js";
import { shortVersion } from "../words.js";
import { play } from "./test.js";

export async function record(
  common: Common,
  [id = ""]: string[],
  options: Options,
): Promise<ExitCode> {
  const { output } = common;
  const runId = runIdOf(id);
  const { run, served } = await withHost(common, { for: "look" }, async ({ host }) => {
    const found = await host.runner.get(runId);
    if (found === undefined) throw noSuchRun(id);
    return { run: found, served: await servedOf(found, host.workflows) };
  });
  refuseUnfinished(run);
  const { workflow, version } = served;
  if (version !== run.workflow_version) {
    const [then, now] = [shortVersion(run.workflow_version), shortVersion(version)];
    output.say(`The run is of version ${then}; the test is for the present one, ${now}.`);
  }
  const { catalog } = await stepTypes(common.flows, []);
  const recorded = best(run, { workflow, catalog });
  await write(recorded.text, options.output as string | undefined, common);
  for (const each of recorded.assumed) output.say(`Assumed: ${each}.`);
  if (recorded.wrong.length === 0) return EXIT.done;
  output.say("The test does not pass as it stands; correct it by hand where it says:");
  for (const line of recorded.wrong) output.say(`  ${line}`);
  return EXIT.failed;
}

async function servedOf(
  run: Run,
  workflows: Workflows,
): Promise<ServedWorkflow & { workflow: Workflow }> {
  const served = await workflows.get(run.workflow_id);
  const workflow = served?.workflow;
  if (!served || !workflow) throw await noSuchWorkflow(run.workflow_id, workflows);
  return { ...served, workflow };
}

function refuseUnfinished(run: Run): void {
  if (FINISHED.has(run.status) && run.status !== "cancelled") return;
  throw new CliError(
    EXIT.failed,
    `Run ${run.id} is ${run.status}: only one that has completed or failed becomes a test.`,
    FINISHED.has(run.status) ? undefined : "wait for its end with flows watch",
  );
}

interface Written {
  text: string;
  assumed: string[];
  /** Why it does not pass as it stands. */
  wrong: string[];
}

/** What failed in the attempts that a document does not keep: the first guess that fits. */
const GUESSES: readonly JsonObject[] = [
  { status: 503 },
  { kind: "network" },
  { status: 429 },
  { kind: "timeout" },
];

interface About {
  workflow: Workflow;
  catalog: Catalog;
}

function best(run: Run, about: About): Written {
  const [first, ...others] = GUESSES.map((guess) => () => written(run, about, guess));
  const found = (first as () => Written)();
  if (found.wrong.length === 0) return found;
  for (const other of others) {
    const next = other();
    if (next.wrong.length === 0) return next;
  }
  return found;
}

function written(run: Run, about: About, guess: JsonObject): Written {
  const { workflow, catalog } = about;
  const { case: recorded, assumed } = recordedCase(run, workflow, catalog, guess);
  const before = playText(toText(run, [recorded]), about);
  // The path is what the present version does; what the document knows of it is checked below.
  const path = before.path === undefined ? {} : { path: before.path };
  const whole = { ...recorded, expect: { ...(recorded.expect as JsonObject), ...path } };
  const text = withoutSecrets(toText(run, [redact(whole)]));
  const { wrong } = playText(text, about);
  return { text, assumed, wrong: [...wrong, ...missed(run, before.path)] };
}

/** Steps of the run that the test does not come to. */
function missed(run: Run, path: string[] | undefined): string[] {
  const began = Object.entries(run.steps).filter(([, { status, attempt }]) => {
    return status !== "skipped" && status !== "pending" && attempt > 0;
  });
  const lost = began.map(([id]) => id).filter((id) => path !== undefined && !path.includes(id));
  return lost.length === 0 ? [] : [`the run came to ${lost.join(", ")}, and the test does not`];
}

function toText(run: Run, cases: unknown[]): string {
  const head = [
    "# yaml-language-server: $schema=../schemas/flow-test.schema.json",
    `# Recorded from ${run.id}; what looked like a secret is REDACTED.`,
  ];
  const value = { workflow: run.workflow_id, cases };
  const body = stringify(value, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `${head.join("\n")}\n${body}`;
}

function playText(
  text: string,
  { workflow, catalog }: About,
): { wrong: string[]; path?: string[] } {
  const workflows = new Map([[workflow.id, workflow]]);
  const { test, diagnostics } = checkTestFile(text, "test", { workflows, catalog });
  const [first] = test?.cases ?? [];
  if (first === undefined) return { wrong: diagnostics.map(sentence) };
  const { rehearsal, differences } = play(first, { workflow, workflows, catalog });
  return { wrong: differences.flatMap(inLines), path: new Facts(rehearsal).path };
}

const PLAIN = createColors(false);

function sentence({ line, column, message }: Diagnostic): string {
  return `${line}:${column}: ${message}`;
}

function inLines(difference: Difference): string[] {
  return differenceLines(difference, PLAIN);
}

async function write(text: string, file: string | undefined, { output }: Common): Promise<void> {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  await writeFile(file, text, { flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    const hint = "name another file, or add the case to this one by hand";
    throw new CliError(EXIT.usage, `${quoted(file)} is there already.`, hint);
  });
  output.say(`Written to ${file}.`);
}

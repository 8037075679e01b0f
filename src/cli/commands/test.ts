// `flows test`: plays the cases of test files in virtual time, without a store and a network.

import { type Coverage, coverage } from "../../engine/coverage.js";
import { differences } from "../../engine/expectations.js";
import type { Call } from "../../engine/ports.js";
import { rehearse, type Stage } from "../../engine/rehearse.js";
import type { Catalog } from "../../flow/catalog.js";
import type { JsonObject } from "../../flow/json.js";
import type { TestCase } from "../../flow/test-case.js";
import type { Workflow } from "../../flow/workflow.js";
import { triggeredCase } from "../../triggers/rehearsal.js";
import { refusalText } from "../../triggers/start.js";
import { choice } from "../choice.js";
import { EXIT, type ExitCode } from "../exit.js";
import { type Common, type Options, quoted, usage } from "../options.js";
import { stepTypes } from "../step-types.js";
import { findTests, type TestsFound } from "../test-files.js";
import { coverageText, human } from "../test-report/human.js";
import { json } from "../test-report/json.js";
import { junit } from "../test-report/junit.js";
import {
  hasFailed,
  type PlayedCase,
  type Report,
  summary,
  type TestReporter,
} from "../test-report/report.js";

export async function test(common: Common, paths: string[], options: Options): Promise<ExitCode> {
  const { output } = common;
  const format = output.json ? "json" : choice("--format", options.format as string, FORMATS);
  const filter = options.filter as string | undefined;
  const types = await stepTypes(common.flows, paths);
  const { catalog } = types;
  const found = await findTests(common, paths.length > 0 ? paths : [common.flows], catalog);
  if (found.texts.size === 0 && found.diagnostics.length === 0) {
    const where = (paths.length > 0 ? paths : [common.flows]).map(quoted).join(", ");
    throw usage(
      `There is no *.test.yaml file in ${where}.`,
      "write one beside a flow file, or let a run write it: flows record RUN",
    );
  }
  const played = playAll(found, catalog, filter);
  if (played.length === 0 && filter !== undefined && found.tests.length > 0) {
    throw usage(`No case has ${quoted(filter)} in its name or its workflow's id.`);
  }
  const diagnostics = [...types.diagnostics, ...found.diagnostics];
  const texts = new Map([
    ...found.texts,
    ...types.texts.map(({ file, text }) => [file, text] as const),
  ]);
  const covered = options.coverage === true ? coverageOf(found, played, filter) : undefined;
  const report: Report = { played, diagnostics, texts, ...(covered && { coverage: covered }) };
  process.stdout.write(reporters[format](report, output.colors));
  // XML has no place for it.
  if (covered && format === "junit") output.say(coverageText(covered, output.talkColors).trimEnd());
  output.say(summary(report));
  return hasFailed(report) ? EXIT.failed : EXIT.done;
}

const reporters = { human, json, junit } satisfies { [format: string]: TestReporter };

const FORMATS = Object.keys(reporters) as (keyof typeof reporters)[];

function playAll({ tests }: TestsFound, catalog: Catalog, filter = ""): PlayedCase[] {
  const has = (text: string) => text.toLowerCase().includes(filter.toLowerCase());
  return tests.flatMap(({ test, folder }) => {
    const workflows = servable(folder.workflows);
    const workflow = workflows.get(test.workflow_id);
    if (workflow === undefined) throw new Error(`${test.file} was checked to have a workflow`);
    const cases = test.cases.filter(({ name }) => has(name) || has(test.workflow_id));
    return cases.map((each) => {
      const began = performance.now();
      const played = play(each, { workflow, workflows, catalog });
      return { test, case: each, ...played, took_ms: performance.now() - began };
    });
  });
}

export function play(
  test: TestCase,
  stage: Omit<Stage, "given">,
): Pick<PlayedCase, "rehearsal" | "differences"> {
  const started = triggeredCase(test, stage.workflow);
  if ("refused" in started) {
    const said = `no run is started: ${refusalText(started)}`;
    const rehearsal = { run: undefined, runs: [], trace: [], calls: [], troubles: [said] };
    return { rehearsal: { ...rehearsal, halted: true }, differences: [{ at: "", message: said }] };
  }
  const rehearsal = rehearse(started, { ...stage, given });
  return { rehearsal, differences: differences(test, rehearsal) };
}

/** A webhook without a body sends the run's context: that is what it was given, too. */
function given({ type, config, context }: Call): JsonObject {
  return type === "webhook" && !("body" in config) ? { ...config, body: context } : config;
}

function servable(workflows: ReadonlyMap<string, Workflow | null>): Map<string, Workflow> {
  const found = new Map<string, Workflow>();
  for (const [id, workflow] of workflows) {
    if (workflow) found.set(id, workflow);
  }
  return found;
}

/** Of every workflow of the folders; with a filter, of those that are tested. */
function coverageOf(found: TestsFound, played: PlayedCase[], filter?: string): Coverage[] {
  const traces = played.map(({ rehearsal }) => rehearsal.trace);
  const tested = new Set(played.map(({ test }) => test.workflow_id));
  const workflows = found.folders.flatMap((folder) => [...servable(folder.workflows).values()]);
  const shown = workflows.filter(({ id }) => filter === undefined || tested.has(id));
  return shown.map((workflow) => coverage(workflow, traces));
}

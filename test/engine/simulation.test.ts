// Thousands of seeded histories: crashes at writes and between them, reports that come twice and
// late, people who pause, resume, cancel and retry. Oracles of their own say what must hold.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRefusal } from "../../src/engine/command.js";
import { effects } from "../../src/engine/effects.js";
import type { Event } from "../../src/engine/event.js";
import { evolve, fold } from "../../src/engine/evolve.js";
import { instanceState, instancesIn, parseKey } from "../../src/engine/key.js";
import type { Call } from "../../src/engine/ports.js";
import { FINISHED, type Run, TRANSITIONS } from "../../src/engine/run.js";
import { type Folded, foldAll, random, Simulation } from "../../src/engine/simulate.js";
import { stepOf } from "../../src/engine/steps.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { drawAnswer, drawWorkflow, pick } from "./generate.js";
import { T0 } from "./support.js";

const HISTORIES = Number(process.env.HISTORIES ?? 5000);

describe("whatever happens to the process and to the reports", () => {
  it("every acknowledged run ends, and no fact is recorded twice", () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(seeds, (seed) => {
        const history = play(seed);
        acknowledgedRunsEnd(history);
        nothingHappensTwice(history);
        everyPrefixIsSound(history);
        atMostOnceIsKept(history);
        childrenEndAsTheirParentsSay(history);
      }),
      { numRuns: HISTORIES },
    );
  }, 600_000);
});

describe("the first of these histories", () => {
  const histories = Array.from({ length: 400 }, (_, seed) => play(seed));

  it("walk each row of the table of statuses, and no other", () => {
    const walked = new Set<string>();
    for (const { sim } of histories) {
      const statuses = new Map<string, Run>();
      sim.journal.forEach((decision, index) => {
        let run = statuses.get(decision.run_id) ?? null;
        for (const event of decision.events) {
          const from = run?.status;
          run = evolve(run, event);
          if (from && event.type.startsWith("run_")) walked.add(`${from} ${event.type}`);
        }
        if (run) statuses.set(run.id, { ...run, seq: index });
      });
    }
    const rows = Object.entries(TRANSITIONS).flatMap(([from, row]) =>
      Object.keys(row).map((event) => `${from} ${event}`),
    );
    expect([...walked].sort()).toEqual(rows.sort());
  });

  it("have every construct, in each body, with each end that it can come to", () => {
    const seen = new Set(histories.flatMap(constructsOf));
    expect(CONSTRUCTS.filter((construct) => !seen.has(construct))).toEqual([]);
  });
});

const TYPES = ["webhook", "delay", "set", "approval", "wait", "fail", "branch"];
const BODIES = ["foreach", "parallel"];
const ALL = [...TYPES, ...BODIES, "workflow"];
const ENDS = ["completed", "failed", "cancelled", "skipped", "queued", "reopened"];
const KINDS = ["failed", "network", "timeout", "interrupted", "workflow", "expression"];

const CONSTRUCTS = [
  ...ALL.flatMap((type) => ENDS.map((end) => `step_${end} ${type}`)),
  ...ALL.flatMap((type) => BODIES.map((body) => `${body} > ${type}`)),
  ...BODIES.flatMap((outer) => BODIES.map((inner) => `${outer} > ${inner} > webhook`)),
  ...KINDS.flatMap((kind) => ["step", "workflow", "nobody"].map((by) => `${kind}, by ${by}`)),
  ...["max_steps, by nobody", "invalid_output, by nobody", "items, by nobody"],
  ...["yes", "no", "yes, in the end", "no, in the end"].map((answer) => `answered ${answer}`),
  ...["took its place", "another run holds", "no longer waits"].map((why) => `cancelled: ${why}`),
  ...["a kept signal", "retry", "retry from a step", "retry from a step in a body"],
].filter((construct) => construct !== "step_completed fail");

function constructsOf({ sim, workflows }: History): string[] {
  return sim.journal.flatMap(({ run_id, events }) => {
    const run = sim.run(run_id);
    if (!run) return [];
    const flow = workflowOf(workflows, run);
    const signalled = events.some(({ type }) => type === "signal_received");
    return events.flatMap((event) => [...constructsIn(event, flow, signalled)]);
  });
}

function* constructsIn(event: Event, flow: Workflow, signalled: boolean): Generator<string> {
  if (event.type === "run_cancelled") {
    const why = /took its place|another run holds|no longer waits/.exec(event.reason ?? "");
    yield `cancelled: ${why?.[0] ?? "by hand"}`;
  }
  if (event.type === "run_retried") {
    yield "retry";
    if (event.from) yield `retry from a step${event.from.includes("/") ? " in a body" : ""}`;
  }
  if (!("key" in event)) return;
  const { type } = stepOf(flow, event.key);
  yield `${event.type} ${type}`;
  yield [...typesAround(event.key, flow), type].slice(-3).join(" > ");
  yield [...typesAround(event.key, flow), type].slice(-2).join(" > ");
  if (event.type === "step_failed") yield `${event.error.kind}, by ${event.handled ?? "nobody"}`;
  if (event.type !== "step_completed") return;
  if (event.signal && !signalled) yield "a kept signal";
  const said = event.output as { approved?: boolean; timed_out?: boolean } | null;
  if (type !== "approval" || said?.approved === undefined) return;
  yield `answered ${said.approved ? "yes" : "no"}${said.timed_out ? ", in the end" : ""}`;
}

/** Outermost first. */
function typesAround(key: string, flow: Workflow): string[] {
  const { scope } = parseKey(key);
  const parents = scope.split("/").filter((_, index, words) => index % 2 === 0 && words[index]);
  return parents.map((parent) => stepOf(flow, parent).type);
}

interface History {
  seed: number;
  sim: Simulation;
  workflows: ReadonlyMap<string, Workflow>;
  acknowledged: string[];
}

/** One history, the same for the same seed. */
function play(seed: number): History {
  const chance = random(seed);
  const workflows = new Map([
    ["v1", drawWorkflow(chance, "flow", "child")],
    ["v2", drawWorkflow(chance, "child")],
  ]);
  const sim: Simulation = new Simulation({
    seed: seed ^ 0x5bd1e995,
    start_ms: T0,
    workflows,
    answer: (call, draw) => {
      calledAfterItsStartIsDurable(seed, sim, call);
      return drawAnswer(draw);
    },
    crash_rate: pick([0, 0.02, 0.2], chance),
    double_rate: 0.1,
    rest_rate: 0.3,
  });
  const acknowledged: string[] = [];
  for (let n = 0; n < 3; n++) {
    const id = `run_${String(n).padStart(26, "0")}`;
    sim.after(chance() * 1000, () => {
      sim.start(id, "v1", { n }, (result) => {
        if (!isRefusal(result)) acknowledged.push(id);
      });
    });
    for (let wish = 0; wish < 3; wish++) meddle(sim, id, chance);
  }
  if (chance() < 0.5) sim.after(chance() * 5000, () => sim.crash());
  sim.drain();
  finish(sim);
  return { seed, sim, workflows, acknowledged };
}

function calledAfterItsStartIsDurable(seed: number, sim: Simulation, call: Call): void {
  const key = call.idempotency_key.slice(call.run_id.length + 1);
  const isStart = (event: Event) =>
    event.type === "step_started" && event.key === key && event.attempt === call.attempt;
  // From the end: the start is among the latest records.
  const isWritten = sim.journal.findLast(
    ({ run_id, events }) => run_id === call.run_id && events.some(isStart),
  );
  must(isWritten !== undefined, () => `seed ${seed}: ${key} is called before its start is durable`);
}

/** Asked so often that a matcher of its own would take most of the time. */
function must(holds: boolean, otherwise: () => string): void {
  if (!holds) throw new Error(otherwise());
}

/** Drawn now, and said later, of whatever has been reached then. */
function meddle(sim: Simulation, started: string, chance: () => number): void {
  const wish = pick(WISHES, chance);
  const [which, where] = [chance(), chance()];
  sim.after(chance() * 15_000, () => {
    const ids = sim.journal.map(({ run_id }) => run_id);
    const run_id = which < 0.7 ? started : pick(ids, () => where);
    const run = sim.run(run_id);
    const reached = run ? [...instancesIn(run, "")] : [];
    const isPlace = wish.type === "retry" && which < 0.5 && reached.length > 0;
    const from = isPlace ? { from: pick(reached, () => where).key } : {};
    sim.dispatch({ ...wish, ...from, run_id, at: sim.now });
  });
}

const WISHES = [
  { type: "pause" },
  { type: "resume" },
  { type: "resume" },
  { type: "cancel" },
  { type: "retry" },
  { type: "retry", from: "s0" },
  { type: "retry", from: "s1#0" },
  { type: "signal", name: "red", data: 1 },
  { type: "signal", name: "green", data: 2 },
  { type: "answer", approved: true, comment: null },
  { type: "answer", approved: false, comment: "no" },
] as const;

/** What waits for a person waits for ever, unless one comes: here, in the end, one does. */
function finish(sim: Simulation): void {
  let folded: Folded | undefined;
  for (let round = 0; round < 1000; round++) {
    folded = foldAll(sim.journal, folded);
    const waiting = [...folded.runs.values()].filter((run) => !FINISHED.has(run.status));
    if (waiting.length === 0) return;
    for (const run of waiting) {
      const stamp = { run_id: run.id, at: sim.now };
      if (run.held) sim.dispatch({ ...stamp, type: "resume" });
      const asks = run.open.find((key) => instanceState(run, key)?.signal?.includes(":"));
      const answer = { type: "answer", approved: true, comment: null } as const;
      if (asks) sim.dispatch({ ...stamp, ...answer, step_id: asks });
      for (const key of run.open) {
        const name = instanceState(run, key)?.signal;
        if (name) sim.dispatch({ ...stamp, type: "signal", name, data: null });
      }
    }
    sim.drain();
  }
  throw new Error(`seed ${sim.options.seed}: a run does not end, whoever answers it`);
}

function acknowledgedRunsEnd({ seed, sim, acknowledged }: History): void {
  const { runs } = foldAll(sim.journal);
  for (const id of new Set([...acknowledged, ...runs.keys()])) {
    const run = runs.get(id);
    expect(run, `seed ${seed}: ${id} was acknowledged and is lost`).toBeDefined();
    if (run) expect(FINISHED.has(run.status), `seed ${seed}: ${id} is ${run.status}`).toBe(true);
    expect(sim.run(id), `seed ${seed}: what is shown is not what is written`).toEqual(run);
  }
}

function nothingHappensTwice({ seed, sim }: History): void {
  const seen = new Set<string>();
  const withBodies = new Set<string>();
  for (const { run_id, events } of sim.journal) {
    for (const event of events) {
      if (!("key" in event)) continue;
      const instance = `${run_id} ${event.key}`;
      if (event.type === "body_started") withBodies.add(instance);
      // Around a step that a person goes back to; one without bodies has nothing to do again.
      if (event.type === "step_reopened" && withBodies.has(instance)) {
        seen.delete(`${instance} completed `);
      }
      if (event.type === "body_started" || event.type === "step_reopened") continue;
      const attempt = "attempt" in event ? event.attempt : "";
      const closing = ["step_completed", "step_skipped"].includes(event.type);
      const fact = `${instance} ${closing ? "completed" : event.type} ${attempt}`;
      const isNew = !seen.has(fact) || MAY_RECUR.has(event.type);
      must(isNew, () => `seed ${seed}: twice: ${fact}`);
      seen.add(fact);
    }
  }
}

/** A retry by hand opens what had failed or was cut off, and a foreach around a step again. */
const MAY_RECUR = new Set(["step_failed", "step_cancelled", "body_completed"]);

/** At every prefix of the journal, so at every place where a crash could leave it. */
function everyPrefixIsSound({ seed, sim, workflows }: History): void {
  const runs = new Map<string, Run>();
  sim.journal.forEach((decision, index) => {
    const run = fold(runs.get(decision.run_id) ?? null, decision, index + 1);
    runs.set(run.id, run);
    const at = `seed ${seed}: record ${index + 1}`;
    runningMeansSomethingInFlight(at, run, workflows);
    slotsAreNeverOverdrawn(at, run, runs);
  });
}

function runningMeansSomethingInFlight(
  at: string,
  run: Run,
  workflows: History["workflows"],
): void {
  if (run.status !== "running" && run.status !== "pending") return;
  const isWanted = effects(workflowOf(workflows, run), run).some(
    (effect) => effect.key !== "" || effect.kind === "slot",
  );
  must(isWanted, () => `${at}: ${run.id} sleeps`);
}

function workflowOf(workflows: History["workflows"], run: Run): Workflow {
  const workflow = workflows.get(run.workflow_version);
  if (!workflow) throw new Error(`no version ${run.workflow_version}`);
  return workflow;
}

/** Who holds a slot is a function of recorded state. */
function slotsAreNeverOverdrawn(at: string, { concurrency }: Run, runs: Map<string, Run>): void {
  if (!concurrency) return;
  const { group, limit } = concurrency;
  const holders = [...runs.values()].filter(
    (other) => other.concurrency?.group === group && ["running", "paused"].includes(other.status),
  );
  must(holders.length <= limit, () => `${at}: ${group} has too many`);
}

/** A step that waited for a run has its output; one that was cut off leaves no run behind. */
function childrenEndAsTheirParentsSay({ seed, sim }: History): void {
  for (const { run_id, events } of sim.journal) {
    for (const event of events) {
      if (event.type !== "step_completed" || !isChildOutput(event.output)) continue;
      const child = sim.run(event.output.run_id);
      expect(child?.trigger, `seed ${seed}`).toMatchObject({ run_id, key: event.key });
      if (child?.trigger.awaited) expect(child.status, `seed ${seed}`).toBe("completed");
    }
  }
}

function isChildOutput(output: unknown): output is { run_id: string } {
  return typeof output === "object" && output !== null && "run_id" in output;
}

function atMostOnceIsKept({ seed, sim, workflows }: History): void {
  const tries = new Set<string>();
  for (const call of sim.calls) {
    const run = sim.run(call.run_id);
    const flow = run && workflowOf(workflows, run);
    if (!flow || stepOf(flow, call.idempotency_key).delivery !== "at_most_once") continue;
    const attempt = `${call.idempotency_key} ${call.attempt}`;
    must(!tries.has(attempt), () => `seed ${seed}: performed twice: ${attempt}`);
    tries.add(attempt);
  }
}

// Thousands of seeded histories: crashes at writes and between them, reports that come twice and
// late, people who pause, resume, cancel and retry. Oracles of their own say what must hold.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isRefusal } from "../../src/engine/command.js";
import { effects } from "../../src/engine/effects.js";
import { evolve, fold } from "../../src/engine/evolve.js";
import { instanceState } from "../../src/engine/key.js";
import type { Call } from "../../src/engine/ports.js";
import { FINISHED, type Run, TRANSITIONS } from "../../src/engine/run.js";
import { foldAll, random, Simulation } from "../../src/engine/simulate.js";
import { stepOf } from "../../src/engine/steps.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { drawAnswer, drawWorkflow, pick } from "./generate.js";
import { T0 } from "./support.js";

const HISTORIES = Number(process.env.HISTORIES ?? 2000);

describe("whatever happens to the process and to the reports", () => {
  it("every acknowledged run ends, and no fact is recorded twice", () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(seeds, (seed) => {
        const history = play(seed);
        acknowledgedRunsEnd(history);
        nothingHappensTwice(history);
        runningMeansSomethingInFlight(history);
        atMostOnceIsKept(history);
      }),
      { numRuns: HISTORIES },
    );
  });
});

describe("the table of statuses", () => {
  it("has no row that these histories do not walk, and they walk no other", () => {
    const walked = new Set<string>();
    for (let seed = 0; seed < 400; seed++) {
      const statuses = new Map<string, Run>();
      play(seed).sim.journal.forEach((decision, index) => {
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
    // A run is created and started in one decision: nobody can cancel it in between.
    const rare = ["pending run_cancelled"];
    expect([...walked].sort()).toEqual(rows.filter((row) => !rare.includes(row)).sort());
  });
});

interface History {
  seed: number;
  sim: Simulation;
  flow: Workflow;
  acknowledged: string[];
}

/** One history, the same for the same seed. */
function play(seed: number): History {
  const chance = random(seed);
  const flow = drawWorkflow(chance);
  const sim: Simulation = new Simulation({
    seed: seed ^ 0x5bd1e995,
    start_ms: T0,
    workflows: new Map([["v1", flow]]),
    answer: (call, draw) => {
      calledAfterItsStartIsDurable(seed, sim, call);
      return drawAnswer(draw);
    },
    crash_rate: pick([0, 0.02, 0.2], chance),
    double_rate: 0.1,
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
  return { seed, sim, flow, acknowledged };
}

function calledAfterItsStartIsDurable(seed: number, sim: Simulation, call: Call): void {
  const key = call.idempotency_key.slice(call.run_id.length + 1);
  const isWritten = sim.journal.some(
    ({ run_id, events }) =>
      run_id === call.run_id &&
      events.some(
        (event) =>
          event.type === "step_started" && event.key === key && event.attempt === call.attempt,
      ),
  );
  expect(isWritten, `seed ${seed}: ${key} is called before its start is durable`).toBe(true);
}

function meddle(sim: Simulation, run_id: string, chance: () => number): void {
  const wish = pick(WISHES, chance);
  sim.after(chance() * 15_000, () => sim.dispatch({ ...wish, run_id, at: sim.now }));
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
] as const;

/** What waits for a person waits for ever, unless one comes: here, in the end, one does. */
function finish(sim: Simulation): void {
  for (let round = 0; round < 1000; round++) {
    const waiting = [...foldAll(sim.journal).values()].filter((run) => !FINISHED.has(run.status));
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
  const runs = foldAll(sim.journal);
  for (const id of acknowledged) {
    const run = runs.get(id);
    expect(run, `seed ${seed}: ${id} was acknowledged and is lost`).toBeDefined();
    if (run) expect(FINISHED.has(run.status), `seed ${seed}: ${id} is ${run.status}`).toBe(true);
    expect(sim.run(id), `seed ${seed}: what is shown is not what is written`).toEqual(run);
  }
}

function nothingHappensTwice({ seed, sim }: History): void {
  const seen = new Set<string>();
  for (const { run_id, events } of sim.journal) {
    for (const event of events) {
      if (event.type === "run_retried" || event.type === "step_reopened") continue;
      if (!("key" in event) || event.type === "body_started") continue;
      const attempt = "attempt" in event ? event.attempt : "";
      const closing = ["step_completed", "step_skipped"].includes(event.type);
      const fact = `${run_id} ${event.key} ${closing ? "completed" : event.type} ${attempt}`;
      expect(seen.has(fact) && !MAY_RECUR.has(event.type), `seed ${seed}: twice: ${fact}`).toBe(
        false,
      );
      seen.add(fact);
    }
  }
}

/** A retry by hand opens what had failed or was cut off, and a foreach around a step again. */
const MAY_RECUR = new Set(["step_failed", "step_cancelled", "body_completed"]);

/** At every prefix of the journal, so at every place where a crash could leave it. */
function runningMeansSomethingInFlight({ seed, sim, flow }: History): void {
  const runs = new Map<string, Run>();
  sim.journal.forEach((decision, index) => {
    const run = fold(runs.get(decision.run_id) ?? null, decision, index + 1);
    runs.set(run.id, run);
    if (run.status !== "running") return;
    const wanted = effects(flow, run).filter((effect) => effect.key !== "");
    expect(wanted.length, `seed ${seed}: ${run.id} sleeps at record ${index + 1}`).toBeGreaterThan(
      0,
    );
  });
}

function atMostOnceIsKept({ seed, sim, flow }: History): void {
  const tries = new Set<string>();
  for (const call of sim.calls) {
    if (stepOf(flow, call.idempotency_key).delivery !== "at_most_once") continue;
    const attempt = `${call.idempotency_key} ${call.attempt}`;
    expect(tries.has(attempt), `seed ${seed}: performed twice: ${attempt}`).toBe(false);
    tries.add(attempt);
  }
}

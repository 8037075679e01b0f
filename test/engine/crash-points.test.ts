// The crash-point proof: resume from every prefix of a run's decisions, give the same answers, and
// the final document is the same to the byte.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decide } from "../../src/engine/decide.js";
import { effects } from "../../src/engine/effects.js";
import type { Decision } from "../../src/engine/event.js";
import { evolve, fold } from "../../src/engine/evolve.js";
import { instanceState } from "../../src/engine/key.js";
import type { Effect } from "../../src/engine/ports.js";
import type { Run } from "../../src/engine/run.js";
import { random } from "../../src/engine/simulate.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { drawAnswer, drawWorkflow } from "./generate.js";
import { RUN, start, T0 } from "./support.js";

describe("for every prefix of every run's decisions", () => {
  it("resuming gives a byte-identical final document under the same answers", () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(seeds, (seed) => {
        const flow = drawWorkflow(random(seed));
        const whole = drive(flow, null, [], seed);
        const final = JSON.stringify(foldRun(whole));
        for (let cut = 1; cut < whole.length; cut++) {
          const prefix = whole.slice(0, cut);
          const resumed = drive(flow, foldRun(prefix), prefix, seed);
          expect(JSON.stringify(foldRun(resumed)), `seed ${seed}, cut at ${cut}`).toBe(final);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("evolve", () => {
  it("changes nothing for an event that comes again", () => {
    for (let seed = 0; seed < 300; seed++) {
      let run: Run | null = null;
      for (const { events } of drive(drawWorkflow(random(seed)), null, [], seed)) {
        for (const event of events) {
          run = evolve(run, event);
          if (event.type !== "run_retried") expect(evolve(run, event)).toBe(run);
        }
      }
    }
  });
});

/** Answers what comes due first, until the run has ended. */
function drive(flow: Workflow, from: Run | null, written: Decision[], seed: number): Decision[] {
  const decisions = [...written];
  let run = from;
  while (!run?.finished_at) {
    const next = run
      ? soonest(flow, run, seed)
      : { ...start, context: { n: seed % 4 }, run_id: RUN, at: T0 };
    const decided = decide(flow, run, next);
    if (!("decision" in decided)) throw new Error(`seed ${seed}: ${decided.message}`);
    decisions.push(decided.decision);
    run = { ...decided.run, seq: decisions.length };
  }
  return decisions;
}

/** A function of the run and the seed alone: a resumed run gets the answers of the whole one. */
function soonest(flow: Workflow, run: Run, seed: number) {
  const reports = effects(flow, run).map((effect) => reportOn(effect, run, seed));
  reports.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  const first = reports[0];
  if (!first) throw new Error(`seed ${seed}: ${run.id} is ${run.status} and waits for nothing`);
  return first;
}

function reportOn(effect: Effect, run: Run, seed: number) {
  const { key, attempt } = effect;
  if (effect.kind === "listen") return heard(run, key);
  if (effect.kind === "slot") return { type: "begin", run_id: run.id, at: T0, key } as const;
  const common = { type: "report", run_id: run.id, key, attempt } as const;
  if (effect.kind === "wait") {
    return {
      ...common,
      at: Date.parse(effect.until),
      outcome: { type: "due" },
      chance: 0,
    } as const;
  }
  const chance = random(hash(`${seed} ${key} ${attempt}`));
  const answer = drawAnswer(chance);
  const at = lastChange(run) + answer.after_ms;
  return { ...common, at, outcome: answer.outcome, chance: chance() };
}

/** Someone answers the approval, or sends the signal, a second later. */
function heard(run: Run, key: string) {
  const stamp = { run_id: run.id, at: lastChange(run) + 1000, key };
  const signal = instanceState(run, key)?.signal ?? "";
  if (!signal.includes(":")) return { ...stamp, type: "signal", name: signal, data: key } as const;
  return { ...stamp, type: "answer", step_id: key, approved: true, comment: null } as const;
}

/** The latest time that the document names: what is in flight was asked for then. */
function lastChange(run: Run): number {
  const times = JSON.stringify(run).match(/(?<=_at":")[^"]+/g) ?? [];
  return Math.max(T0, ...times.map((time) => Date.parse(time)));
}

function hash(text: string): number {
  let sum = 7;
  for (const character of text) sum = (Math.imul(sum, 31) + character.charCodeAt(0)) | 0;
  return sum;
}

function foldRun(decisions: Decision[]): Run {
  let run: Run | null = null;
  decisions.forEach((decision, index) => {
    run = fold(run, decision, index + 1);
  });
  if (!run) throw new Error("no decisions");
  return run;
}

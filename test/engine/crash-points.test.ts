// The crash-point proof: resume from every prefix of a run's decisions, give the same answers, and
// the final document is the same to the byte.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Command, isRefusal } from "../../src/engine/command.js";
import { decide } from "../../src/engine/decide.js";
import { effects } from "../../src/engine/effects.js";
import type { Decision } from "../../src/engine/event.js";
import { evolve, fold } from "../../src/engine/evolve.js";
import { instanceState, instancesIn } from "../../src/engine/key.js";
import type { Effect } from "../../src/engine/ports.js";
import type { Run } from "../../src/engine/run.js";
import { random } from "../../src/engine/simulate.js";
import type { Workflow } from "../../src/flow/workflow.js";
import { drawAnswer, drawWorkflow, pick } from "./generate.js";
import { RUN, start, T0 } from "./support.js";

describe("for every prefix of every run's decisions", () => {
  it("resuming gives a byte-identical final document under the same answers", () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(seeds, (seed) => {
        const flow = drawFlow(seed);
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
      for (const { events } of drive(drawFlow(seed), null, [], seed)) {
        for (const event of events) {
          run = evolve(run, event);
          if (event.type !== "run_retried") expect(evolve(run, event)).toBe(run);
        }
      }
    }
  });
});

/** Every other one also starts runs, which answer as the world does. */
function drawFlow(seed: number): Workflow {
  return drawWorkflow(random(seed), "flow", seed % 2 === 0 ? "child" : undefined);
}

/** Answers what comes due first, and lets people say what they like, until the run has ended. */
function drive(flow: Workflow, from: Run | null, written: Decision[], seed: number): Decision[] {
  const decisions = [...written];
  let run = from;
  const began = { ...start, context: { n: seed % 4 }, run_id: RUN, at: T0 };
  for (;;) {
    const said = run && saidBy(run, seed);
    let decided = said && decide(flow, run, said);
    if (!decided || isRefusal(decided)) {
      if (run?.finished_at) return decisions;
      decided = decide(flow, run, run ? soonest(flow, run, seed) : began);
    }
    if (isRefusal(decided)) throw new Error(`seed ${seed}: ${decided.message}`);
    decisions.push(decided.decision);
    run = { ...decided.run, seq: decisions.length };
  }
}

/** People are quiet after a while, but for resuming what they hold. */
function saidBy(run: Run, seed: number): Command | undefined {
  const chance = random(hash(`${seed} people ${run.seq}`));
  const stamp = { run_id: run.id, at: lastChange(run) + 500 };
  if (run.held && (run.seq > 30 || chance() < 0.5)) return { ...stamp, type: "resume" };
  if (run.seq > 30 || chance() > 0.3) return undefined;
  if (!run.finished_at) return { ...stamp, ...pick(WISHES, chance) };
  const reached = [...instancesIn(run, "")];
  const isAnywhere = reached.length === 0 || chance() < 0.5;
  return { ...stamp, type: "retry", ...(isAnywhere ? {} : { from: pick(reached, chance).key }) };
}

const WISHES = [
  { type: "pause" },
  { type: "pause" },
  { type: "cancel" },
  { type: "signal", name: "red", data: 1 },
  { type: "answer", approved: false, comment: "no" },
] as const;

/** A function of the run and the seed alone: a resumed run gets the answers of the whole one. */
function soonest(flow: Workflow, run: Run, seed: number) {
  const reports = effects(flow, run).map((effect) => reportOn(effect, run, seed));
  reports.sort((a, b) => a.at - b.at || (a.key < b.key ? -1 : 1));
  const first = reports[0];
  if (!first && run.held) return { type: "resume", run_id: run.id, at: lastChange(run) } as const;
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

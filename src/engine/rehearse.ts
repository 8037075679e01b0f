// Rehearses one run of a workflow in virtual time: the simulated host, with stubs for the world.

import { stepsById } from "../flow/address.js";
import type { Catalog } from "../flow/catalog.js";
import { durationText } from "../flow/duration.js";
import type { Json, JsonObject } from "../flow/json.js";
import type { ByAddress, PersonSays, Stub, TestCase } from "../flow/test-case.js";
import type { Step, Workflow } from "../flow/workflow.js";
import { MAX_DURATION_MS, MAX_REHEARSAL_STEPS } from "../limits.js";
import { type Command, isRefusal, type Outcome } from "./command.js";
import type { Event } from "./event.js";
import { parseKey } from "./key.js";
import { configMisfit } from "./misfit.js";
import type { Call } from "./ports.js";
import type { Run, TriggerInfo } from "./run.js";
import { type Answer, Simulation } from "./simulate.js";
import { APPROVAL_SIGNAL } from "./waiting-for.js";

/** What a rehearsal needs to know beside the case. */
export interface Stage {
  workflow: Workflow;
  /** By id: the tested one, and those that it may start. */
  workflows: ReadonlyMap<string, Workflow>;
  catalog: Catalog;
  /** The config as the connector would complete it, for expectations to see. Default: as it is. */
  given?(call: Call): JsonObject;
}

export interface Rehearsal {
  /** The tested run as nothing more happens to it; undefined: it did not start. */
  run: Run | undefined;
  /** It, and the runs that it started. */
  runs: { prefix: string; run: Run }[];
  /** Of it and of the runs that it started, in order. */
  trace: Traced[];
  calls: Given[];
  /** What the case says and the run cannot hear or use: a stub is missing, a signal came late. */
  troubles: string[];
  /** It could not go on: what the case expects cannot be judged. */
  halted: boolean;
}

export interface Traced {
  /** Virtual, from the start of the tested run. */
  after_ms: number;
  /** Empty for the tested run; `hand_over/` for the one that its step started. */
  prefix: string;
  workflow_id: string;
  event: Event;
}

/** What one attempt of one step was given. */
export interface Given {
  prefix: string;
  key: string;
  step_id: string;
  attempt: number;
  after_ms: number;
  config: JsonObject;
}

/** A valid id, and the same in every test. */
const TESTED_RUN = "run_00000000000000000000000000";

/** A workflow step that has a stub becomes a step of this type, which no connector has. */
const STUBBED = "workflow (stubbed)";

export function rehearse(test: TestCase, stage: Stage): Rehearsal {
  const rehearsing = new Rehearsing(test, stage);
  rehearsing.play();
  return rehearsing.result();
}

/** Ends a rehearsal that cannot go on. */
class Halt extends Error {}

class Rehearsing {
  readonly #simulation: Simulation;
  readonly #trace: Traced[] = [];
  readonly #calls: Given[] = [];
  readonly #troubles: string[] = [];
  /** How many entries of a list are used up, by its place in the file. */
  readonly #used = new Map<string, number>();
  /** By run id. */
  readonly #prefixes = new Map([[TESTED_RUN, ""]]);
  readonly #workflowIds = new Map<string, string>();
  #seen = 0;
  #halted = false;

  constructor(
    readonly test: TestCase,
    readonly stage: Stage,
  ) {
    // In tests the version of a workflow is its id.
    const workflows = new Map<string, Workflow>();
    for (const each of stage.workflows.values()) {
      workflows.set(each.id, withStubs(each, Object.keys(test.stubs)));
    }
    this.#simulation = new Simulation({
      seed: 0,
      start_ms: test.at,
      workflows,
      write_ms: 0,
      answer: (call) => this.#answer(call),
    });
  }

  play(): void {
    const { test, stage } = this;
    const trigger = test.trigger as unknown as TriggerInfo;
    const start = { type: "start", context: test.context, trigger } as const;
    this.#wish("the run does not start", { ...start, workflow_version: stage.workflow.id });
    for (const { name, data, after_ms } of test.signals) {
      this.#simulation.after(after_ms, () => {
        const sent = `the signal "${name}", sent after ${durationText(after_ms)},`;
        this.#wish(`${sent} is not heard`, { type: "signal", name, data });
      });
    }
    try {
      for (let steps = 0; this.#simulation.step(); steps++) {
        if (steps > MAX_REHEARSAL_STEPS) throw new Halt("the run does not come to an end");
        this.#look();
      }
    } catch (error) {
      if (!(error instanceof Halt)) throw error;
      this.#troubles.push(error.message);
      this.#halted = true;
      this.#look();
    }
  }

  result(): Rehearsal {
    const runs = [...this.#prefixes].flatMap(([id, prefix]) => {
      const run = this.#simulation.run(id);
      return run ? [{ prefix, run }] : [];
    });
    const run = this.#simulation.run(TESTED_RUN);
    const [trace, calls, troubles] = [this.#trace, this.#calls, this.#troubles];
    return { run, runs, trace, calls, troubles, halted: this.#halted };
  }

  #wish(otherwise: string, wish: Wish, runId = TESTED_RUN): void {
    const command = { ...wish, run_id: runId, at: this.#simulation.now } as Command;
    this.#simulation.dispatch(command, (result) => {
      if (!isRefusal(result)) return;
      const details = (result.details ?? []).map(({ path, message }) => `${path} ${message}`);
      const said = result.message.replace(`Run ${runId}`, "its run");
      this.#troubles.push([`${otherwise}: ${said}`, ...details].join(" "));
    });
  }

  /** Takes in what was recorded since the last look; people begin to think about what is asked. */
  #look(): void {
    const { journal } = this.#simulation;
    while (this.#seen < journal.length) {
      const decision = journal[this.#seen++];
      for (const event of decision?.events ?? []) this.#record(decision?.run_id ?? "", event);
    }
  }

  #record(runId: string, event: Event): void {
    if (event.type === "run_created") {
      this.#workflowIds.set(runId, event.workflow_id);
      this.#prefix(runId, event.trigger);
    }
    const prefix = this.#prefixes.get(runId) ?? "";
    const workflow_id = this.#workflowIds.get(runId) ?? "";
    const after_ms = Date.parse(event.at) - this.test.at;
    this.#trace.push({ after_ms, prefix, workflow_id, event });
    if (event.type === "step_started" && event.signal?.startsWith(APPROVAL_SIGNAL)) {
      this.#ask(runId, prefix, event.key);
    }
  }

  #prefix(runId: string, { run_id, key }: TriggerInfo): void {
    const parent = this.#prefixes.get(String(run_id));
    if (runId === TESTED_RUN || parent === undefined) return;
    this.#prefixes.set(runId, `${parent}${parseKey(String(key)).stepId}/`);
  }

  #ask(runId: string, prefix: string, key: string): void {
    const step = `"${prefix}${parseKey(key).stepId}"`;
    const answer = this.#next(this.test.answers, prefix, key, (address, count) => {
      const list = `answers: { ${address}: [ … ] }`;
      this.#troubles.push(`${step} asks once more, and ${list} has ${entries(count)}`);
    });
    if (!answer) return;
    const { approved, comment, after_ms } = answer satisfies PersonSays;
    this.#simulation.after(after_ms, () => {
      const wish = { type: "answer", step_id: key, approved, comment } as const;
      const given = `the answer to ${step}, given after ${durationText(after_ms)},`;
      this.#wish(`${given} is not heard`, wish, runId);
    });
  }

  #answer(call: Call): Answer {
    const { run_id, idempotency_key, step_id, attempt } = call;
    // The run was published before its effects were started, but not looked at yet.
    this.#look();
    const prefix = this.#prefixes.get(run_id) ?? "";
    const key = idempotency_key.slice(run_id.length + 1);
    const after_ms = this.#simulation.now - this.test.at;
    const schema = this.stage.catalog[call.type === STUBBED ? "workflow" : call.type]?.config;
    const unfit = schema && configMisfit(schema, call);
    if (unfit) return { after_ms: 0, outcome: { type: "failure", error: unfit } };
    const shown = withSecretNames(call);
    const config = this.stage.given?.({ ...call, config: shown }) ?? shown;
    this.#calls.push({ prefix, key, step_id, attempt, after_ms, config });
    const stub = this.#next(this.test.stubs, prefix, key, (address, count) => {
      const list = `stubs: { ${address}: [ … ] }`;
      throw new Halt(
        `"${prefix}${step_id}" is called once more, and ${list} has ${entries(count)}: ` +
          "add one, or write one without a list for all calls",
      );
    });
    if (stub === undefined && this.stage.catalog[call.type]?.harmless) {
      return { after_ms: 0, outcome: { type: "output", output: null } };
    }
    if (stub === undefined) throw new Halt(withoutStub(prefix + step_id, call.type));
    return { after_ms: stub.after_ms, outcome: outcomeOf(stub, step_id) };
  }

  /** What the file says next for an instance: by its key, else by its step. */
  #next<T>(
    from: ByAddress<T>,
    prefix: string,
    key: string,
    usedUp: (address: string, count: number) => void,
  ): T | undefined {
    const addresses = [prefix + key, prefix + parseKey(key).stepId];
    const address = addresses.find((each) => Object.hasOwn(from, each));
    if (address === undefined) return undefined;
    const said = from[address] as T | T[];
    if (!Array.isArray(said)) return said;
    const place = `${from === (this.test.stubs as unknown) ? "stub" : "answer"} ${address}`;
    const index = this.#used.get(place) ?? 0;
    if (index >= said.length) {
      usedUp(address, said.length);
      return undefined;
    }
    this.#used.set(place, index + 1);
    return said[index];
  }
}

type Wish = Command extends infer C
  ? C extends Command
    ? Omit<C, "run_id" | "at">
    : never
  : never;

function entries(count: number): string {
  return `${count} ${count === 1 ? "entry" : "entries"}`;
}

function withoutStub(address: string, type: string): string {
  const example = Object.hasOwn(ANSWERS, type) ? ANSWERS[type] : "null";
  return (
    `step "${address}" (${type}) would touch the world, and has no stub: ` +
    `write stubs: { ${address}: { output: ${example} } }`
  );
}

/** What the world may say to a step of these types. */
const ANSWERS: { readonly [type: string]: string } = {
  webhook: "{ status: 200, body: null }",
  http: "{ status: 200, body: null }",
  shell: '{ exit_code: 0, stdout: "" }',
};

function outcomeOf({ output, error }: Stub, stepId: string): Outcome {
  if (error === undefined) return { type: "output", output: output ?? null };
  const { retry_after_ms, ...given } = error;
  const [kind, said] = usualKind(given);
  const failure = { kind, message: `the stub of "${stepId}" ${said}`, ...given };
  const asked = retry_after_ms === undefined ? {} : { retry_after_ms };
  return { type: "failure", error: failure, ...asked };
}

function usualKind({ status, exit_code }: NonNullable<Stub["error"]>): [string, string] {
  if (status !== undefined) return ["http_status", `answered ${status}`];
  if (exit_code !== undefined) return ["exit_code", `ended with exit code ${exit_code}`];
  return ["network", "failed"];
}

/** Secrets have no values in tests: where one would stand, its name does. */
function withSecretNames({ config, secrets }: Call): JsonObject {
  const copy = JSON.parse(JSON.stringify(config)) as JsonObject;
  for (const { pointer, parts } of secrets) {
    const text = parts.map((part) =>
      typeof part === "string" ? part : `\${{ secrets.${part.secret} }}`,
    );
    put(copy, pointer.split("/").slice(1), text.join(""));
  }
  return copy;
}

function put(into: Json, path: string[], value: string): void {
  const [first = "", ...rest] = path;
  const name = first.replaceAll("~1", "/").replaceAll("~0", "~");
  const object = into as JsonObject;
  if (rest.length === 0) object[name] = value;
  else put(object[name] as Json, rest, value);
}

/** Chance is taken out of the pauses, and workflow steps that have a stub start no run. */
function withStubs(workflow: Workflow, addresses: string[]): Workflow {
  const stubbed = new Set(
    addresses.map((address) => parseKey(`${address.replace(/#\d+$/, "")}#0`).stepId),
  );
  const copy = JSON.parse(JSON.stringify(workflow)) as Workflow;
  for (const step of stepsById(copy).values()) {
    if (step.retry) step.retry.jitter = 0;
    if (step.type === "workflow" && stubbed.has(step.id)) replace(step);
  }
  return copy;
}

function replace(step: Step): void {
  step.type = STUBBED;
  step.timeout_ms ??= MAX_DURATION_MS;
}

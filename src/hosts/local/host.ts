// The local host: one process that owns a store, the clock, chance and the network, and drives the
// engine's loop with them.

import { dirname, join, resolve } from "node:path";
import type { Event } from "../../engine/event.js";
import type { Figures } from "../../engine/figures.js";
import { Loop } from "../../engine/loop.js";
import type { LoopPorts } from "../../engine/ports.js";
import { FINISHED, type Run } from "../../engine/run.js";
import type { Health, Host } from "../../engine/runner.js";
import type { Retention as RetentionRules, Workflow } from "../../flow/workflow.js";
import { MAX_CALLS_IN_FLIGHT, PACKED_WAIT_MS } from "../../limits.js";
import type { AllowedHost } from "./allowed-hosts.js";
import { createCalls, type World } from "./calls.js";
import { DEFAULT_EGRESS, type EgressPolicy } from "./egress.js";
import { InFlight } from "./in-flight.js";
import { createIo, type LocalIo } from "./io.js";
import type { Lock } from "./lock.js";
import type { Log } from "./log.js";
import { Processes } from "./processes.js";
import { Retention } from "./retention.js";
import { RunLogs } from "./run-logs.js";
import { LocalRunner } from "./runner.js";
import { openSecrets, type Secrets } from "./secrets.js";
import { Sleepers } from "./sleepers.js";
import { openStore, type StoreOptions } from "./store.js";
import type { StoreError } from "./store-error.js";
import type { StoreStats } from "./store-types.js";
import { type LocalWorkflows, openWorkflows } from "./sync.js";
import { Tally } from "./tally.js";
import { Timers } from "./timers.js";
import { openMarks, type TriggerMarks } from "./trigger-marks.js";
import { type LocalTriggers, startTriggers } from "./triggers.js";
import { openConnectors } from "./user-connectors/live.js";
import { Watchers } from "./watchers.js";

export interface LocalHostOptions {
  /** The folder of flow files. */
  flows: string;
  /** The folder of the store; made on first use. */
  store: string;
  /** Whether to follow changes of the flow files. */
  watch: boolean;
  /** False: for a look, or for commands; no run is driven on. Default true. */
  drive?: boolean;
  /** Whether steps of type shell may run programs. Default false. */
  allow_shell?: boolean;
  /** What may be called though the flow file does not fix it. Default: nothing. */
  allowed_hosts?: readonly AllowedHost[];
  /** Which finished runs are kept, where their workflow does not say. Absent: none is deleted. */
  retention?: RetentionRules;
  /** True: schedules fire. For who stays; a command that is soon gone lets them be. */
  triggers?: boolean;
  /** Of the program, for `health`. */
  version: string;
  /** Absent: there are none. */
  secrets?: Secrets;
  log: Log;
  /** For tests: absent ones are those of limits.ts. */
  limits?: Partial<StoreOptions> & { max_calls?: number };
  /** The host cannot go on (the disk failed): what was not acknowledged has an unknown outcome. */
  onFailure(error: Error): void;
}

export interface LocalHost extends Host {
  /** Tells others, who find the store locked, where to go. */
  setAddress(url: string): void;
  secrets: Secrets;
  /** Starts no further step, and lets those under way end: how many have not when time is up. */
  drain(within_ms: number): Promise<number>;
  /** What the store did since it was opened. */
  stats(): StoreStats;
}

/** Takes the store, recovers it, and drives its unfinished runs on. Rejects with a StoreError. */
export async function openLocalHost(options: LocalHostOptions, lock?: Lock): Promise<LocalHost> {
  const { log } = options;
  // Set as soon as there is someone who drives runs.
  const rest: Rest = {};
  const store = await openStore(options.store, {
    onFailure: (error: StoreError) => options.onFailure(error),
    onTrouble: (message: string) => log.warn({}, message),
    restsUntil: (run) => rest.loop?.rest(run, Date.now() + PACKED_WAIT_MS),
    sleeps: (sleeper) => rest.sleepers?.add(sleeper),
    ...(lock && { lock }),
    ...options.limits,
  });
  try {
    return await openOn(store, options, rest);
  } catch (error) {
    await store.close();
    throw error;
  }
}

type OpenStore = Awaited<ReturnType<typeof openStore>>;

/** Who knows which runs only wait, and who wakes them. */
interface Rest {
  loop?: Loop;
  sleepers?: Sleepers;
}

async function openOn(store: OpenStore, options: LocalHostOptions, rest: Rest): Promise<LocalHost> {
  const { log, drive = true, secrets = openSecrets({ environment: {} }) } = options;
  const versions = await store.loadVersions();
  const live = await openConnectors(options);
  const marks = await openMarks(options.store, (message) => log.warn({}, message));
  let triggers: LocalTriggers | undefined;
  const workflows = await openWorkflows({
    ...options,
    catalog: live.catalog(),
    beforeSync: () => live.reload(),
    saveVersion: async (version: string, workflow: Workflow) => {
      await store.saveVersion(version, workflow);
      versions.set(version, workflow);
      if (options.watch) warnOfMissing(workflow, secrets, log);
    },
    applied: () => triggers?.follow(),
  });
  if (options.watch) live.watch((catalog) => workflows.recheck(catalog));
  const watchers = new Watchers();
  const timers = new Timers();
  const io = createIo(egressOf(options));
  const tally = new Tally(workflows, versions);
  const inFlight = new InFlight(options.limits?.max_calls ?? MAX_CALLS_IN_FLIGHT, tally);
  const processes = new Processes(dirname(resolve(options.flows)));
  const runLogs = openRunLogs(options, secrets.redactText);
  const world = worldOf(io, processes, secrets, options);
  const made = createCalls(live.connectors, world, (asked, entry) => runLogs.write(asked, entry));
  const call = inFlight.counted(made);
  const busy = () =>
    store.busy() ?? (inFlight.isFull() ? "Too many steps are at work." : undefined);
  const published = (run: Run, events: Event[]) => {
    if (isNews(options, events)) warnOfMissing(versions.get(run.workflow_version), secrets, log);
    store.published(run);
    watchers.published(run, events);
    tally.published(run, events);
    if (FINISHED.has(run.status)) triggers?.ended(run);
  };
  const parts = { store, workflows, versions, timers, call, published, clean: secrets.redact };
  const ports = portsOf(parts, rest, options);
  const loop = takeOver(store, new Loop(ports, drive), drive, rest, (run) =>
    hasVersion(run, versions, log),
  );
  const retention = retain({ store, workflows, versions, runLogs, options, ports });
  const runner = new LocalRunner(loop, store, workflows, watchers, runLogs, busy, tally);
  if (options.triggers) {
    triggers = startTriggers({ runner, marks, timers, secrets, served: workflows, log });
  }
  return {
    runner,
    workflows,
    hook: (path) => triggers?.hook(path),
    health: () => health(options.version, { store, workflows, marks, busy }),
    figures: () => figures(tally, store, inFlight, timers.size + (rest.sleepers?.size ?? 0)),
    setAddress: (url) => store.setAddress(url),
    secrets,
    redact: secrets.redactText,
    stats: () => store.stats(),
    drain: (within_ms) => drain(loop, inFlight, within_ms),
    close: async () => {
      triggers?.stop();
      loop.stop();
      retention.stop();
      timers.stop();
      rest.sleepers?.stop();
      watchers.close();
      await Promise.all([processes.close(), live.close()]);
      for (const each of [runLogs, workflows, marks, store, io]) await each.close();
    },
  };
}

function drain(loop: Loop, inFlight: InFlight, within_ms: number): Promise<number> {
  loop.halt();
  return inFlight.ended(within_ms);
}

function openRunLogs({ store, log }: LocalHostOptions, redact: (text: string) => string): RunLogs {
  return new RunLogs({
    folder: join(store, "logs"),
    redact,
    onTrouble: (message) => log.warn({}, message),
  });
}

interface Parts extends Required<Pick<LoopPorts, "call" | "published" | "clean">> {
  store: OpenStore;
  workflows: LocalWorkflows;
  versions: ReadonlyMap<string, Workflow>;
  timers: Timers;
}

function portsOf(parts: Parts, rest: Rest, { onFailure }: LocalHostOptions): LoopPorts {
  const { store, workflows, versions, timers, call, published, clean } = parts;
  return {
    now: Date.now,
    random: Math.random,
    append: store.append.bind(store),
    call,
    wait: (until, due) => timers.wait(until, due),
    stored: (runId, found) => {
      store.get(runId).then(found, onFailure);
    },
    wake: (runId) => rest.sleepers?.take(runId),
    current: (workflowId) => workflows.current(workflowId)?.version,
    workflow: (version) => versions.get(version),
    published,
    clean,
  };
}

/** The unfinished runs, as the store found them: at work, or asleep. */
function takeOver(
  store: OpenStore,
  loop: Loop,
  drive: boolean,
  rest: Rest,
  canRun: (run: { id: string; version: string }) => boolean,
): Loop {
  const sleepers = new Sleepers(store, (runId) => loop.wake(runId), canRun);
  Object.assign(rest, { loop, sleepers });
  const isFit = (run: Run): boolean => canRun({ id: run.id, version: run.workflow_version });
  loop.recover(store.recovered.filter(isFit));
  if (drive) sleepers.start();
  return loop;
}

function worldOf(
  { http }: LocalIo,
  processes: Processes,
  { secretOf }: Secrets,
  { allow_shell, allowed_hosts = [] }: LocalHostOptions,
): World {
  const process = allow_shell && processes.run.bind(processes);
  return { http, secretOf, allowed_hosts, ...(process && { process }) };
}

/** Who lists a name, on every port, knows where it leads. */
function egressOf({ allowed_hosts = [] }: LocalHostOptions): EgressPolicy {
  const listed = allowed_hosts.filter(({ port }) => port === undefined).map(({ host }) => host);
  return { ...DEFAULT_EGRESS, private_names: [...DEFAULT_EGRESS.private_names, ...listed] };
}

/** Who stays has warned of all that it serves; a command speaks of its own run alone. */
function isNews({ drive = true, watch }: LocalHostOptions, [first]: Event[]): boolean {
  return drive && !watch && first?.type === "run_created";
}

/** Now, and not only when a run comes to the step that needs it. */
function warnOfMissing(workflow: Workflow | undefined, secrets: Secrets, log: Log): void {
  for (const name of workflow?.secrets ?? []) {
    const why = secrets.missing(name);
    if (why !== undefined) log.warn({ workflow: workflow?.id }, why);
  }
}

interface Retained {
  store: OpenStore;
  workflows: LocalWorkflows;
  versions: Map<string, Workflow>;
  runLogs: RunLogs;
  options: LocalHostOptions;
  ports: LoopPorts;
}

function retain({ store, workflows, versions, runLogs, options, ports }: Retained): Retention {
  const { log, retention: rules } = options;
  const retention = new Retention({
    store,
    rules: rules ?? {},
    served: () =>
      workflows.all().map(({ id, version, workflow: { retention: own } }) => {
        return { id, version, retention: own };
      }),
    gone: (ids) => {
      for (const id of ids) runLogs.remove(id).catch((error) => log.warn({}, String(error)));
    },
    versions,
    now: ports.now,
    wait: ports.wait,
    log,
  });
  if (rules !== undefined) retention.start();
  return retention;
}

/** A run without its version cannot go on; it stays as it is, for a person to look at. */
function hasVersion(
  { id, version }: { id: string; version: string },
  versions: Map<string, Workflow>,
  log: Log,
): boolean {
  if (versions.has(version)) return true;
  const fields = { run_id: id, version };
  log.error(fields, "the store has lost the version that this run needs; the run cannot go on");
  return false;
}

function figures(
  tally: Tally,
  store: OpenStore,
  { count: calls_in_flight }: InFlight,
  timers_waiting: number,
): Figures {
  const counted = { ...tally.figures(), ...store.stats() };
  return { ...counted, runs: store.counts(), calls_in_flight, timers_waiting };
}

interface Healthy {
  store: OpenStore;
  workflows: LocalWorkflows;
  marks: TriggerMarks;
  busy: () => string | undefined;
}

async function health(
  version: string,
  { store, workflows, marks, busy }: Healthy,
): Promise<Health> {
  const list = await workflows.list();
  const invalid = list.filter((workflow) => !workflow.valid).length;
  const trouble = busy() ?? store.trouble() ?? null;
  const served = list.filter((workflow) => workflow.version !== null).length;
  const refused_starts = marks.refused();
  const isWell = invalid === 0 && refused_starts.length === 0 && trouble === null;
  return {
    status: isWell ? "ok" : "degraded",
    version,
    workflows: { served, invalid },
    diagnostics: workflows.diagnosticsCount(),
    refused_starts,
    runs: store.counts(),
    store: { trouble, documents_waiting: store.stats().documents_waiting },
  };
}

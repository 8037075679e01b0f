// What the host and this door have counted, in the text format of Prometheus.

import type { Metric, Registry } from "prom-client";
import {
  type Count,
  type Figures,
  Histogram,
  type Labels,
  type Spreads,
} from "../engine/figures.js";
import type { Slots } from "./slots.js";

/** s: from an answer out of memory to one that was waited for. */
const REQUEST_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30];

/** A server's own, so that two of them in one process do not share their counts. */
export class Metrics {
  readonly #requests = new Histogram(REQUEST_BOUNDS);
  #registry: Promise<Registry> | undefined;

  constructor(readonly open: { readonly streams: Slots; readonly waits: Slots }) {}

  /** Of no route: nothing was found, or the gate let nobody in. */
  answered(row: { method: string; path: string } | undefined, status: number, ms: number): void {
    const { method, path } = row ?? { method: "other", path: "other" };
    this.#requests.observe({ method, route: path, status: String(status) }, ms / 1_000);
  }

  async text(figures: Figures | undefined): Promise<string> {
    this.#registry ??= openRegistry();
    const kept = await this.#registry;
    for (const series of [...this.#ofDoor(), ...(figures ? ofHost(figures) : [])]) {
      kept.removeSingleMetric(series.name);
      kept.registerMetric(asMetric(series));
    }
    return kept.metrics();
  }

  #ofDoor(): Series[] {
    const { streams, waits } = this.open;
    return [
      gauge("flows_event_streams_open", "Event streams that are open.", streams.taken),
      gauge("flows_waiting_requests", "Requests that wait for their run's end.", waits.taken),
      histogram(
        "flows_http_request_duration_seconds",
        "Time until a request's answer began, by method, route and status.",
        this.#requests,
      ),
    ];
  }
}

/** Loaded when it is first asked for: it takes as long to load as half of a server's start. */
async function openRegistry(): Promise<Registry> {
  const { Registry, collectDefaultMetrics } = await import("prom-client");
  const register = new Registry();
  collectDefaultMetrics({ register });
  return register;
}

interface Sample {
  metricName?: string;
  labels: Labels;
  value: number;
}

interface Series {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  values: Sample[];
}

/** What a registry asks of its metrics; the counts are kept elsewhere, and only shown by it. */
function asMetric(series: Series): Metric {
  return { ...series, get: async () => series } as unknown as Metric;
}

function ofHost(figures: Figures): Series[] {
  const byStatus = Object.entries(figures.runs).map(([status, value]) => {
    return { labels: { status }, value };
  });
  return [
    { name: "flows_runs", help: "Runs in the store, by status.", type: "gauge", values: byStatus },
    counter("flows_runs_ended_total", "Runs ended, by workflow and status.", figures.runs_ended),
    counter("flows_steps_ended_total", "Steps ended, by type and outcome.", figures.steps_ended),
    histogram(
      "flows_attempt_duration_seconds",
      "Time that calls of connectors took, by step type and outcome.",
      figures.attempts,
    ),
    counter("flows_triggers_total", "Triggers, by kind and what came of them.", figures.triggers),
    counter("flows_journal_decisions_total", "Decisions made durable.", figures.decisions),
    counter("flows_journal_batches_total", "Batches of them written.", figures.batches),
    counter("flows_journal_bytes_total", "Bytes written to the journal.", figures.journal_bytes),
    histogram(
      "flows_journal_commit_duration_seconds",
      "Time that a write to the journal took to be durable.",
      figures.commits,
    ),
    gauge(
      "flows_documents_waiting",
      "Documents of finished runs that are not written yet.",
      figures.documents_waiting,
    ),
    gauge("flows_calls_in_flight", "Connectors at work.", figures.calls_in_flight),
    gauge("flows_timers_waiting", "Times that are waited for.", figures.timers_waiting),
  ];
}

function gauge(name: string, help: string, value: number): Series {
  return { name, help, type: "gauge", values: [{ labels: {}, value }] };
}

function counter(name: string, help: string, counts: number | readonly Count[]): Series {
  const values = typeof counts === "number" ? [{ labels: {}, value: counts }] : [...counts];
  return { name, help, type: "counter", values };
}

/** Each bucket has what is in those before it, too. */
function histogram(name: string, help: string, spreads: Spreads): Series {
  const values = spreads.all().flatMap(({ labels, counts, sum }) => {
    let count = 0;
    const buckets = counts.map((found, at): Sample => {
      count += found;
      const le = String(spreads.bounds[at] ?? "+Inf");
      return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count };
    });
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  });
  return { name, help, type: "histogram", values };
}

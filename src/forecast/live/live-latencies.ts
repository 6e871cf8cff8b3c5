import { LogHistogram } from "../../core/histogram.ts";
import type { Slo } from "../../scenario/slo-section.ts";
import { type LatencySamples, type RequestMetric, requestValue } from "../../sim/outcome/request-latencies.ts";
import type { RequestRows } from "../../sim/result.ts";
import { LatencyRecorder } from "./latency-series.ts";

const requestMetrics: readonly RequestMetric[] = ["ttft", "tpot", "e2e", "queue"];
const plotted = ["ttft", "tpot"] as const;

/** Samples of a latency, of all classes or of one. */
const keyOf = (metric: string, requestClass: string | null) => `${metric}\u0000${requestClass ?? ""}`;

/** Latencies of the requests that were completed so far, after the warm-up; each is looked at once. */
export class LiveLatencies {
  readonly series = { ttft: new LatencyRecorder(), tpot: new LatencyRecorder() };
  private readonly rows: RequestRows;
  private readonly samples = new Map<string, LogHistogram>();
  /** Classes that SLOs name, by index. */
  private readonly named: ReadonlyMap<number, string>;

  constructor(rows: RequestRows, slos: readonly Slo[]) {
    this.rows = rows;
    const names = slos.flatMap(({ target }) => target.requestClass ?? []);
    this.named = new Map(names.map((name) => [rows.classes.indexOf(name), name]));
    for (const metric of requestMetrics)
      for (const name of [null, ...names]) this.samples.set(keyOf(metric, name), new LogHistogram());
  }

  /** A request was completed. */
  take(request: number): void {
    const { rows } = this;
    if (request < rows.warmup) return;
    const name = this.named.get(rows.classOf[request]!);
    for (const metric of requestMetrics) {
      const ns = requestValue(rows, metric, request);
      if (Number.isNaN(ns)) continue;
      this.samples.get(keyOf(metric, null))!.record(ns);
      if (name !== undefined) this.samples.get(keyOf(metric, name))!.record(ns);
    }
    for (const metric of plotted) {
      const ns = requestValue(rows, metric, request);
      if (!Number.isNaN(ns)) this.series[metric].record(rows.lastTokenNs[request]!, ns);
    }
  }

  /** A class that no SLO names has none. */
  of(metric: RequestMetric, requestClass: string | null): LatencySamples {
    return this.samples.get(keyOf(metric, requestClass)) ?? new LogHistogram();
  }
}

import { meetsLimits } from "../../metrics/goodput.ts";
import type { Scenario } from "../../scenario/parse-scenario.ts";
import type { TierMap } from "../../sim/memory/memory.ts";
import { requestRows } from "../../sim/outcome/request-rows.ts";
import type { RunView } from "../../sim/outcome/run-view.ts";
import {
  type RequestRows,
  requestStatus,
  type TimeComponent,
  type TimeSeries,
  timeComponents,
} from "../../sim/result.ts";
import type { SloVerdict } from "../forecast.ts";
import { judge } from "../judge.ts";
import type { LatencySeries } from "./latency-series.ts";
import { type LinkUse, linksOf } from "./links.ts";
import { LiveLatencies } from "./live-latencies.ts";
import { memoryTiers } from "./memory-tiers.ts";

/** Percentiles of a latency so far, ns; null without samples. */
export interface LivePercentiles {
  readonly p50Ns: number;
  readonly p99Ns: number;
}

/** The state of a run that goes on, in plain values. Sums count from its beginning; times are ns after the first arrival. */
export interface LiveSnapshot {
  readonly simulatedNs: number;
  readonly steps: number;
  readonly requests: {
    readonly total: number;
    readonly completed: number;
    readonly rejected: number;
    readonly waiting: number;
    readonly running: number;
  };
  readonly outputTokens: number;
  readonly promptTokens: number;
  /** Share in use of the fullest KV pool, now. */
  readonly kvUse: number;
  readonly preemptions: number;
  /** null without an expert cache. */
  readonly cache: { readonly accesses: number; readonly hits: number; readonly stallNs: number } | null;
  readonly links: readonly LinkUse[];
  readonly memory: readonly TierMap[];
  /** Where the time of steps went, ns. */
  readonly time: Readonly<Record<TimeComponent, number>>;
  readonly latency: { readonly ttft: LivePercentiles | null; readonly tpot: LivePercentiles | null };
  readonly series: { readonly ttft: LatencySeries; readonly tpot: LatencySeries; readonly state: TimeSeries };
  /** On the requests that were completed so far. What is known at the end only has no value. */
  readonly slos: readonly SloVerdict[];
}

/** Follows a run: what its requests came to so far, and the state of its parts. It changes nothing of the run. */
export class LiveRun {
  private readonly scenario: Scenario;
  private readonly run: RunView;
  private readonly rows: RequestRows;
  private readonly latencies: LiveLatencies;
  /** [requests] whether its end was seen. */
  private readonly ended: Uint8Array;
  /** All requests before this one have ended. */
  private first = 0;
  private counted = 0;
  private good = 0;

  constructor(scenario: Scenario, run: RunView) {
    this.scenario = scenario;
    this.run = run;
    this.rows = requestRows(run);
    this.latencies = new LiveLatencies(this.rows, scenario.slo?.thresholds ?? []);
    this.ended = new Uint8Array(this.rows.count);
  }

  /** The state now. */
  snapshot(): LiveSnapshot {
    this.look();
    const { run, latencies } = this;
    let waiting = 0;
    let running = 0;
    let preemptions = 0;
    for (const replica of run.replicas) {
      running += replica.runningCount();
      waiting += replica.frontEnds.outstanding;
      for (const dpRank of replica.dpRanks) {
        waiting += dpRank.waiting.size + dpRank.arriving.size;
        preemptions += dpRank.preemptions;
      }
    }
    const caches = run.pools.flatMap(({ experts }) => experts.offloads.caches);
    const state = run.series.result();
    const percentiles = (metric: "ttft" | "tpot"): LivePercentiles | null => {
      const samples = latencies.of(metric, null);
      return samples.count === 0 ? null : { p50Ns: samples.quantile(0.5), p99Ns: samples.quantile(0.99) };
    };
    return {
      simulatedNs: run.nowNs,
      steps: run.steps,
      requests: { total: run.state.count, completed: run.completed, rejected: run.rejected, waiting, running },
      outputTokens: run.outputTokens,
      promptTokens: run.promptTokensComputed,
      kvUse: state.kvUse.at(-1) ?? 0,
      preemptions,
      cache:
        caches.length === 0
          ? null
          : {
              accesses: caches.reduce((sum, { accesses }) => sum + accesses, 0),
              hits: caches.reduce((sum, { hits }) => sum + hits, 0),
              stallNs: caches.reduce((sum, { stallNs }) => sum + stallNs, 0),
            },
      links: linksOf(run),
      memory: memoryTiers(run),
      time: Object.fromEntries(
        timeComponents.map((name, i) => [name, run.pools.reduce((sum, { cost }) => sum + cost.components[i]!, 0)]),
      ) as Record<TimeComponent, number>,
      latency: { ttft: percentiles("ttft"), tpot: percentiles("tpot") },
      series: { ttft: latencies.series.ttft.result(), tpot: latencies.series.tpot.result(), state },
      slos: this.judged(),
    };
  }

  /** Takes the requests that have ended since the last time. */
  private look(): void {
    const { ended, rows } = this;
    const limits = this.scenario.slo?.perRequest ?? null;
    for (let request = this.first; request < rows.count; request++) {
      if (ended[request] === 1) continue;
      const status = rows.status[request]!;
      if (status === requestStatus.completed) {
        this.latencies.take(request);
        if (request >= rows.warmup) {
          this.counted++;
          if (meetsLimits(rows, limits, request)) this.good++;
        }
      } else if (status !== requestStatus.rejected) continue;
      ended[request] = 1;
    }
    while (this.first < rows.count && ended[this.first] === 1) this.first++;
  }

  private judged(): SloVerdict[] {
    const { run, latencies } = this;
    return (this.scenario.slo?.thresholds ?? []).map((slo) =>
      judge(slo, {
        // Whether the deployment keeps up is told at the end.
        unsettled: null,
        samples: (metric, requestClass) => (metric === "itl" ? run.itl : latencies.of(metric, requestClass)),
        scalar: (name, _kind, requestClass) =>
          name === "goodput" && requestClass === null
            ? { value: this.counted === 0 ? null : this.good / this.counted, samples: this.counted }
            : { value: null, samples: 0, reason: "known at the end" },
      }),
    );
  }
}

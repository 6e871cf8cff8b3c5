import { oneReplica, type SimConfig } from "../../sim/config.ts";
import { burstWaves } from "../engine/predict-point.ts";
import { checkPoint } from "../likeness/point-likeness.ts";
import type { MeasuredBenchmark } from "../measured/measured-benchmark.ts";
import { type MeasuredRun, runStatistics } from "../measured/measured-run.ts";
import { ProblemList } from "../measured/problem-list.ts";
import type { Measurement } from "../measured/read-measurement.ts";
import { configurationsOf } from "../measured/repeats.ts";
import type { ServingPoint } from "../measured/serving-point.ts";
import { closedLoopOf, loopRequests, meanLength, replayOf, replicaLoop, servedLoop } from "./observed-workload.ts";

/** An observation of another layout of the same engine and model says less about a deployment than one of its own. */
export const otherLayoutWeight = 0.3;

/** A load that a deployment was measured under, and the latencies it showed. */
export interface ObservedLoad {
  /** In words, such as `16 clients, 1024 + 1024 tokens`. */
  readonly name: string;
  readonly file: string;
  readonly line: number | null;
  /** The load as a closed loop: its steady state tells what the engine spends time on. */
  readonly closed: SimConfig;
  /** The load as it was, to be simulated. */
  readonly served: SimConfig;
  readonly reading: LoadReading;
  readonly tpotMs: number;
  /** null where it is not stated, or is queueing that the simulated load need not have. */
  readonly ttftMs: number | null;
  readonly weight: number;
}

/**
 * How latencies are read off a simulated load: statistics over its counted requests, or means of a closed loop whose
 * clients would send so many requests each, of which a few are simulated.
 */
export type LoadReading =
  | { readonly kind: "counted"; readonly tpot: LatencyStatistic; readonly ttft: LatencyStatistic }
  | { readonly kind: "point"; readonly requestsPerClient: number };
export type LatencyStatistic = "mean" | "p50";

/**
 * The loads of a measurement, on the deployment that `config` describes. Points keep its model, formats, node and engine,
 * and bring their own layout; benchmarks and runs keep its layout too. Refuses, with all problems listed, points of
 * another model, system, engine or precision, and measurements without a TPOT or a load.
 */
export function observedLoads(config: SimConfig, measurement: Measurement, file: string): ObservedLoad[] {
  const problems = new ProblemList(file);
  const loads = [...loadsOf(config, measurement, file, problems)];
  problems.settle();
  return loads;
}

function* loadsOf(
  config: SimConfig,
  measurement: Measurement,
  file: string,
  problems: ProblemList,
): Generator<ObservedLoad> {
  switch (measurement.kind) {
    case "points":
      yield* pointLoads(config, measurement.points, problems);
      break;
    case "run":
      yield* runLoad(config, measurement.run, null, file, problems);
      break;
    case "benchmark": {
      const told = runsWithTpot(measurement.runs);
      for (const benchmark of told.length > 0 ? told : measurement.runs)
        yield* benchmarkLoad(config, benchmark, file, problems);
    }
  }
}

/** Runs that show a TPOT: of llama-bench those that generate, beside those that compute a prompt. */
export const runsWithTpot = (runs: readonly MeasuredBenchmark[]): readonly MeasuredBenchmark[] =>
  runs.filter(({ perRequest, metrics: { ttft, tpot, e2e } }) => (perRequest ?? tpot ?? (ttft && e2e)) !== undefined);

/** One load for every configuration that was measured; repeats are averaged. */
function* pointLoads(
  config: SimConfig,
  points: readonly ServingPoint[],
  problems: ProblemList,
): Generator<ObservedLoad> {
  for (const point of points) checkPoint(config, point, problems);
  if (problems.count > 0) return;
  for (const { points: rows } of configurationsOf(points)) {
    const [point] = rows;
    const tpotMs = mean(rows.flatMap((row) => row.tpotMs ?? []));
    if (point === undefined || tpotMs === null) continue;
    const { tp, dp, ep, etp, promptTokens, outputTokens, concurrency } = point;
    const mapping = { tp, cp: 1, dp, pp: 1, ep, etp, edp: 1 };
    const own = Object.entries(config.mapping).every(([key, value]) => mapping[key as keyof typeof mapping] === value);
    const load = pointLoop({ ...oneReplica(config), mapping }, point);
    const layout = own ? "" : `, tp ${tp} dp ${dp} ep ${ep} etp ${etp}`;
    yield {
      name: `${clientsText(concurrency)}, ${promptTokens} + ${outputTokens} tokens${layout}`,
      file: point.file,
      line: point.line,
      ...load,
      tpotMs,
      ttftMs: mean(rows.flatMap((row) => row.ttftMs ?? [])),
      weight: own ? 1 : otherLayoutWeight,
    };
  }
}

/** The loop of a point: with as many requests as either it or the scenario's own loop has, else in its steady state. */
function pointLoop(config: SimConfig, point: ServingPoint): Pick<ObservedLoad, "closed" | "served" | "reading"> {
  const { promptTokens, outputTokens, concurrency, requests } = point;
  if (requests === null && config.workload.kind !== "closed") {
    const closed = closedLoopOf(config, point);
    return { closed, served: closed, reading: { kind: "point", requestsPerClient: burstWaves } };
  }
  const loop = loopRequests(config, { promptTokens, outputTokens, lengths: "longest", clients: concurrency, requests });
  return {
    closed: replicaLoop(config, loop.workload.requests, concurrency),
    served: servedLoop(config, loop),
    reading: { kind: "counted", tpot: "mean", ttft: "mean" },
  };
}

/** A run request by request is replayed; its steady state is that of its mean lengths and mean requests under way. */
function* runLoad(
  config: SimConfig,
  run: MeasuredRun,
  clients: number | null,
  file: string,
  problems: ProblemList,
): Generator<ObservedLoad> {
  const { ttft, tpot, e2e, requestsPerSecond } = runStatistics(run);
  const underWay = clients ?? (requestsPerSecond * (e2e.mean ?? 0)) / 1000;
  if (tpot.mean === undefined || !(underWay > 0)) {
    problems.add({ expected: "requests of two or more output tokens, from which TPOT follows", found: "none" });
    return;
  }
  yield {
    name: `${run.requests.count} requests, ${underWay.toFixed(1)} at a time`,
    file,
    line: null,
    closed: replicaLoop(config, run.requests, underWay),
    served: replayOf(config, run, clients),
    // The mean TTFT is made by the few requests that queue.
    reading: { kind: "counted", tpot: "mean", ttft: "p50" },
    tpotMs: tpot.mean,
    ttftMs: ttft.p50 ?? null,
    weight: 1,
  };
}

/** The statistics of a benchmark; its requests where it states them. */
function* benchmarkLoad(
  config: SimConfig,
  benchmark: MeasuredBenchmark,
  file: string,
  problems: ProblemList,
): Generator<ObservedLoad> {
  const { concurrency, requestRate, metrics, perRequest } = benchmark;
  const clients = requestRate === null ? concurrency : null;
  if (perRequest !== null) {
    yield* runLoad(config, perRequest, clients, file, problems);
    return;
  }
  const { workload } = config;
  const promptTokens = benchmark.meanPromptTokens ?? meanLength(workload.requests.promptTokens);
  const outputTokens = benchmark.meanOutputTokens ?? meanLength(workload.requests.outputTokens);
  const typical = (metric: keyof typeof metrics) => metrics[metric]?.mean ?? metrics[metric]?.p50 ?? null;
  const statistic = (metric: keyof typeof metrics) => (metrics[metric]?.mean === undefined ? "p50" : "mean");
  const [ttftMs, statedE2eMs] = [typical("ttft"), typical("e2e")];
  const decodingMs = ttftMs === null || statedE2eMs === null || outputTokens <= 1 ? null : statedE2eMs - ttftMs;
  const tpotMs = typical("tpot") ?? (decodingMs === null ? null : decodingMs / (outputTokens - 1));
  if (tpotMs === null || !(tpotMs > 0)) {
    problems.add({ expected: "the TPOT of the benchmark, or its E2E and TTFT", found: "neither" });
    return;
  }
  const e2eMs = statedE2eMs ?? (ttftMs === null ? null : ttftMs + tpotMs * (outputTokens - 1));
  const perSecond = benchmark.requestThroughput ?? requestRate;
  const underWay = clients ?? (perSecond === null || e2eMs === null ? concurrency : (perSecond * e2eMs) / 1000);
  if (underWay === null || !(underWay > 0)) {
    const expected = "the load: concurrency, or requests per second with E2E or TTFT";
    problems.add({ expected, found: "neither" });
    return;
  }
  const loop = loopRequests(config, {
    promptTokens,
    outputTokens,
    lengths: "mean",
    clients: Math.max(1, Math.round(underWay)),
    requests: benchmark.requests,
  });
  const at = clients === null ? `${underWay.toFixed(1)} requests at a time` : clientsText(clients);
  yield {
    name: `${at}, ${Math.round(promptTokens)} + ${Math.round(outputTokens)} tokens`,
    file,
    line: null,
    closed: replicaLoop(config, loop.workload.requests, underWay),
    served: servedLoop(config, loop),
    reading: {
      kind: "counted",
      tpot: metrics.tpot === undefined ? "mean" : statistic("tpot"),
      ttft: statistic("ttft"),
    },
    tpotMs,
    // Requests that came by the clock queue otherwise than those of a closed loop.
    ttftMs: clients === null ? null : ttftMs,
    weight: 1,
  };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

const clientsText = (clients: number): string => (clients === 1 ? "1 client" : `${clients} clients`);

import { mean } from "../../core/statistics.ts";
import { formatNumber } from "../../core/units.ts";
import type { SimConfig } from "../../sim/config.ts";
import type { RequestTable } from "../../trace/request-table.ts";
import type { MeasuredBenchmark } from "../measured/measured-benchmark.ts";
import { type Likeness, LikenessNotes } from "./likeness.ts";

/** How far a load may be from the scenario's. */
export interface LoadReach {
  /** Ratio of mean lengths. */
  readonly lengths: number;
  /** Ratio of clients, of requests under way or of rates. */
  readonly load: number;
  /** Whether clients and a rate may stand for one another. */
  readonly kind: "same" | "any";
}

/** The same load. Means of drawn lengths scatter, and some tools state the longest length where 80 % to all of it are drawn. */
export const sameLoad: LoadReach = { lengths: 1.15, load: 1.1, kind: "same" };

/**
 * Loads of which one forecasts the other. The error that a given point leaves is known for points of one deployment whose prompts
 * and outputs have 1,024 to 8,192 tokens, under 4 to 64 clients.
 */
export const observableLoad: LoadReach = { lengths: 8, load: 16, kind: "any" };

/** Whether a benchmark ran under the load that a scenario describes. */
export function loadLikeness(
  { workload, replicas }: Pick<SimConfig, "workload" | "replicas">,
  benchmark: MeasuredBenchmark,
  reach: LoadReach,
): Likeness {
  const notes = new LikenessNotes();
  const { requests } = workload;
  const within = (a: number, b: number, ratio: number) => a <= ratio * b && b <= ratio * a;
  const lengths = [
    ["prompt tokens", mean(requests.promptTokens), benchmark.meanPromptTokens],
    ["output tokens", mean(requests.outputTokens), benchmark.meanOutputTokens],
  ] as const;
  for (const [at, own, found] of lengths)
    if (found === null)
      notes.assume(`the measurement does not state its ${at}: taken for the scenario's, ${formatNumber(own)}`);
    else if (!within(own, found, reach.lengths))
      notes.differs(`mean ${at}`, formatNumber(own, 4), Number(formatNumber(found, 4)));
  const clients = benchmark.requestRate === null ? benchmark.concurrency : null;
  const rate = benchmark.requestRate;
  if (workload.kind === "closed") {
    const own = workload.concurrency;
    if (clients !== null) {
      if (!within(own, clients, reach.load)) notes.differs("clients", String(own), clients);
    } else if (rate !== null) {
      if (reach.kind === "same") notes.differs("load", `${own} clients`, `${rate} requests/s`);
    } else {
      const shown = shownUnderWay(benchmark);
      if (shown !== null && (shown > reach.load * own || idleRatio * reach.load * shown < own))
        notes.differs("requests under way", `${own} clients`, Number(formatNumber(shown, 3)));
      else notes.assume(unstatedLoad(benchmark, `${own} clients`));
    }
    return notes;
  }
  const own = requestRateOf(requests);
  if (rate !== null) {
    if (!within(own, rate, reach.load)) notes.differs("request rate", `${formatNumber(own, 4)} requests/s`, rate);
  } else if (clients !== null) {
    if (reach.kind === "same") notes.differs("load", `${formatNumber(own, 4)} requests/s`, `${clients} clients`);
  } else if ((benchmark.requestThroughput ?? 0) > reach.load * own)
    notes.differs(
      "completed requests",
      `${formatNumber(own, 4)} requests/s`,
      `${formatNumber(benchmark.requestThroughput ?? 0, 4)} a second`,
    );
  else notes.assume(unstatedLoad(benchmark, `${formatNumber(own, 4)} requests/s to ${replicas} replicas`));
  return notes;
}

/** Clients over mean requests under way in a run that is mostly ramp and drain. */
const idleRatio = 4;

/** Mean requests under way, as stated or by Little's law. */
function shownUnderWay({ meanUnderWay, requestThroughput, metrics: { e2e } }: MeasuredBenchmark): number | null {
  if (meanUnderWay !== null) return meanUnderWay;
  return requestThroughput === null || e2e?.mean === undefined ? null : (requestThroughput * e2e.mean) / 1e3;
}

function unstatedLoad(benchmark: MeasuredBenchmark, own: string): string {
  const { requestThroughput } = benchmark;
  const underWay = shownUnderWay(benchmark);
  const known = [
    ...(underWay === null ? [] : [`${formatNumber(underWay, 3)} requests under way`]),
    ...(requestThroughput === null ? [] : [`${formatNumber(requestThroughput)} completed a second`]),
  ];
  const shown = known.length === 0 ? "" : ` (it shows ${known.join(", ")})`;
  return `the measurement does not state its load${shown}: taken for the scenario's, ${own}`;
}

/** Requests per second over the span of a table; Infinity where all come at once. */
export function requestRateOf({ arrivalNs, count }: RequestTable): number {
  const spanNs = (arrivalNs[count - 1] ?? 0) - (arrivalNs[0] ?? 0);
  return spanNs > 0 ? ((count - 1) * 1e9) / spanNs : Number.POSITIVE_INFINITY;
}

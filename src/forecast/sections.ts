import { quantiles } from "../core/quantile.ts";
import { mean } from "../core/statistics.ts";
import { meetsLimits, type RequestLimits } from "../metrics/goodput.ts";
import { type Sections, sectionMetrics } from "../metrics/run-sections.ts";
import type { LoadVerdict } from "../sim/outcome/load/load-verdict.ts";
import { countedRequests, requestValues } from "../sim/outcome/request-latencies.ts";
import { type RunResult, requestStatus } from "../sim/result.ts";

/**
 * Sections of a run. A percentile that is given has ten samples beyond it, so each of ten sections has one; Schmeiser
 * (1982) advises 10 to 30.
 */
const sectionCount = 10;

/** Sections of counted requests by arrival; of the rates, of all requests by completion. */
export function sectionsOf(
  run: RunResult,
  load: Pick<LoadVerdict, "verdict">,
  limits: RequestLimits | null,
): Sections | null {
  if (load.verdict === "overloaded") return null;
  const counted = countedRequests(run.requests, null);
  const latency = Object.fromEntries(
    sectionMetrics.map((metric) => {
      const parts = split(requestValues(run.requests, metric, counted));
      return [metric, parts === null ? null : statistics(parts)] as const;
    }),
  ) as Sections["latency"];
  const good = limits === null ? null : split(counted);
  return {
    latency,
    goodput:
      good?.map(
        (requests) => requests.filter((one) => meetsLimits(run.requests, limits, one)).length / requests.length,
      ) ?? null,
    ...rates(run),
  };
}

/** Equal parts of a list; what does not fill one is left out at the start. */
function split<T extends Float64Array | Uint32Array>(values: T): T[] | null {
  const size = Math.floor(values.length / sectionCount);
  if (size === 0) return null;
  const start = values.length - size * sectionCount;
  return Array.from({ length: sectionCount }, (_, i) => values.slice(start + i * size, start + (i + 1) * size) as T);
}

function statistics(parts: readonly Float64Array[]): NonNullable<Sections["latency"]["ttft"]> {
  const nsPerMs = 1e6;
  const found = parts.map((part) => [mean(part), ...quantiles(part, [0.5, 0.9, 0.99])]);
  const column = (at: number) => found.map((row) => row[at]! / nsPerMs);
  return { mean: column(0), p50: column(1), p90: column(2), p99: column(3) };
}

/** Requests and their output tokens over the time between the last completions of one section and the next. */
function rates({ requests }: RunResult): Pick<Sections, "requestsPerSecond" | "outputTokensPerSecond"> {
  const none = { requestsPerSecond: null, outputTokensPerSecond: null };
  const completed = Uint32Array.from(requests.status.keys()).filter(
    (request) => requests.status[request] === requestStatus.completed,
  );
  const ended = (request: number) => requests.lastTokenNs[request]!;
  completed.sort((a, b) => ended(a) - ended(b) || a - b);
  const parts = split(completed);
  if (parts === null) return none;
  const leftOut = completed.length - sectionCount * (parts[0]?.length ?? 0);
  const ends = [
    leftOut === 0 ? (requests.arrivalNs[0] ?? 0) : ended(completed[leftOut - 1]!),
    ...parts.map((part) => ended(part.at(-1)!)),
  ];
  const seconds = parts.map((_, i) => (ends[i + 1]! - ends[i]!) / 1e9);
  if (seconds.some((duration) => duration <= 0)) return none;
  const tokens = (part: Uint32Array) => part.reduce((sum, request) => sum + requests.outputTokens[request]!, 0);
  return {
    requestsPerSecond: parts.map((part, i) => part.length / seconds[i]!),
    outputTokensPerSecond: parts.map((part, i) => tokens(part) / seconds[i]!),
  };
}

import { type LatencyStatistics, latencyStatistics } from "../../../src/calibrate/measured/latency-statistics.ts";
import { RandomStream } from "../../../src/core/random.ts";

/** A request of a made-up run, from which each format of results is written. Times s. */
interface ExampleRequest {
  readonly start: number;
  readonly prompt: number;
  readonly output: number;
  readonly queue: number;
  readonly ttft: number;
  /** The output - 1 gaps between tokens. */
  readonly gaps: readonly number[];
}

/** Seeded requests; the times are multiples of 2^-20 s, so that sums and differences of them are exact. */
export function exampleRequests(count = 40): ExampleRequest[] {
  const rng = new RandomStream(7, "example-run");
  const seconds = (mean: number) => Math.max(1, Math.round(rng.exponential(mean) * 1048576)) / 1048576;
  let start = 1000;
  return Array.from({ length: count }, () => {
    start += seconds(0.1);
    const output = 1 + rng.below(8);
    const queue = seconds(0.01);
    const gaps = Array.from({ length: output - 1 }, () => seconds(0.02));
    return { start, prompt: 1 + rng.below(2000), output, queue, ttft: queue + seconds(0.2), gaps };
  });
}

export const e2eOf = (request: ExampleRequest) => request.gaps.reduce((sum, gap) => sum + gap, request.ttft);
export const tpotOf = (request: ExampleRequest) => (e2eOf(request) - request.ttft) / (request.output - 1);
export const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

/** What every reader has to find in the run. */
export function expectedOf(requests: readonly ExampleRequest[]) {
  const ms = (seconds: readonly number[]) => latencyStatistics(Float64Array.from(seconds, (value) => value * 1e3));
  const spanSeconds = Math.max(...requests.map((r) => r.start + e2eOf(r))) - Math.min(...requests.map((r) => r.start));
  const outputTokens = sumOf(requests.map((r) => r.output));
  return {
    ttft: ms(requests.map((r) => r.ttft)),
    tpot: ms(requests.filter((r) => r.output > 1).map(tpotOf)),
    itl: ms(requests.flatMap((r) => r.gaps)),
    e2e: ms(requests.map(e2eOf)),
    spanSeconds,
    outputTokensPerSecond: outputTokens / spanSeconds,
    requestThroughput: requests.length / spanSeconds,
    meanPromptTokens: sumOf(requests.map((r) => r.prompt)) / requests.length,
    meanOutputTokens: outputTokens / requests.length,
  };
}

export type Expected = ReturnType<typeof expectedOf>;

/** Statistics in another unit and under other names. */
export function renamed(
  statistics: LatencyStatistics,
  names: Partial<Record<keyof LatencyStatistics, string>>,
  perMs: number,
): Record<string, number> {
  const entries = Object.entries(statistics) as [keyof LatencyStatistics, number][];
  return Object.fromEntries(entries.map(([name, value]) => [names[name] ?? name, value * perMs]));
}

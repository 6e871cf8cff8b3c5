import { formatCount, formatDollars, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { latencies } from "../metrics/latencies.ts";
import { metrics } from "../metrics/metrics.ts";
import { sustainedText } from "../sim/outcome/load/load-text.ts";
import { headlineSeparator } from "./page.ts";

/** One line that says what a reader needs first. */
export const headline = (forecast: Forecast): string => headlineParts(forecast).join(headlineSeparator);

/** Its parts: verdict, throughput, tail latency, cost, expert cache, and whether nothing near was measured. */
export function headlineParts(forecast: Forecast): string[] {
  const { cost, cache, latency, load } = forecast;
  const parts = [verdictOf(forecast)];
  const overloaded = load.verdict === "overloaded";
  parts.push(`${formatNumber(forecast.throughput.outputTokensPerSecondPerDevice, 4)} output tok/s per device`);
  if (!overloaded)
    for (const metric of ["ttft", "tpot"] as const) {
      const { p50, p99, intervals } = latency[metric];
      const [name, value] = intervals.p99 === undefined ? ["p99", p99] : ["p50", p50];
      if (value !== null && intervals.p50 === undefined)
        parts.push(`${latencies[metric].label} ${name} ${formatDuration(value * 1e6)}`);
    }
  if (cost !== null) parts.push(`${formatDollars(cost.usdPerMillionOutputTokens)}/Mtok output`);
  const hits = metrics.expertCacheHit.of(forecast);
  if (cache !== null && hits !== null) {
    // A set that is loaded at start is at its optimum or nearly; what is sent ahead may hit more than any cache.
    const { reference } = cache;
    const optimum =
      reference === null || reference.belady <= hits ? "" : ` (optimum ${formatPercent(reference.belady)})`;
    parts.push(`expert hits ${formatPercent(hits)}${optimum}`);
  }
  if (forecast.bands !== null && forecast.bands.unvalidated !== null) parts.push("unvalidated");
  return parts.join(headlineSeparator).split(headlineSeparator);
}

/** How a run came out: interrupted or not, SLOs and regressions, whether it keeps up with its load. */
export function verdictOf(forecast: Forecast): string {
  const { requests, interrupted, load } = forecast;
  const parts = [judged(forecast)];
  if (requests.total > 0 && requests.rejected === requests.total)
    parts.unshift(`ALL ${formatCount(requests.total)} REQUESTS REJECTED`);
  if (interrupted)
    parts.unshift(`INTERRUPTED at ${formatCount(requests.completed)} of ${formatCount(requests.total)} requests`);
  if (load.verdict === "overloaded") {
    const rate = sustainedText(load);
    parts.push(`OVERLOADED${rate === null ? "" : `, sustains ${rate}`}`);
  } else if (load.verdict === "tooShort") {
    const enough = load.requestsNeeded;
    parts.push(`TOO SHORT to tell${enough === null ? "" : `, about ${formatCount(enough)} requests would do`}`);
  }
  return parts.join(headlineSeparator);
}

/** `PASS 5 of 5 SLOs met`, `FAIL 14 regressions, 5 of 5 SLOs met`; what failed comes first. */
function judged({ slos, baseline, interrupted, passed, requests }: Forecast): string {
  const errors = slos.filter((slo) => slo.level === "error");
  const met = `${errors.filter((slo) => slo.passed).length} of ${errors.length} SLOs met`;
  if (interrupted) return `${met} so far`;
  const regressions = baseline?.filter((delta) => delta.failed).length ?? 0;
  const worse =
    regressions === 0 ? "no regression" : `${regressions} ${regressions === 1 ? "regression" : "regressions"}`;
  const parts = [...(baseline === null ? [] : [worse]), ...(errors.length === 0 ? [] : [met])];
  if (!passed) parts.reverse();
  if (parts.length === 0) return requests.completed > 0 ? "DONE" : "NOTHING SERVED";
  return `${passed && regressions === 0 ? "PASS" : "FAIL"} ${parts.join(", ")}`;
}

import { formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import { dollars, sustainedRate } from "./labels.ts";

/** One line that says what a reader needs first: verdict, throughput, tail latency, cost, expert cache. */
export function headline(forecast: Forecast): string {
  const { requests, cost, cache, latency } = forecast;
  const parts: string[] = [];
  if (forecast.interrupted)
    parts.push(`INTERRUPTED at ${formatCount(requests.completed)} of ${formatCount(requests.total)} requests`);
  if (requests.total > 0 && requests.rejected === requests.total)
    parts.push(`ALL ${formatCount(requests.total)} REQUESTS REJECTED`);
  parts.push(verdict(forecast));
  const overloaded = forecast.saturation.verdict === "overloaded";
  if (overloaded) {
    const rate = sustainedRate(forecast);
    parts.push(`OVERLOADED${rate === null ? "" : `, sustains ${rate}`}`);
  }
  parts.push(`${formatNumber(forecast.throughput.outputTokensPerSecondPerDevice, 4)} output tok/s per device`);
  if (!overloaded)
    for (const metric of ["ttft", "tpot"] as const) {
      const { p50, p99 } = latency[metric];
      const value = p99 ?? p50;
      if (value !== null)
        parts.push(`${metric.toUpperCase()} ${p99 === null ? "p50" : "p99"} ${formatDuration(value * 1e6)}`);
    }
  if (cost !== null) parts.push(`${dollars(cost.usdPerMillionOutputTokens)}/Mtok output`);
  if (cache !== null && cache.accesses > 0) {
    const optimum = cache.reference === null ? "" : ` (optimum ${formatPercent(cache.reference.belady)})`;
    parts.push(`expert hits ${formatPercent(cache.hits / cache.accesses)}${optimum}`);
  }
  return parts.join(" | ");
}

/** `PASS 5 of 5 SLOs met`, `FAIL 14 regressions, 5 of 5 SLOs met`; what failed comes first. */
function verdict({ slos, baseline, interrupted, passed, requests }: Forecast): string {
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

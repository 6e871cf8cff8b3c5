import { formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";

/** One line that says what a reader needs first: verdict, throughput, tail latency, cost, expert cache. */
export function headline(forecast: Forecast): string {
  const errors = forecast.slos.filter((slo) => slo.level === "error");
  const failed = errors.filter((slo) => !slo.passed).length;
  const verdict =
    errors.length === 0
      ? forecast.passed
        ? "DONE"
        : "FAIL"
      : `${forecast.passed ? "PASS" : "FAIL"} ${errors.length - failed}/${errors.length} SLOs`;
  const parts = [verdict];
  if (forecast.saturation.verdict === "overloaded") {
    const rate = forecast.saturation.sustainedRequestsPerSecond;
    parts.push(`OVERLOADED${rate === null ? "" : `, sustains ${formatNumber(rate)} requests/s`}`);
  }
  parts.push(`${formatNumber(forecast.throughput.outputTokensPerSecondPerDevice, 4)} output tok/s per device`);
  const { ttft, tpot } = forecast.latency;
  const tail = (name: string, stats: typeof ttft) => {
    const [label, value] = stats.p99 !== null ? ["p99", stats.p99] : ["p50", stats.p50];
    if (value !== null) parts.push(`${name} ${label} ${formatDuration(value * 1e6)}`);
  };
  if (forecast.saturation.verdict !== "overloaded") {
    tail("TTFT", ttft);
    tail("TPOT", tpot);
  }
  if (forecast.cost !== null) parts.push(`$${formatNumber(forecast.cost.usdPerMillionOutputTokens)}/Mtok`);
  const { cache } = forecast;
  if (cache !== null && cache.accesses > 0) {
    const optimum = cache.reference === null ? "" : ` (optimum ${formatPercent(cache.reference.belady)})`;
    parts.push(`expert hits ${formatPercent(cache.hits / cache.accesses)}${optimum}`);
  }
  return parts.join(" | ");
}

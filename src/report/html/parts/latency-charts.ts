import { formatCount, formatPercent } from "../../../core/units.ts";
import type { Forecast } from "../../../forecast/forecast.ts";
import { picturedLatencies } from "../../../forecast/picture/latency-picture.ts";
import { latencies } from "../../../metrics/latencies.ts";
import { parseExpression, parseTarget } from "../../../scenario/slo-expression.ts";
import { milliseconds } from "../../labels.ts";
import type { Chart } from "../charts/chart.ts";
import { type LineChart, lineChart } from "../charts/line-chart.ts";
import { percentileText } from "./percentile-text.ts";

type Metric = (typeof picturedLatencies)[number];

/** Distributions of latency over requests, with the limits that they are held against and their error bands. */
export function latencyCharts(forecast: Forecast): Chart[] {
  const { picture, load } = forecast;
  if (picture === undefined || load.verdict === "overloaded") return [];
  const { shares, ms } = picture.latency;
  return picturedLatencies.flatMap((metric) => {
    const values = ms[metric];
    if (values.length !== shares.length || values.length === 0) return [];
    const { label } = latencies[metric];
    const stats = forecast.latency[metric];
    const limits = limitsOn(forecast, metric);
    const band = bandOf(forecast, metric);
    return [
      lineChart({
        title: label,
        caption:
          `${label} of ${formatCount(stats.n)} requests: median ${percentileText(stats, "p50")}, p99 ${percentileText(stats, "p99")}.` +
          (band.length === 0 ? "" : ` Shaded: ${band[0]!.name}.`),
        x: { label: `${label} of a request`, kind: "log", format: milliseconds },
        y: { label: "share of requests", kind: "linear", most: 1, format: (value) => formatPercent(value, 0) },
        series: [
          {
            name: label,
            points: values.map((value, i) => [value, shares[i]!] as const).filter(([value]) => value > 0),
          },
        ],
        uprights: limits,
        bands: band,
      }),
    ];
  });
}

/** Upper limits on the metric over all classes, as the scenario's SLOs state them. */
function limitsOn({ slos }: Forecast, metric: Metric): NonNullable<LineChart["uprights"]> {
  return slos.flatMap(({ metric: name, expression }) => {
    const target = parseTarget(name);
    if (!("ok" in target) || target.ok.metric !== metric || target.ok.requestClass !== null) return [];
    const parsed = parseExpression(expression, metric);
    if (!("ok" in parsed) || !(parsed.ok.limit > 0)) return [];
    return [{ at: parsed.ok.limit / 1e6, name: expression, kind: "limit" as const }];
  });
}

/** Where the measured median of TTFT, or mean of TPOT, is expected. */
function bandOf({ bands }: Forecast, metric: Metric): NonNullable<LineChart["bands"]> {
  const range = metric === "e2e" ? null : (bands?.metrics[metric] ?? null);
  if (bands === null || range === null) return [];
  const of = metric === "ttft" ? "median TTFT" : "mean TPOT";
  const text = `${formatPercent(bands.nominal, 0)} band of the ${of}, ${milliseconds(range.lowMs)} to ${milliseconds(range.highMs)}`;
  return [{ from: range.lowMs, to: range.highMs, name: text }];
}

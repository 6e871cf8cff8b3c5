import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../../../core/units.ts";
import type { Forecast } from "../../../forecast/forecast.ts";
import { timeComponents } from "../../../sim/result.ts";
import { componentLabel } from "../../labels.ts";
import { barChart } from "../charts/bar-chart.ts";
import type { Chart } from "../charts/chart.ts";
import { lineChart } from "../charts/line-chart.ts";

/** Shares below this are not drawn. */
const shareMin = 0.0005;

/** Where step time goes, of the deployment or of each of its pools. */
export function timeCharts(forecast: Forecast): Chart[] {
  const { pools, timeShare } = forecast;
  const of = (title: string, shares: Forecast["timeShare"], caption: string): Chart => {
    const parts = timeComponents
      .map((component) => ({ name: componentLabel(component), share: shares[component] }))
      .filter(({ share }) => share >= shareMin)
      .sort((a, b) => b.share - a.share);
    return barChart({
      title,
      caption,
      bars: parts.map(({ name, share }) => ({ name, share, text: formatPercent(share) })),
      data: {
        columns: ["part of a step", "share"],
        rows: parts.map(({ name, share }) => [name, formatPercent(share, 2)]),
      },
    });
  };
  if (pools === undefined) return [of("Step time", timeShare, "Shares of the time of all steps.")];
  return pools.map((pool) =>
    of(
      `Step time of ${pool.name}`,
      pool.timeShare,
      `Steps fill ${formatPercent(pool.utilisation)} of the time that its replicas are on.`,
    ),
  );
}

const resourcesShown = 14;

/** How busy devices, links, disks and processors were, the busiest first. */
export function busyChart({ resources }: Forecast): Chart[] {
  const busy = resources
    .filter(({ utilisation }) => utilisation >= shareMin)
    .sort((a, b) => b.utilisation - a.utilisation);
  if (busy.length === 0) return [];
  const shown = busy.slice(0, resourcesShown);
  const beside = (bytes: number): string => (bytes > 0 ? `, ${formatBytes(bytes)}` : "");
  const more =
    busy.length > shown.length ? ` The busiest ${shown.length} of ${formatCount(busy.length)} are drawn.` : "";
  return [
    barChart({
      title: "Devices, links and processors",
      caption: `Share of the simulated time that each was busy, and what was sent over it.${more}`,
      bars: shown.map(({ name, utilisation, bytes }) => ({
        name,
        share: utilisation,
        text: `${formatPercent(utilisation)}${beside(bytes)}`,
      })),
      data: {
        ranked: true,
        columns: ["resource", "busy", "time", "bytes"],
        rows: busy.map(({ name, utilisation, busyNs, bytes }) => [
          name,
          formatPercent(utilisation, 2),
          formatDuration(busyNs),
          bytes > 0 ? formatBytes(bytes) : "",
        ]),
      },
    }),
  ];
}

/** Requests, memory and throughput over the time of the run. */
export function loadCharts({ series }: Forecast): Chart[] {
  const { intervalS, waiting, running, kvUse, outputTokensPerSecond } = series;
  if (waiting.length < 2) return [];
  const unit = intervalS * waiting.length >= 300 ? { name: "minutes", s: 60 } : { name: "seconds", s: 1 };
  const over = (values: readonly number[]) => values.map((value, i) => [(i * intervalS) / unit.s, value] as const);
  const x = {
    label: `${unit.name} of simulated time`,
    kind: "linear",
    format: (value: number) => formatNumber(value),
  } as const;
  const most = (values: readonly number[]): number => values.reduce((high, value) => Math.max(high, value), 0);
  const count = (value: number): string => formatNumber(value);
  return [
    lineChart({
      title: "Requests over time",
      caption: `At most ${formatCount(most(running))} requests are in the batch at once, and ${formatCount(most(waiting))} wait.`,
      x,
      y: { label: "requests", kind: "linear", format: count },
      series: [
        { name: "running", points: over(running) },
        { name: "waiting", points: over(waiting) },
      ],
      stepped: true,
    }),
    lineChart({
      title: "Throughput over time",
      caption: `Output tokens in each interval of ${formatDuration(intervalS * 1e9)}.`,
      x,
      y: { label: "output tokens/s", kind: "linear", format: count },
      series: [{ name: "output tokens/s", points: over(outputTokensPerSecond) }],
      stepped: true,
    }),
    lineChart({
      title: "KV cache over time",
      caption: `At most ${formatPercent(most(kvUse))} of its blocks are in use.`,
      x,
      y: { label: "blocks in use", kind: "linear", format: (value) => formatPercent(value, value < 0.02 ? 1 : 0) },
      series: [{ name: "in use", points: over(kvUse) }],
      stepped: true,
    }),
  ];
}

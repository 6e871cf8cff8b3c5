import { printable } from "../core/errors.ts";
import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { type Forecast, type LatencyStats, latencyMetrics, type SloVerdict } from "../forecast/forecast.ts";
import { timeComponents } from "../sim/result.ts";
import { definitions } from "./definitions.ts";
import { headline } from "./headline.ts";
import { bar, plainStyle, type TextStyle, textTable, wrap } from "./text-table.ts";

const width = 112;

/** How much a summary shows. */
export type SummaryMode = "full" | "compact";

/** The forecast as text for a terminal. `compact` stops after verdicts, latency and throughput. */
export function terminalSummary(forecast: Forecast, style: TextStyle = plainStyle, mode: SummaryMode = "full"): string {
  const sections = [
    title(forecast, style),
    slos(forecast, style),
    latency(forecast, style),
    throughput(forecast, style),
    ...(mode === "compact"
      ? []
      : [
          experts(forecast, style),
          cache(forecast, style),
          memory(forecast, style),
          time(forecast, style),
          baseline(forecast, style),
          ledger(forecast, style),
          meanings(style),
        ]),
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function title(forecast: Forecast, style: TextStyle): string[] {
  const { scenario, deployment, seed, engineVersion } = forecast;
  const { tp, dp, pp, ep, etp } = deployment.mapping;
  const copies = deployment.replicas > 1 ? `, ${deployment.replicas} replicas` : "";
  const formats = [...new Set(Object.values(deployment.formats))].join("/");
  const verdict = headline(forecast);
  return [
    style.bold(printable(scenario.name)) + style.dim(`  moecast ${engineVersion}, seed ${seed}`),
    ...(scenario.description === "" ? [] : wrap(scenario.description, width).map(style.dim)),
    `${printable(deployment.model)} (${formats}) on ${deployment.devices} x ${printable(deployment.device)}, ` +
      `tp${tp} dp${dp} pp${pp} / ep${ep} etp${etp}${copies}, ${deployment.engine}`,
    `placement ${deployment.placement}` + (deployment.offload === null ? "" : `, expert cache ${deployment.offload}`),
    "",
    (forecast.passed ? style.good : style.bad)(style.bold(verdict)),
    ...(forecast.interrupted ? [style.warn("interrupted: figures cover what had happened until then")] : []),
  ];
}

function slos(forecast: Forecast, style: TextStyle): string[] {
  if (forecast.slos.length === 0) return [];
  const mark = (slo: SloVerdict) => (slo.passed ? "ok" : slo.level === "warn" ? "warn" : "FAIL");
  const rows = textTable(
    forecast.slos.map((slo) => [
      mark(slo),
      slo.metric,
      slo.expression,
      slo.observedText,
      slo.margin === null ? "" : `margin ${formatPercent(slo.margin)}`,
      slo.reason ?? `n = ${formatCount(slo.samples)}`,
    ]),
  );
  const colour = (slo: SloVerdict) => (slo.passed ? style.good : slo.level === "warn" ? style.warn : style.bad);
  return [style.bold("SLOs"), ...rows.map((row, i) => colour(forecast.slos[i] as SloVerdict)(row))];
}

const ms = (value: number | null) => (value === null ? "n/a" : formatDuration(value * 1e6));

function latencyRow(name: string, stats: LatencyStats): string[] {
  const mean = stats.meanHalfWidth === null ? ms(stats.mean) : `${ms(stats.mean)} ± ${ms(stats.meanHalfWidth)}`;
  const cells = [stats.p50, stats.p90, stats.p95, stats.p99, stats.p999, stats.max].map(ms);
  return [name, mean, ...cells, formatCount(stats.n)];
}

function latency(forecast: Forecast, style: TextStyle): string[] {
  const { saturation } = forecast;
  if (saturation.verdict === "overloaded") {
    const rate = saturation.sustainedRequestsPerSecond;
    return [
      style.bold("Latency"),
      `  n/a: overloaded. Offered ${formatNumber(saturation.offeredRequestsPerSecond ?? 0)} requests/s, ` +
        `sustains ${rate === null ? "unknown" : formatNumber(rate)} requests/s`,
      style.dim(`  ${saturation.reason}`),
    ];
  }
  const rows = latencyMetrics.map((metric) => latencyRow(metric.toUpperCase(), forecast.latency[metric]));
  const classes = Object.keys(forecast.latencyByClass);
  const byClass =
    classes.length < 2
      ? []
      : classes.flatMap((name) =>
          latencyMetrics
            .filter((metric) => metric !== "queue")
            .map((metric) => {
              const stats = forecast.latencyByClass[name]?.[metric];
              return stats === undefined ? [] : latencyRow(`${metric.toUpperCase()} ${name}`, stats);
            }),
        );
  const header = ["", "mean", "p50", "p90", "p95", "p99", "p99.9", "max", "n"];
  const right = header.map((_, i) => (i === 0 ? "left" : "right") as "left" | "right");
  const steady = forecast.steadyState.reached ? "steady state" : `not a steady state: ${forecast.steadyState.reason}`;
  return [style.bold("Latency") + style.dim(`  ${steady}`), ...textTable([header, ...rows, ...byClass], right)];
}

function throughput(forecast: Forecast, style: TextStyle): string[] {
  const { throughput: t, requests, cost, energy } = forecast;
  const rows: string[][] = [
    [
      "output tokens/s",
      formatNumber(t.outputTokensPerSecond, 4),
      `${formatNumber(t.outputTokensPerSecondPerDevice, 4)} per device`,
    ],
    ["all tokens/s", formatNumber(t.totalTokensPerSecond, 4), `${formatNumber(t.meanBatchTokens)} tokens per step`],
    [
      "requests/s",
      formatNumber(t.requestsPerSecond, 4),
      `${formatCount(requests.completed)} of ${formatCount(requests.total)} in ${formatDuration(t.durationS * 1e9)}`,
    ],
  ];
  if (requests.rejected > 0)
    rows.push(["rejected", formatCount(requests.rejected), "longer than the context or the KV cache"]);
  if (requests.unfinished > 0) rows.push(["unfinished", formatCount(requests.unfinished), ""]);
  if (requests.preemptions > 0)
    rows.push(["preemptions", formatCount(requests.preemptions), "recomputed for want of KV blocks"]);
  if (t.goodput !== null) rows.push(["goodput", formatPercent(t.goodput), "of measured requests"]);
  if (cost !== null)
    rows.push([
      "cost",
      `$${formatNumber(cost.usdPerMillionOutputTokens)}`,
      `per million output tokens at $${formatNumber(cost.usdPerHour)}/h`,
    ]);
  if (energy !== null)
    rows.push([
      "energy",
      `${formatNumber(energy.joulesPerOutputToken)} J`,
      `per output token, ${formatNumber(energy.averageW)} W on average`,
    ]);
  return [style.bold("Throughput"), ...textTable(rows, ["left", "right", "left"])];
}

function experts(forecast: Forecast, style: TextStyle): string[] {
  const { experts: e } = forecast;
  if (e === null) return [];
  const rows = [
    [
      "imbalance",
      formatNumber(e.imbalance, 4),
      `heaviest / mean rank, mean over steps and layers; worst step ${formatNumber(e.imbalanceMax)}`,
    ],
    ["distinct experts", formatNumber(e.distinctExpertsPerStep, 4), "touched per layer and step"],
  ];
  const worst = [...e.layers.entries()].sort(([, a], [, b]) => b.imbalance - a.imbalance)[0];
  if (worst !== undefined && e.rankLoad.length > 1) {
    rows.push(["worst MoE layer", String(worst[0]), `imbalance ${formatNumber(worst[1].imbalance, 4)}`]);
    const loads = e.rankLoad.slice(0, 16).map((load) => formatNumber(load));
    rows.push(["load by rank", "", loads.join(" ") + (e.rankLoad.length > 16 ? " ..." : "")]);
  }
  return [style.bold("Expert load"), ...textTable(rows, ["left", "right", "left"])];
}

function cache(forecast: Forecast, style: TextStyle): string[] {
  const { cache: c } = forecast;
  if (c === null) return [];
  const rate = (share: number) => formatPercent(share, 2);
  const rows = [
    [
      `${c.policy}`,
      rate(c.accesses === 0 ? 0 : c.hits / c.accesses),
      `${formatCount(c.accesses)} accesses over the run`,
    ],
  ];
  if (c.reference !== null) {
    const partial = c.reference.accesses < c.accesses ? `, first ${formatCount(c.reference.accesses)} accesses` : "";
    rows.push(["optimum (Belady)", rate(c.reference.belady), `clairvoyant, same slots${partial}`]);
    rows.push(["best fixed set", rate(c.reference.bestStatic), "chosen with hindsight"]);
    rows.push(["LRU", rate(c.reference.lru), ""]);
  }
  rows.push([
    "union / slots",
    formatNumber(c.unionOverCapacity),
    "distinct experts per call over slots; above 1 policies converge",
  ]);
  rows.push([
    "fetched",
    formatBytes(c.fetchedBytes),
    `${formatCount(c.misses)} misses, ${formatCount(c.diskReads)} from NVMe`,
  ]);
  const scope = c.scope === "layer" ? "slots per layer" : "slots in all";
  return [
    style.bold("Expert cache") + style.dim(`  hit rate with ${formatCount(c.slots)} ${scope}`),
    ...textTable(rows, ["left", "right", "left"]),
  ];
}

function memory(forecast: Forecast, style: TextStyle): string[] {
  const lines = [style.bold("Memory") + style.dim("  per device of the fullest stage")];
  for (const tier of forecast.memory.tiers) {
    const share = tier.usedBytes / tier.capacityBytes;
    lines.push(
      `  ${tier.tier}  ${formatBytes(tier.usedBytes)} of ${formatBytes(tier.capacityBytes)}  ${bar(share)} ${formatPercent(share)}`,
    );
    lines.push(
      ...textTable(
        tier.items.map((item) => [item.name, formatBytes(item.bytes)]),
        ["left", "right"],
        "    ",
      ),
    );
  }
  const { kv } = forecast;
  lines.push(
    `  KV cache: ${formatBytes(forecast.memory.kvBytesPerToken)} per token, at most ${formatPercent(kv.peakShare)} in use` +
      (kv.prefixHitRate === null ? "" : `, prefix hit rate ${formatPercent(kv.prefixHitRate)}`),
  );
  return lines;
}

function time(forecast: Forecast, style: TextStyle): string[] {
  const shares = timeComponents
    .map((component) => ({ component, share: forecast.timeShare[component] }))
    .filter(({ share }) => share >= 0.0005)
    .sort((a, b) => b.share - a.share);
  const { bottleneck } = forecast;
  const busy = forecast.resources
    .filter((resource) => resource.utilisation >= 0.0005)
    .slice(0, 12)
    .map((resource) => [
      resource.name,
      formatPercent(resource.utilisation),
      bar(resource.utilisation),
      resource.bytes > 0 ? formatBytes(resource.bytes) : "",
    ]);
  return [
    style.bold("Where step time goes"),
    ...textTable(
      shares.map(({ component, share }) => [component, formatPercent(share), bar(share)]),
      ["left", "right"],
    ),
    `  bottleneck: ${bottleneck.component}, ${formatPercent(bottleneck.share)}. ${bottleneck.advice}`,
    ...(busy.length === 0 ? [] : [style.bold("Busy"), ...textTable(busy, ["left", "right", "left", "right"])]),
  ];
}

function baseline(forecast: Forecast, style: TextStyle): string[] {
  if (forecast.baseline === null) return [];
  const rows = forecast.baseline.map((delta) => [
    delta.failed ? "FAIL" : "ok",
    delta.metric,
    formatNumber(delta.before, 4),
    delta.after === null ? "n/a" : formatNumber(delta.after, 4),
    delta.regression === null
      ? "missing now"
      : `${delta.regression > 0 ? "worse" : "better"} by ${formatPercent(Math.abs(delta.regression))}`,
  ]);
  return [
    style.bold("Against the baseline"),
    ...textTable([["", "metric", "before", "after", ""], ...rows], ["left", "left", "right", "right", "left"]),
  ];
}

function ledger(forecast: Forecast, style: TextStyle): string[] {
  const topics = Math.min(28, Math.max(...forecast.ledger.map((entry) => entry.topic.length), 0));
  const lines = forecast.ledger.flatMap((entry) => {
    const head = `  ${entry.fidelity.padEnd(9)}  ${entry.topic.padEnd(topics)}  `;
    return wrap(entry.detail, Math.max(40, width - head.length)).map((text, i) =>
      i === 0 ? head + text : " ".repeat(head.length) + text,
    );
  });
  return [style.bold("Fidelity ledger") + style.dim("  what these figures rest on"), ...lines];
}

function meanings(style: TextStyle): string[] {
  return [
    style.bold("Definitions"),
    ...textTable(Object.entries(definitions).map(([name, text]) => [name, text])).map(style.dim),
  ];
}

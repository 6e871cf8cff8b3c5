import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { Forecast } from "../forecast/forecast.ts";
import type { prefetching } from "../metrics/expert-metrics.ts";
import { metrics } from "../metrics/metrics.ts";
import { lossyActions, type MissAction } from "../policy/miss/miss-policy.ts";
import { timeComponents } from "../sim/result.ts";
import { definitions } from "./definitions.ts";
import { componentLabel } from "./labels.ts";
import type { PageColumn, PageSection } from "./page.ts";
import type { SummaryLevel } from "./summary-level.ts";

const figureColumns: readonly PageColumn[] = [{ header: "" }, { header: "", align: "right" }, { header: "" }];

/** Ranks whose load is listed. */
const ranksShown = 16;

/** How evenly experts load their ranks. */
export function expertsSection({ experts }: Forecast): PageSection[] {
  if (experts === null) return [];
  const ranks = experts.rankLoad.length;
  const rows = [
    [
      metrics.imbalance.label,
      formatNumber(experts.imbalance, 4),
      ranks === 1
        ? "one rank holds every expert"
        : `heaviest / mean rank, mean over steps and layers; worst step ${formatNumber(experts.imbalanceMax)}`,
    ],
    [
      metrics.expertSkew.label,
      formatNumber(experts.expertSkew, 4),
      "heaviest / mean expert over the run, mean over layers",
    ],
    [metrics.distinctExperts.label, formatNumber(experts.distinctExpertsPerStep, 4), "touched per layer and step"],
  ];
  const [worst] = [...experts.layers.entries()].sort(([, a], [, b]) => b.imbalance - a.imbalance);
  if (worst !== undefined && ranks > 1) {
    rows.push(["worst MoE layer", String(worst[0]), `imbalance ${formatNumber(worst[1].imbalance, 4)}`]);
    const loads = experts.rankLoad.slice(0, ranksShown).map((load) => load.toFixed(2));
    const more = ranks > ranksShown ? ` and ${ranks - ranksShown} more` : "";
    rows.push(["load by rank", "", `${loads.join(" ")}${more}, of the mean rank`]);
    rows.push(...exchangeRows(experts));
  }
  return [{ kind: "table", only: "terminal", title: "Expert load", columns: figureColumns, rows }];
}

/** What ranks sent one another for the experts. */
function exchangeRows({ balance, exchange }: NonNullable<Forecast["experts"]>): string[][] {
  const rows: string[][] = [];
  if (balance !== undefined)
    rows.push([
      metrics.balancedness.label,
      formatNumber(balance.balancedness, 4),
      "mean / heaviest rank, summed over layers, mean over steps",
    ]);
  if (exchange === undefined) return rows;
  const { ranksPerToken, nodesPerToken, bytes, busiest, countedShare } = exchange;
  rows.push([
    metrics.ranksPerToken.label,
    formatNumber(ranksPerToken, 4),
    `with its experts, on ${formatNumber(nodesPerToken, 4)} ${nodesPerToken === 1 ? "node" : "nodes"}${countedShare < 1 ? `; from ${formatPercent(countedShare, 1)} of the recorded tokens read` : ""}`,
  ]);
  if (bytes === null || busiest === null) return rows;
  const near = bytes.dispatch.near + bytes.combine.near;
  const far = bytes.dispatch.far + bytes.combine.far;
  rows.push([
    "exchange of experts",
    formatBytes(near + far),
    `${formatBytes(far)} of it between nodes; busiest sender ${formatNumber(busiest.sender, 3)} x the mean, receiver ${formatNumber(busiest.receiver, 3)} x`,
  ]);
  return rows;
}

/** Hits of the expert cache beside what any cache could have had. */
export function cacheSection(forecast: Forecast): PageSection[] {
  const { cache } = forecast;
  if (cache === null) return [];
  const rate = (share: number) => formatPercent(share, 2);
  const { reference, accesses } = cache;
  const rows = [
    [cache.policy, rate(metrics.expertCacheHit.of(forecast) ?? 0), `${formatCount(accesses)} accesses over the run`],
  ];
  if (reference !== null) {
    if (reference.accesses < accesses)
      rows.push([
        `${cache.policy}, start`,
        rate(reference.policy),
        `the first ${formatCount(reference.accesses)} accesses, as the rows below`,
      ]);
    rows.push([metrics.expertCacheHitOptimum.label, rate(reference.belady), "clairvoyant, same slots"]);
    rows.push([metrics.expertCacheHitBestStatic.label, rate(reference.bestStatic), "chosen with hindsight"]);
    if (cache.prefetch !== undefined)
      rows.push([`${cache.policy} on demand`, rate(reference.policy), "the same accesses with nothing sent ahead"]);
    if (cache.policy !== "lru") rows.push(["lru", rate(reference.lru), ""]);
  }
  rows.push(
    [
      "union / slots",
      formatNumber(cache.unionOverCapacity),
      "distinct experts per call over slots; above 1 policies converge",
    ],
    [
      "fetched",
      formatBytes(cache.fetchedBytes),
      [
        `${formatCount(cache.misses)} misses`,
        `${formatCount(cache.diskReads)} from NVMe`,
        ...(cache.pageCacheHits === undefined ? [] : [`${formatCount(cache.pageCacheHits)} from the page cache`]),
      ].join(", "),
    ],
    ...moveRows(cache),
    ...stallRows(cache),
    ...missRows(cache),
    ...prefetchRows(forecast),
  );
  const scope = cache.scope === "layer" ? "slots per layer" : "slots in all";
  const note = `hit rate with ${formatCount(cache.slots)} ${scope}`;
  return [{ kind: "table", only: "terminal", title: "Expert cache", note, columns: figureColumns, rows }];
}

/** What went between memories, or back into them. */
function moveRows({ writtenBackBytes, promotions }: NonNullable<Forecast["cache"]>): string[][] {
  const rows: string[][] = [];
  if (writtenBackBytes !== undefined)
    rows.push(["written back", formatBytes(writtenBackBytes), "from devices into host memory"]);
  if (promotions !== undefined)
    rows.push(["moved nearer", formatCount(promotions), "experts that changed places with colder ones"]);
  return rows;
}

/** How long devices waited, and for what. */
function stallRows({ stallNs, stallBy = {} }: NonNullable<Forecast["cache"]>): string[][] {
  const causes = Object.entries(stallBy)
    .filter(([, ns]) => ns / stallNs >= shareMin)
    .sort(([, a], [, b]) => b - a);
  return [
    ["waited", formatDuration(stallNs), "devices stood still for experts"],
    ...causes.map(([name, ns]) => [`- for ${name}`, formatDuration(ns), formatPercent(ns / stallNs, 2)]),
  ];
}

const actionWords: Readonly<Record<MissAction, string>> = {
  fetch: "fetched whole",
  host: "computed by the host",
  defer: "computed by the host, added a layer later",
  split: "divided between host and device",
  narrow: "fetched in few bits",
  substitute: "replaced by a resident expert",
  skip: "skipped",
};

/** What became of missing experts. */
function missRows({ actions, misses }: NonNullable<Forecast["cache"]>): string[][] {
  if (actions === null) return [];
  const rows = actions.taken.map(({ action, experts, pairs }) => [
    actionWords[action],
    formatPercent(misses === 0 ? 0 : experts / misses, 2),
    `of the misses, ${formatPercent(actions.pairs === 0 ? 0 : pairs / actions.pairs, 2)} of all (token, expert) pairs`,
  ]);
  if (actions.lossyMass !== null && actions.taken.some(({ action }) => lossyActions.includes(action)))
    rows.push([
      "answers changed",
      formatPercent(actions.lossyMass, 2),
      "of all router weight was not computed as the model would",
    ]);
  return rows;
}

/** What came of experts that were sent ahead. */
function prefetchRows(forecast: Forecast): string[][] {
  const { prefetch } = forecast.cache!;
  if (prefetch === undefined) return [];
  const { followed, useful, late, evicted, preempted, unused, refused, bytes, wastedBytes } = prefetch;
  const share = (metric: keyof typeof prefetching) => {
    const value = metrics[metric].of(forecast);
    return value === null ? "" : formatPercent(value, 2);
  };
  const wasted = `${formatCount(evicted)} evicted, ${formatCount(preempted)} given up, ${formatCount(unused)} never used`;
  const noRoom = refused === 0 ? "" : `; no room for ${formatCount(refused)} more`;
  return [
    ["sent ahead", formatCount(followed), `by ${prefetch.kind}, ${formatBytes(bytes)}${noRoom}`],
    [
      "accuracy",
      share("prefetchAccuracy"),
      `${formatCount(useful)} were asked for, ${formatCount(late)} of them still on their way`,
    ],
    ["coverage", share("prefetchCoverage"), "of what would have been missing was there"],
    ["waste", formatBytes(wastedBytes), wasted],
  ];
}

/** What occupies each tier. */
export function memorySection({ memory, kv }: Forecast): PageSection[] {
  const prefix = kv.prefixHitRate === null ? "" : `, prefix hit rate ${formatPercent(kv.prefixHitRate)}`;
  const text = `KV cache: ${formatBytes(memory.kvBytesPerToken)} per token, at most ${formatPercent(kv.peakShare)} in use${prefix}`;
  return [
    {
      kind: "levels",
      title: "Memory",
      note: "per device of the fullest stage",
      columns: ["tier", "holds", "bytes"],
      levels: memory.tiers.map(({ tier, usedBytes, capacityBytes, items }) => ({
        name: tier,
        share: capacityBytes > 0 ? usedBytes / capacityBytes : 0,
        text: `${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)}`,
        items: items.map(({ name, bytes }) => [name, formatBytes(bytes)] as const),
      })),
      after: [{ text, only: "terminal" }],
    },
  ];
}

/** Shares below this are not listed. */
const shareMin = 0.0005;
const resourcesShown = 12;

/** Where the time of steps went, and how busy devices and links were. */
export function timeSections({ timeShare, resources }: Forecast): PageSection[] {
  const shares = timeComponents
    .map((component) => ({ name: componentLabel(component), share: timeShare[component] }))
    .filter(({ share }) => share >= shareMin)
    .sort((a, b) => b.share - a.share);
  const busy = resources.filter((resource) => resource.utilisation >= shareMin);
  return [
    { kind: "bars", only: "terminal", title: "Where step time goes", bars: shares },
    {
      kind: "bars",
      only: "terminal",
      title: "Busy",
      note: "share of the simulated time",
      bars: busy.slice(0, resourcesShown).map(({ name, utilisation, bytes }) => ({
        name,
        share: utilisation,
        beside: bytes > 0 ? formatBytes(bytes) : "",
      })),
      after: busy.length > resourcesShown ? [{ text: `and ${busy.length - resourcesShown} more` }] : [],
    },
  ];
}

/** What was replayed, measured, fitted, emulated or assumed. Descriptions of recordings and lists of kernels can be long. */
export function ledgerSection({ ledger }: Forecast, level: SummaryLevel): PageSection[] {
  const hint = "entries that end with ... are whole with --summary full";
  return [
    {
      kind: "table",
      title: "Fidelity ledger",
      note: "what these figures rest on",
      folded: true,
      headerOnly: "markdown",
      columns: [{ header: "fidelity" }, { header: "topic" }, { header: "detail" }],
      rows: ledger.map(({ fidelity, topic, detail }) => [fidelity, topic, detail]),
      ...(level === "full" ? {} : { cut: { linesMax: 3, hint } }),
    },
  ];
}

/** What went in, and how many checks of the simulation's laws came out right. */
export function inputsSection({ inputs, laws }: Forecast): PageSection[] {
  const checks = Object.values(laws).reduce((sum, count) => sum + count, 0);
  return [
    {
      kind: "table",
      only: "terminal",
      title: "Inputs",
      columns: [{ header: "" }, { header: "" }, { header: "" }],
      rows: inputs.map((input) => [input.role, `sha256 ${input.sha256.slice(0, 16)}`, input.name]),
      after: [{ text: `${Object.keys(laws).length} laws held in ${formatCount(checks)} checks` }],
    },
  ];
}

/** What the words of the summary mean. */
export const definitionsSection = (): PageSection[] => [
  {
    kind: "table",
    only: "terminal",
    title: "Definitions",
    columns: [{ header: "" }, { header: "" }],
    rows: Object.entries(definitions),
    quiet: true,
  },
];

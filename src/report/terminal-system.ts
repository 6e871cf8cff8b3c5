import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import { timeComponents } from "../sim/result.ts";
import { definitions } from "./definitions.ts";
import { componentLabel } from "./labels.ts";
import type { TerminalSection } from "./terminal-view.ts";
import { bar, textTable, wrapHanging } from "./text-table.ts";

/** Ranks whose load is listed. */
const ranksShown = 16;

/** How evenly experts load their ranks. */
export const expertsSection: TerminalSection = ({ experts }, { style, width }) => {
  if (experts === null) return [];
  const ranks = experts.rankLoad.length;
  const rows = [
    [
      "imbalance",
      formatNumber(experts.imbalance, 4),
      ranks === 1
        ? "one rank holds every expert"
        : `heaviest / mean rank, mean over steps and layers; worst step ${formatNumber(experts.imbalanceMax)}`,
    ],
    ["expert skew", formatNumber(experts.expertSkew, 4), "heaviest / mean expert over the run, mean over layers"],
    ["distinct experts", formatNumber(experts.distinctExpertsPerStep, 4), "touched per layer and step"],
  ];
  const [worst] = [...experts.layers.entries()].sort(([, a], [, b]) => b.imbalance - a.imbalance);
  if (worst !== undefined && ranks > 1) {
    rows.push(["worst MoE layer", String(worst[0]), `imbalance ${formatNumber(worst[1].imbalance, 4)}`]);
    const loads = experts.rankLoad.slice(0, ranksShown).map((load) => load.toFixed(2));
    const more = ranks > ranksShown ? ` and ${ranks - ranksShown} more` : "";
    rows.push(["load by rank", "", `${loads.join(" ")}${more}, of the mean rank`]);
  }
  return [style.bold("Expert load"), ...textTable(rows, { align: ["left", "right"], width })];
};

/** Hits of the expert cache beside what any cache could have had. */
export const cacheSection: TerminalSection = ({ cache }, { style, width }) => {
  if (cache === null) return [];
  const rate = (share: number) => formatPercent(share, 2);
  const { reference, accesses } = cache;
  const rows = [
    [cache.policy, rate(accesses === 0 ? 0 : cache.hits / accesses), `${formatCount(accesses)} accesses over the run`],
  ];
  if (reference !== null) {
    if (reference.accesses < accesses)
      rows.push([
        `${cache.policy}, start`,
        rate(reference.policy),
        `the first ${formatCount(reference.accesses)} accesses, as the rows below`,
      ]);
    rows.push(["optimum (Belady)", rate(reference.belady), "clairvoyant, same slots"]);
    rows.push(["best fixed set", rate(reference.bestStatic), "chosen with hindsight"]);
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
      `${formatCount(cache.misses)} misses, ${formatCount(cache.diskReads)} from NVMe`,
    ],
    ["waited", formatDuration(cache.stallNs), "devices stood still for experts"],
  );
  const scope = cache.scope === "layer" ? "slots per layer" : "slots in all";
  return [
    style.bold("Expert cache") + style.dim(`  hit rate with ${formatCount(cache.slots)} ${scope}`),
    ...textTable(rows, { align: ["left", "right"], width }),
  ];
};

/** What occupies each tier. */
export const memorySection: TerminalSection = ({ memory, kv }, { style, width }) => {
  const lines = [style.bold("Memory") + style.dim("  per device of the fullest stage")];
  for (const { tier, usedBytes, capacityBytes, items } of memory.tiers) {
    const share = capacityBytes > 0 ? usedBytes / capacityBytes : 0;
    lines.push(
      ...wrapHanging(
        `${tier} ${formatBytes(usedBytes)} of ${formatBytes(capacityBytes)} ${bar(share)} ${formatPercent(share)}`,
        width,
        "  ",
      ),
      ...textTable(
        items.map((item) => [item.name, formatBytes(item.bytes)]),
        { align: ["left", "right"], indent: "    ", width },
      ),
    );
  }
  const prefix = kv.prefixHitRate === null ? "" : `, prefix hit rate ${formatPercent(kv.prefixHitRate)}`;
  lines.push(
    ...wrapHanging(
      `KV cache: ${formatBytes(memory.kvBytesPerToken)} per token, at most ${formatPercent(kv.peakShare)} in use${prefix}`,
      width,
      "  ",
    ),
  );
  return lines;
};

/** Shares below this are not listed. */
const shareMin = 0.0005;
const resourcesShown = 12;

/** Where the time of steps went, and how busy devices and links were. */
export const timeSection: TerminalSection = ({ timeShare, resources }, { style, width }) => {
  const shares = timeComponents
    .map((component) => ({ component, share: timeShare[component] }))
    .filter(({ share }) => share >= shareMin)
    .sort((a, b) => b.share - a.share);
  const busy = resources.filter((resource) => resource.utilisation >= shareMin);
  const cells = (name: string, share: number) => [name, formatPercent(share), bar(share)];
  return [
    style.bold("Where step time goes"),
    ...textTable(
      shares.map(({ component, share }) => cells(componentLabel(component), share)),
      { align: ["left", "right"], width },
    ),
    ...(busy.length === 0 ? [] : ["", style.bold("Busy") + style.dim("  share of the simulated time")]),
    ...textTable(
      busy
        .slice(0, resourcesShown)
        .map(({ name, utilisation, bytes }) => [...cells(name, utilisation), bytes > 0 ? formatBytes(bytes) : ""]),
      { align: ["left", "right", "left", "right"], width },
    ),
    ...(busy.length > resourcesShown ? [`  and ${busy.length - resourcesShown} more`] : []),
  ];
};

/** Descriptions of recordings and lists of kernels can be long. */
const ledgerLinesMax = 3;

/** What was replayed, measured, fitted, emulated or assumed. */
export const ledgerSection: TerminalSection = ({ ledger }, { style, width, level }) => {
  const rows = ledger.map((entry) => [entry.fidelity, entry.topic, entry.detail]);
  const whole = textTable(rows, { width });
  const lines = level === "full" ? whole : textTable(rows, { width, linesMax: ledgerLinesMax });
  return [
    style.bold("Fidelity ledger") + style.dim("  what these figures rest on"),
    ...lines,
    ...(lines.length < whole.length ? [style.dim("  entries that end with ... are whole with --summary full")] : []),
  ];
};

/** What went in, and how many checks of the simulation's laws came out right. */
export const inputsSection: TerminalSection = ({ inputs, laws }, { style, width }) => {
  const checks = Object.values(laws).reduce((sum, count) => sum + count, 0);
  return [
    style.bold("Inputs"),
    ...textTable(
      inputs.map((input) => [input.role, `sha256 ${input.sha256.slice(0, 16)}`, input.name]),
      { width },
    ),
    `  ${Object.keys(laws).length} laws held in ${formatCount(checks)} checks`,
  ];
};

/** What the words of the summary mean. */
export const definitionsSection: TerminalSection = (_forecast, { style, width }) => [
  style.bold("Definitions"),
  ...textTable(Object.entries(definitions), { width }).map(style.dim),
];

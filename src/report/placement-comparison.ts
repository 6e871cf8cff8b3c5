import type { Gain } from "../core/paired-gain.ts";
import { formatBytes, formatCount, formatDuration, formatNumber, formatPercent } from "../core/units.ts";
import type { JudgedMap, PlacementComparison, SimulatedMap, TopicMatrix } from "../place/comparison.ts";
import { mapName } from "../place/verdict.ts";
import { gainText, riseText } from "./gain-text.ts";
import type { Page, PageColumn, PageRow, PageSection } from "./page.ts";

const right = (header: string, dispensable?: number): PageColumn => ({
  header,
  align: "right",
  ...(dispensable === undefined ? {} : { dispensable }),
});

const ratio = (value: number): string => formatNumber(value, 3);
const nameOf = (map: { readonly policy: string; readonly redundant: number; readonly isCurrent: boolean }): string =>
  `${mapName(map)}${map.isCurrent ? " *" : ""}`;
const rowOf = (map: { readonly isCurrent: boolean }, cells: readonly string[]): PageRow =>
  map.isCurrent ? { cells, tone: "good" } : cells;

/** Maps up to which the page lists them all. */
const mapsMax = 16;

/** The maps that the page lists: of many, those that were simulated, and each policy with the number of copies that balances steps best. */
function listedMaps({ maps, simulated }: PlacementComparison): readonly JudgedMap[] {
  if (maps.length <= mapsMax) return maps;
  const stepOf = ({ heldOut, fitted }: JudgedMap) => (heldOut ?? fitted).step.maxOverMean;
  const best = new Map<string, JudgedMap>();
  for (const map of maps) {
    const known = best.get(map.policy);
    if (known === undefined || stepOf(map) < stepOf(known)) best.set(map.policy, map);
  }
  return maps.filter(
    (map) => best.get(map.policy) === map || simulated.some((one) => mapName(one) === mapName(map)) || map.isCurrent,
  );
}

/** A comparison of placements as a page: what to do and why, then what was simulated, and the maps by analysis. */
export function placementComparisonPage(comparison: PlacementComparison): Page {
  const listed = listedMaps(comparison);
  const { scenario, verdict, split, requests, repeats, model, ranks, nodes, layers, experts, bound } = comparison;
  const runs = repeats === 1 ? "run once" : `run ${repeats} times with other random draws`;
  const held = split.by === "none" ? "" : ", and judged and simulated on the other";
  return {
    title: scenario.name,
    aside: "placements compared",
    subtitle: [
      ...(scenario.description === "" ? [] : [{ text: scenario.description }]),
      {
        text: `${model}: ${layers} MoE layers of ${experts} experts on ${ranks} ranks${nodes > 1 ? ` of ${nodes} nodes` : ""}. Maps are fitted on ${split.fit} (${formatCount(split.fitRows)} tokens)${held}: ${split.test} (${formatCount(split.testRows)}).`,
        quiet: true,
      },
      { text: `${formatCount(requests)} requests, ${runs}, the same for every map. * is the map in use.`, quiet: true },
    ],
    headline: [verdict.headline],
    tone: verdict.apply ? "warn" : "good",
    notes: [
      ...verdict.reasons.map((text) => ({ text: `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.` })),
      ...split.notes.map((text) => ({ text: `Note: ${text}.`, tone: "warn" as const })),
      ...(comparison.interrupted ? [{ text: "Interrupted: this is what there was.", tone: "warn" as const }] : []),
    ],
    sections: [
      simulatedSection(comparison),
      balanceSection(comparison, listed),
      costSection(comparison, listed),
      ...comparison.topics.map(topicSection),
      ...proofSection(listed),
      ...leftOutSection(comparison),
      {
        kind: "text",
        line: {
          text: `max/mean: heaviest over mean rank. balancedness: sum of mean over sum of heaviest loads of the layers, as vLLM logs it. A step has ${formatCount(bound.judgedTokens)} ${bound.judgedTokens === 1 ? "token" : "tokens"}, each from another place of the recording.`,
          quiet: true,
        },
      },
    ],
  };
}

function simulatedSection({ simulated, maps }: PlacementComparison): PageSection {
  const row = (map: SimulatedMap): PageRow => {
    const { gain } = map;
    const change = (of: Gain | undefined) => (of === undefined ? "as it is" : gainText(of));
    return rowOf(map, [
      nameOf(map),
      change(gain?.time),
      change(gain?.tpot),
      change(gain?.ttft),
      gain === null ? "as it is" : riseText(gain.throughput),
      formatNumber(map.tpotMs, 3),
      formatNumber(map.ttftMs, 3),
      formatNumber(map.tokensPerSecond, 4),
      ratio(map.imbalance),
      formatPercent(map.waitShare, 1),
    ]);
  };
  const rest = maps.length - simulated.length;
  return {
    kind: "table",
    title: "Simulated",
    note: `change against the map in use, 95 % intervals${rest > 0 ? `; ${rest} more ${rest === 1 ? "map" : "maps"} by analysis alone (--all)` : ""}`,
    columns: [
      { header: "" },
      right("time a request"),
      right("TPOT", 6),
      right("TTFT", 5),
      right("tok/s", 4),
      right("TPOT ms"),
      right("TTFT ms", 7),
      right("tok/s now", 3),
      right("step max/mean", 2),
      right("waiting"),
    ],
    rows: simulated.map(row),
  };
}

function balanceSection({ maps, split }: PlacementComparison, listed: readonly JudgedMap[]): PageSection {
  const held = split.by !== "none";
  const rest = maps.length - listed.length;
  const row = (map: JudgedMap): PageRow => {
    const on = map.heldOut ?? map.fitted;
    return rowOf(map, [
      nameOf(map),
      ratio(map.fitted.whole.maxOverMean),
      ...(held ? [ratio(on.whole.maxOverMean)] : []),
      `${ratio(on.whole.worst.maxOverMean)} (${on.whole.worst.layer})`,
      ratio(on.step.maxOverMean),
      ratio(on.whole.balancedness),
      ratio(on.step.balancedness),
    ]);
  };
  return {
    kind: "table",
    title: "Balance of the ranks",
    note: `${held ? `max/mean; held out: ${split.test}` : "max/mean, on what maps were fitted to"}${rest > 0 ? `; ${rest} with other numbers of copies are in --json` : ""}`,
    columns: [
      { header: "" },
      right("fitted"),
      ...(held ? [right("held out")] : []),
      right("worst layer"),
      right("a step"),
      right("balancedness", 2),
      right("of a step", 1),
    ],
    rows: listed.map(row),
  };
}

function costSection({ tokenBytes, nodes, bound }: PlacementComparison, listed: readonly JudgedMap[]): PageSection {
  const bytes = (copies: number) => formatBytes(copies * tokenBytes);
  const row = (map: JudgedMap): PageRow => {
    const { traffic, copyBytes, kvTokens, migration } = map;
    return rowOf(map, [
      nameOf(map),
      ratio(traffic.ranksTouched),
      ...(nodes > 1 ? [ratio(traffic.nodesTouched)] : []),
      bytes(traffic.onRank),
      bytes(traffic.inNode),
      ...(nodes > 1 ? [bytes(traffic.betweenNodes)] : []),
      traffic.staysOnRank === null ? "" : formatPercent(traffic.staysOnRank, 1),
      copyBytes > 0 ? formatBytes(copyBytes) : "",
      copyBytes > 0 ? formatCount(kvTokens) : "",
      map.isCurrent
        ? ""
        : migration.experts === 0
          ? "none"
          : `${formatBytes(migration.bytes)}, ${formatDuration(migration.ns)}`,
    ]);
  };
  const fixed = bound.exchangeFollowsMap
    ? ""
    : "; this engine's exchange sends the same bytes whatever the map, these are of one that sends tokens to their ranks";
  return {
    kind: "table",
    title: "Traffic, memory, migration",
    note: `per token and layer, dispatch and combine${fixed}`,
    columns: [
      { header: "" },
      right("ranks a token"),
      ...(nodes > 1 ? [right("nodes")] : []),
      right("on rank", 2),
      right("in node", 5),
      ...(nodes > 1 ? [right("between", 6)] : []),
      right("next layer stays", 1),
      right("copies"),
      right("KV tokens", 3),
      right("migration", 4),
    ],
    rows: listed.map(row),
  };
}

function topicSection({ policy, redundant, topics, maxOverMean, current }: TopicMatrix): PageSection {
  const row = (name: string, values: readonly number[]) => [name, ...values.map(ratio)];
  return {
    kind: "table",
    title: `${mapName({ policy, redundant })}, fitted on one topic, judged on each`,
    note: "max/mean; rows fit, columns judge",
    columns: [{ header: "fitted on" }, ...topics.map((topic) => right(topic))],
    rows: [
      ...topics.map((topic, i) => row(topic, maxOverMean[i]!)),
      { cells: row("the map in use", current), tone: "good" as const },
    ],
  };
}

function proofSection(maps: readonly JudgedMap[]): PageSection[] {
  const items = maps.flatMap((map) =>
    map.proofs.map(({ problem, objective, bound, gap, proved, solver }) => {
      const quality = proved ? "proved" : Number.isFinite(gap) ? `gap ${formatPercent(gap, 2)}` : "no bound";
      return `${mapName(map)}: ${problem} ${formatNumber(objective, 4)}, no less than ${formatNumber(bound, 4)} (${solver}, ${quality})`;
    }),
  );
  return items.length === 0 ? [] : [{ kind: "text", line: { text: "solvers", quiet: true }, items }];
}

/** What could not be compared, by reason. */
function leftOutSection({ leftOut }: PlacementComparison): PageSection[] {
  const byReason = new Map<string, string[]>();
  for (const map of leftOut) byReason.set(map.reason, [...(byReason.get(map.reason) ?? []), mapName(map)]);
  const items = [...byReason].map(([reason, names]) => `${names.join(", ")}: ${reason}`);
  return items.length === 0 ? [] : [{ kind: "text", line: { text: "not compared", quiet: true }, items }];
}

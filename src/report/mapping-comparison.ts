import { formatBytes, formatCount, formatNumber } from "../core/units.ts";
import type { MappingComparison, SimulatedMapping } from "../place/mapping-comparison.ts";
import type { StepPart } from "../place/step-parts.ts";
import { gainText, riseText } from "./gain-text.ts";
import type { Page, PageColumn, PageRow, PageSection } from "./page.ts";

const right = (header: string, dispensable?: number): PageColumn => ({
  header,
  align: "right",
  ...(dispensable === undefined ? {} : { dispensable }),
});
const nameOf = ({ name, isCurrent }: SimulatedMapping): string => `${name}${isCurrent ? " *" : ""}`;
const rowOf = ({ isCurrent }: SimulatedMapping, cells: readonly string[]): PageRow =>
  isCurrent ? { cells, tone: "good" } : cells;

/** Mappings of the experts compared, as a page: what to do and why, what was simulated, and where the time of steps goes. */
export function mappingComparisonPage(comparison: MappingComparison): Page {
  const { scenario, verdict, split, requests, repeats, model, devices, nodes, interrupted } = comparison;
  const runs = repeats === 1 ? "run once" : `run ${repeats} times with other random draws`;
  const on =
    split.fitRows === 0
      ? `Simulated with ${split.test}.`
      : `Placements are fitted on ${split.fit} (${formatCount(split.fitRows)} tokens), runs replay ${split.test} (${formatCount(split.testRows)}).`;
  return {
    title: scenario.name,
    aside: "mappings of the experts compared",
    subtitle: [
      ...(scenario.description === "" ? [] : [{ text: scenario.description }]),
      {
        text: `${model} on ${devices} devices a stage${nodes > 1 ? ` in ${nodes} nodes` : ""}, its attention as it is. ${on}`,
        quiet: true,
      },
      {
        text: `${formatCount(requests)} requests, ${runs}, the same for every mapping. * is the mapping in use.`,
        quiet: true,
      },
    ],
    headline: [verdict.headline],
    tone: verdict.apply ? "warn" : "good",
    notes: [
      ...verdict.reasons.map((text) => ({ text: `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}.` })),
      ...split.notes.map((text) => ({ text: `Note: ${text}.`, tone: "warn" as const })),
      ...(interrupted ? [{ text: "Interrupted: this is what there was.", tone: "warn" as const }] : []),
    ],
    sections: [
      simulatedSection(comparison),
      timeSection(comparison),
      ...startSection(comparison),
      ...leftOutSection(comparison),
    ],
  };
}

function simulatedSection({ mappings, nodes }: MappingComparison): PageSection {
  const counted = mappings.some(({ exchange }) => exchange !== null);
  const row = (one: SimulatedMapping): PageRow => {
    const { gain, exchange } = one;
    return rowOf(one, [
      nameOf(one),
      gain === null ? "as it is" : gainText(gain.time),
      gain === null ? "as it is" : gainText(gain.tpot),
      gain === null ? "as it is" : gainText(gain.ttft),
      gain === null ? "as it is" : riseText(gain.throughput),
      formatNumber(one.tpotMs, 3),
      formatNumber(one.ttftMs, 3),
      formatNumber(one.tokensPerSecond, 4),
      formatCount(one.kvTokens),
      one.imbalance === null ? "" : formatNumber(one.imbalance, 3),
      ...(counted ? [exchange === null ? "" : formatBytes(exchange.near)] : []),
      ...(counted && nodes > 1 ? [exchange === null ? "" : formatBytes(exchange.far)] : []),
    ]);
  };
  return {
    kind: "table",
    title: "Simulated",
    note: `change against the mapping in use, 95 % intervals${counted ? "; bytes of a token to experts and back, all layers" : ""}`,
    columns: [
      { header: "" },
      right("time a request"),
      right("TPOT", 8),
      right("TTFT", 5),
      right("tok/s", 5),
      right("TPOT ms"),
      right("TTFT ms", 3),
      right("tok/s now", 4),
      right("KV tokens", 9),
      right("step max/mean", 1),
      ...(counted ? [right(nodes > 1 ? "in node" : "bytes sent", 6)] : []),
      ...(counted && nodes > 1 ? [right("between", 7)] : []),
    ],
    rows: mappings.map(row),
  };
}

const partHeaders: Readonly<Record<StepPart, string>> = {
  experts: "experts",
  wait: "waiting",
  fetch: "fetching",
  exchange: "exchange",
  allReduce: "all-reduce",
  rest: "the rest",
};

function timeSection({ mappings }: MappingComparison): PageSection {
  const parts = (Object.keys(partHeaders) as StepPart[]).filter((part) =>
    mappings.some(({ stepNs }) => stepNs[part] > 0),
  );
  const us = (ns: number) => formatNumber(ns / 1000, 3);
  return {
    kind: "table",
    title: "Where the time of steps goes",
    note: "us per token, prompts and outputs alike",
    columns: [{ header: "" }, right("step time"), ...parts.map((part) => right(partHeaders[part]))],
    rows: mappings.map((one) =>
      rowOf(one, [
        nameOf(one),
        us(parts.reduce((sum, part) => sum + one.stepNs[part], 0)),
        ...parts.map((part) => us(one.stepNs[part])),
      ]),
    ),
  };
}

/** What engines say of the start of mappings: these are simulated, and not recommended. */
function startSection({ mappings }: MappingComparison): PageSection[] {
  const items = itemsByReason(
    mappings.flatMap(({ name, startNotes }) => startNotes.map((reason) => ({ name, reason }))),
  );
  return items.length === 0
    ? []
    : [{ kind: "text", line: { text: "simulated, though its engine may not start it so", quiet: true }, items }];
}

/** What could not be simulated, by reason. */
function leftOutSection({ leftOut }: MappingComparison): PageSection[] {
  const items = itemsByReason(leftOut);
  return items.length === 0 ? [] : [{ kind: "text", line: { text: "not simulated", quiet: true }, items }];
}

function itemsByReason(said: readonly { readonly name: string; readonly reason: string }[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of said) byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  return [...byReason].map(([reason, names]) => `${names.join(", ")}: ${reason}`);
}

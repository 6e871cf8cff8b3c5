import { formatBytes, formatCount, formatNumber, formatPercent } from "../../core/units.ts";
import type { ExpertDetails } from "../../forecast/details/expert-details.ts";
import type { HeatMap } from "../../report/widgets/heat-map.ts";
import type { ExpertPool } from "./experts-pool.ts";

export type ExpertAxis = "ranks" | "experts";

/** What a map of experts may show. */
export const expertMetrics = ["load", "distinct", "misses", "bytes", "copies"] as const;
export type ExpertMetric = (typeof expertMetrics)[number];

/** A heat map of layers, and what it shows. */
export interface ExpertMap {
  readonly heat: HeatMap;
  readonly title: string;
}

/** How many times a mean, to the hundredth. */
export const times = (ratio: number): string => `${ratio.toFixed(2)}x`;

/** Those that a pool has on an axis. */
export function metricsOf({ details, cache }: ExpertPool, axis: ExpertAxis): ExpertMetric[] {
  return expertMetrics.filter((metric) => {
    if (metric === "distinct") return axis === "ranks";
    if (metric === "misses") return cache !== null;
    if (metric === "copies") return details !== null && details.ranks > 1;
    return metric !== "bytes" || details?.pairBytes !== null;
  });
}

/** The map of a metric that the pool has. */
export function expertMap(
  pool: ExpertPool & { readonly details: ExpertDetails },
  axis: ExpertAxis,
  metric: ExpertMetric,
): ExpertMap {
  const { details } = pool;
  const { layers } = details;
  const byRank = axis === "ranks";
  const columns = byRank ? details.ranks : details.experts;
  const word = byRank ? "rank" : "expert";
  const of = byRank ? details.rankPairs : details.uses;
  const names = {
    rows: layers,
    columns,
    rowName: (row: number) => `L${row}`,
    columnName: (column: number) => `${byRank ? "r" : "e"}${column}`,
  };
  const map = (
    title: string,
    values: ArrayLike<number>,
    format: (value: number) => string,
    range?: HeatMap["range"],
  ) => ({
    title,
    heat: { ...names, values, format, ...(range === undefined ? {} : { range }) },
  });
  switch (metric) {
    case "load": {
      const values = overMean(of, layers, columns);
      let [low, high] = [0.5, 1.5];
      for (const value of values) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
      return map(
        `Tokens of each ${word} over its layer's mean ${word}, ${pool.soFar === null ? "whole run" : "so far"}`,
        values,
        times,
        [low, high],
      );
    }
    case "distinct":
      return map(
        "Experts that a step touches on a rank, mean over steps",
        details.rankDistinct.map((touched) => touched / Math.max(1, details.steps)),
        (value) => formatNumber(value, 3),
      );
    // Cells that stand for several show the largest, so the worst is seen.
    case "misses": {
      const { rankAsked, rankMissed, asked, missed } = pool.cache!;
      const [all, lost] = byRank ? [rankAsked, rankMissed] : [asked, missed];
      const rates = all.map((accesses, i) => (accesses === 0 ? Number.NaN : lost[i]! / accesses));
      return map(`Miss rate of the expert cache by ${word}`, rates, formatPercent, [0, tenthAbove(rates)]);
    }
    case "bytes": {
      const bytes = details.pairBytes ?? 0;
      return map(
        `Bytes of tokens for each ${word}: ${formatCount(bytes)} B for every (token, expert) pair`,
        of.map((pairs) => pairs * bytes),
        formatBytes,
      );
    }
    case "copies":
      return map(
        byRank ? "Experts and copies that lie on each rank" : "Copies of each expert",
        byRank ? details.rankCopies : details.copies,
        formatCount,
      );
  }
}

/** What a metric means for a run; null where the title says it. */
export function metricNote(metric: ExpertMetric, { details }: ExpertPool): string | null {
  if (metric === "bytes") return "were each pair sent alone: less crosses links where a message serves several experts";
  if (metric === "copies" && details?.placedAnew === true) return "as the run began: experts were placed anew later";
  if (metric === "distinct") return "a step reads the weights of each expert that it touches, once";
  if (metric === "misses") return "a miss is an expert that was not in device memory when its call began";
  return null;
}

/** All that is known of a cell, what matters most first. */
export function cellText(
  { details, cache }: ExpertPool & { readonly details: ExpertDetails },
  axis: ExpertAxis,
  row: number,
  column: number,
): string {
  const byRank = axis === "ranks";
  const { ranks, experts, rankPairs, uses, rankDistinct, rankCopies, copies, steps } = details;
  const columns = byRank ? ranks : experts;
  const of = byRank ? rankPairs : uses;
  const at = row * columns + column;
  let sum = 0;
  for (let i = row * columns; i < (row + 1) * columns; i++) sum += of[i]!;
  const amount = of[at]!;
  const [asked, missed] = byRank ? [cache?.rankAsked, cache?.rankMissed] : [cache?.asked, cache?.missed];
  const accesses = asked?.[at] ?? 0;
  return [
    `layer ${row}, ${byRank ? "rank" : "expert"} ${column}: ${sum === 0 ? "no tokens" : `${times((amount * columns) / sum)} the mean`}`,
    ...(sum === 0 ? [] : [`${formatCount(amount)} ${byRank ? "pairs" : "tokens"} (${formatPercent(amount / sum)})`]),
    byRank
      ? `${formatNumber(rankDistinct[at]! / Math.max(1, steps), 3)} of ${formatCount(rankCopies[at]!)} experts a step`
      : `${formatCount(copies[at]!)} ${copies[at] === 1 ? "copy" : "copies"}`,
    ...(accesses === 0 ? [] : [`${formatPercent(1 - missed![at]! / accesses)} hits`]),
  ].join("; ");
}

/** The least whole tenth that no share is above. */
function tenthAbove(shares: Float64Array): number {
  let high = 0;
  for (const share of shares) if (share > high) high = share;
  return high === 0 ? 1 : Math.ceil(high * 10) / 10;
}

/** [rows][columns] values over the mean of their row; NaN in rows of zeros. */
function overMean(values: Float64Array, rows: number, columns: number): Float64Array {
  const ratios = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let i = row * columns; i < (row + 1) * columns; i++) sum += values[i]!;
    for (let i = row * columns; i < (row + 1) * columns; i++) ratios[i] = (values[i]! * columns) / sum;
  }
  return ratios;
}

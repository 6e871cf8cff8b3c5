import { formatCount, formatNumber } from "../../../core/units.ts";
import type { Forecast } from "../../../forecast/forecast.ts";
import type { ExpertPicture } from "../../../forecast/picture/expert-picture.ts";
import { numbersOf } from "../../../forecast/picture/number-rows.ts";
import type { LayerLoad } from "../../../sim/result.ts";
import type { Chart } from "../charts/chart.ts";
import { heatChart } from "../charts/heat-chart.ts";
import { lineChart } from "../charts/line-chart.ts";

/** Per cent of the mean from which each colour is taken. */
const steps = [0, 50, 80, 120, 200, 400, 800] as const;
const stepNames = ["0", "0.5x", "0.8x", "1.2x", "2x", "4x", "8x"] as const;

/** Loads of experts and ranks by layer, and how uneven each layer is. */
export function expertCharts({ picture, experts, pools }: Forecast): Chart[] {
  const balanceOf = (pool: string) =>
    pool === "" ? experts : (pools?.find(({ name }) => name === pool)?.experts ?? null);
  return (picture?.experts ?? []).flatMap((of) => [
    ...heatCharts(of),
    ...balanceCharts(of.pool, balanceOf(of.pool)?.layers ?? [], of.ranks),
  ]);
}

const inPool = (pool: string): string => (pool === "" ? "" : ` of ${pool}`);

function heatCharts({
  pool,
  layers,
  experts,
  ranks,
  layersPerRow,
  expertsPerColumn,
  ranksPerColumn,
  byExpert,
  byRank,
}: ExpertPicture): Chart[] {
  const maps = [
    {
      title: `Tokens by expert${inPool(pool)}`,
      what: "expert",
      count: experts,
      joined: expertsPerColumn,
      rows: numbersOf(byExpert),
    },
    {
      title: `Tokens by rank${inPool(pool)}`,
      what: "rank",
      count: ranks,
      joined: ranksPerColumn,
      rows: numbersOf(byRank),
    },
  ];
  return maps.flatMap(({ title, what, count, joined, rows }) => {
    if (rows.length === 0) return [];
    const hottest = rows.reduce((most, row) => row.reduce((high, value) => Math.max(high, value), most), 0);
    const blocks = [
      ...(joined > 1 ? [`each column is the busiest of ${joined} ${what}s`] : []),
      ...(layersPerRow > 1 ? [`each row the busiest of ${layersPerRow} layers`] : []),
    ];
    const [each = "", other = ""] = blocks;
    const blockText =
      blocks.length === 0 ? "" : ` ${each.charAt(0).toUpperCase()}${each.slice(1)}${other === "" ? "" : `, ${other}`}.`;
    return [
      heatChart({
        title,
        caption: `Load of each ${what} over the mean ${what} of its layer; the busiest has ${formatNumber(hottest / 100)} times the mean.${blockText}`,
        rows,
        steps,
        stepNames,
        across: { name: `${what}s`, first: "0", last: formatCount(count - 1) },
        down: { name: "MoE layer", first: "0", last: formatCount(layers - 1) },
        data: {
          columns: ["MoE layer", `busiest ${what} / mean`, `idlest / mean`],
          rows: rows.map((row, i) => [
            formatCount(i * layersPerRow),
            formatNumber(Math.max(...row) / 100),
            formatNumber(Math.min(...row) / 100),
          ]),
        },
      }),
    ];
  });
}

function balanceCharts(pool: string, layers: readonly LayerLoad[], ranks: number): Chart[] {
  if (layers.length < 2) return [];
  const of = (pick: (layer: LayerLoad) => number) => layers.map((layer, i) => [i, pick(layer)] as const);
  const x = { label: "MoE layer", kind: "linear", format: (value: number) => formatNumber(value) } as const;
  return [
    lineChart({
      title: `Balance by layer${inPool(pool)}`,
      caption:
        ranks > 1
          ? "Imbalance: heaviest over mean rank, mean over steps; 1 is perfect. Skew: heaviest over mean expert of the run."
          : "Skew: heaviest over mean expert of the run; 1 is uniform.",
      x,
      y: { label: "times the mean", kind: "linear", format: (value) => formatNumber(value) },
      series: [
        ...(ranks > 1 ? [{ name: "imbalance of ranks", points: of(({ imbalance }) => imbalance) }] : []),
        { name: "skew of experts", points: of(({ expertSkew }) => expertSkew) },
      ],
    }),
  ];
}

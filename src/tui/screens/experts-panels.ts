import { formatCount, formatDuration, formatNumber, formatPercent } from "../../core/units.ts";
import type { ExpertDetails } from "../../forecast/details/expert-details.ts";
import { filledBar } from "../../report/widgets/bar-line.ts";
import { linePlot } from "../../report/widgets/line-plot.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { sparkline } from "../../report/widgets/sparkline.ts";
import type { Size } from "../../report/widgets/styled-text.ts";
import type { MeanCourseResult } from "../../sim/outcome/mean-course.ts";
import { times } from "./experts-metric.ts";
import { type ExpertPool, hottestExperts, type LayerFigures, layerFigures } from "./experts-pool.ts";

const ratio = (value: number | null): string => (value === null ? "n/a" : times(value));

/** Columns of the table of layers, what may go first the last. */
const columns: readonly {
  readonly header: string;
  readonly dispensable?: number;
  /** Without what there is no such column. */
  readonly needs?: "details" | "cache" | "ranks";
  readonly of: (figures: LayerFigures) => string;
}[] = [
  { header: "heaviest/mean", needs: "ranks", of: ({ imbalance }) => ratio(imbalance) },
  { header: "worst step", dispensable: 5, needs: "ranks", of: ({ imbalanceMax }) => ratio(imbalanceMax) },
  { header: "all steps", dispensable: 3, needs: "ranks", of: ({ overRun }) => ratio(overRun) },
  {
    header: "hottest",
    dispensable: 1,
    needs: "details",
    of: ({ hottest }) => (hottest === null ? "n/a" : `e${hottest.expert}`),
  },
  { header: "over mean", dispensable: 2, of: ({ expertSkew }) => ratio(expertSkew) },
  {
    header: "copies",
    dispensable: 4,
    needs: "details",
    of: ({ hottest }) => (hottest === null ? "n/a" : formatCount(hottest.copies)),
  },
  {
    header: "hits",
    dispensable: 3,
    needs: "cache",
    of: ({ hitRate }) => (hitRate === null ? "n/a" : formatPercent(hitRate)),
  },
  { header: "experts/step", dispensable: 6, of: ({ distinctExperts }) => formatNumber(distinctExperts, 3) },
  { header: "pairs", dispensable: 7, of: ({ pairs }) => formatCount(pairs) },
];

/** Balance by layer, with the hottest expert of each; the selected layer marked. */
export function layerTable(
  pool: ExpertPool,
  size: Size,
  palette: Palette,
  at: { readonly row: number; readonly from: number },
): string[] {
  const count = pool.figures.layers.length;
  const { details, cache, figures } = pool;
  const kept = columns.filter(
    ({ needs }) =>
      (details !== null || needs !== "details") &&
      (cache !== null || needs !== "cache") &&
      (figures.rankLoad.length > 1 || needs !== "ranks"),
  );
  const known = new Map<number, LayerFigures>();
  const figuresOf = (row: number): LayerFigures => {
    const figures = known.get(row) ?? layerFigures(pool, row);
    known.set(row, figures);
    return figures;
  };
  return scrollTable(
    {
      columns: [
        { header: "layer", min: 5 },
        ...kept.map(({ header, dispensable }) => ({ header, align: "right" as const, dispensable })),
      ],
      rows: count,
      cell: (row, column) => (column === 0 ? `L${row}` : kept[column - 1]!.of(figuresOf(row))),
    },
    size,
    palette,
    { selected: at.row, from: tableFrom(at.row, at.from, count, visibleRows(count, size.height)) },
  );
}

const barCells = 10;

/** The experts with the largest parts of the tokens of their layers; bars are measured against the first one. */
export function hottestLines(details: ExpertDetails, { width, height }: Size, palette: Palette): string[] {
  if (height < 3) return [];
  const hottest = hottestExperts(details, height - 2);
  const most = hottest[0]?.share ?? 1;
  return [
    palette.bold("Hottest experts") + palette.dim("  part of their layer's tokens"),
    ...scrollTable(
      {
        columns: [
          { header: "layer", min: 5 },
          { header: "expert", min: 6 },
          { header: "", dispensable: 3, min: barCells },
          { header: "part", align: "right" },
          { header: "over mean", align: "right", dispensable: 2 },
          { header: "copies", align: "right", dispensable: 1 },
        ],
        rows: hottest.length,
        cell: (row, column) => {
          const { layer, expert, share, copies } = hottest[row]!;
          return [
            `L${layer}`,
            `e${expert}`,
            filledBar(share / most, barCells, palette),
            formatPercent(share),
            ratio(share * details.experts),
            formatCount(copies),
          ][column]!;
        },
      },
      { width, height: height - 1 },
      palette,
      { from: 0 },
    ),
  ];
}

/** The first of them in one line. */
export function hottestLine(details: ExpertDetails, palette: Palette): string {
  const text = hottestExperts(details, 3)
    .map(
      ({ layer, expert, share }) =>
        `L${layer} e${expert} ${formatPercent(share)} (${ratio(share * details.experts)} mean)`,
    )
    .join(", ");
  return `${palette.dim("hottest  ")} ${text}`;
}

/** Means of a course by its intervals; NaN where nothing fell. */
export const courseMeans = ({ weights, amounts }: MeanCourseResult): Float64Array =>
  weights.map((weight, i) => (weight > 0 ? amounts[i]! / weight : Number.NaN));

/** Imbalance over time as a plot, or in one line. */
export function imbalancePlot({ course }: ExpertDetails, size: Size, palette: Palette): string[] {
  const y = courseMeans(course);
  if (size.height < 6) {
    const name = "over time ";
    const finite = y.filter(Number.isFinite);
    const low = finite.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    const high = finite.reduce((most, value) => Math.max(most, value), 0);
    const range = finite.length === 0 ? "" : ` ${ratio(low)} to ${ratio(high)}`;
    const cells = Math.min(y.length, size.width - name.length - range.length);
    return size.height < 1 || cells < 1 ? [] : [palette.dim(name) + sparkline(y, cells, palette) + range];
  }
  return linePlot(
    {
      series: [
        { name: "heaviest / mean rank", x: Float64Array.from(y, (_, i) => ((i + 0.5) * course.intervalNs) / 1e9), y },
      ],
      limit: { value: 1, name: "even" },
      xLabel: "simulated time",
      yLabel: "Heaviest over mean rank, mean of all layers",
      formatX: (seconds) => formatDuration(seconds * 1e9),
      formatY: (value) => `${formatNumber(value, 3)}x`,
    },
    size,
    palette,
  );
}

import { oneLine } from "../../core/printable.ts";
import { formatBytes, formatCount, formatDuration, formatPercent } from "../../core/units.ts";
import type { CacheDetails } from "../../forecast/details/cache-details.ts";
import { kneeOf } from "../../offload/replay/cache-sizes.ts";
import { wrap } from "../../report/text-table.ts";
import { filledBar } from "../../report/widgets/bar-line.ts";
import { linePlot } from "../../report/widgets/line-plot.ts";
import type { Palette } from "../../report/widgets/palette.ts";
import { scrollTable, tableFrom, visibleRows } from "../../report/widgets/scroll-table.ts";
import { clip, type Size } from "../../report/widgets/styled-text.ts";
import type { CachePool, SlotRange } from "./cache-pool.ts";
import { courseMeans } from "./experts-panels.ts";

type Counted = CachePool & { readonly details: CacheDetails };

/** Slots as the scope has them. */
const slotWords = ({ scope }: Pick<CacheDetails, "scope">): string =>
  scope === "layer" ? "slots a layer" : "slots in all";

/** The hit rate of LRU by slots, with the size of the run, the knee, and a size that was chosen on the screen. */
export function sizesPlot(pool: Counted, cursor: number | null, size: Size, palette: Palette): string[] {
  const { figures, details, soFar } = pool;
  const { lru, slots, unequal } = details;
  if (lru === null)
    return [
      palette.bold(`Hit rate of LRU by ${slotWords(details)}`),
      ...wrap(
        soFar === null
          ? "accesses were not recorded: policy.offload.logAccesses is 0"
          : "comes when the run has ended: all its accesses are replayed for it",
        size.width,
      ).map((line) => palette.dim(line)),
    ];
  const { accesses, coldMisses, hits } = lru;
  const rateAt = (at: number) => hits[Math.min(at, hits.length - 1)]! / accesses;
  const knee = kneeOf({ accesses, coldMisses, from: 0, hits });
  const upright = (name: string, at: number) => ({ name, x: [at, at], y: [0, rateAt(at)] });
  const asked = details.asked.reduce((sum, count) => sum + count, 0);
  const text = sizeText(pool, cursor ?? slots, rateAt, knee);
  const notes = [
    text,
    ...(accesses < asked ? [`from the first ${formatCount(accesses)} of ${formatCount(asked)} accesses`] : []),
  ].flatMap((line) => wrap(line, size.width));
  const plot = linePlot(
    {
      series: [
        { name: "LRU", x: Float64Array.from(hits, (_, i) => i), y: hits.map((count) => count / accesses) },
        // Where layers differ, their mean is no point of the curve, nor is what the optimum hits.
        upright(unequal ? `mean ${formatCount(slots)}` : `${formatCount(slots)} in use`, slots),
        ...(knee === null || knee === slots ? [] : [upright(`knee ${formatCount(knee)}`, knee)]),
        ...(figures.reference === null || unequal
          ? []
          : [{ name: "Belady", x: [slots], y: [figures.reference.belady] }]),
        ...(cursor === null || cursor === slots ? [] : [upright(`${formatCount(cursor)}`, cursor)]),
      ],
      limit: { value: 1 - coldMisses / accesses, name: "at best" },
      xLabel: slotWords(details),
      yLabel: `Hit rate of LRU by ${slotWords(details)}${unequal ? ", the same in all layers" : ""}`,
      formatX: formatCount,
      formatY: (share) => formatPercent(share, 0),
    },
    { width: size.width, height: Math.max(0, size.height - notes.length) },
    palette,
  );
  return clip([...plot, ...notes.map((line) => palette.dim(line))], size);
}

/** What a size would bring. */
function sizeText(
  { details, slotRange, freeBytes }: Counted,
  at: number,
  rateAt: (slots: number) => number,
  knee: number | null,
): string {
  const { slots, slotBytes, unequal } = details;
  const rate = rateAt(at);
  const points = (share: number) => `${share >= 0 ? "+" : ""}${(share * 100).toFixed(1)} points`;
  const memory = (count: number) =>
    `${count < 0 ? "-" : "+"}${formatBytes(Math.abs(count) * slotBytes)} on each device${roomWords(count * slotBytes, freeBytes)}`;
  const even = unequal ? `, as many in every layer (here ${ownSlots(details, slotRange)})` : "";
  const kneeText =
    knee === null
      ? "no knee: every slot brings about as much"
      : `knee at ${formatCount(knee)}: a slot brings less than the average from there on`;
  const head = `${formatCount(at)} ${slotWords(details)}${even}: ${formatPercent(rate)} with LRU`;
  if (at !== slots) return `${head}, ${points(rate - rateAt(slots))}, ${memory(at - slots)}; ${kneeText}`;
  return `${head}; one more: ${points(rateAt(slots + 1) - rate)}, ${memory(1)}; ${kneeText}`;
}

/** Slots of layers that differ, as far as they are known. */
const ownSlots = ({ slots }: Pick<CacheDetails, "slots">, range: SlotRange | null, unit = ""): string =>
  range === null
    ? `${formatCount(slots)}${unit} in the mean`
    : `${formatCount(range.least)} to ${formatCount(range.most)}${unit}`;

/** Whether more slots have room: what is free holds what the engine keeps back, and a KV cache may give way. */
function roomWords(bytes: number, freeBytes: number): string {
  if (bytes <= 0 || Number.isNaN(freeBytes)) return "";
  const free = `${formatBytes(freeBytes)} free`;
  return bytes > freeBytes
    ? ` (does not fit: ${free}, unless the KV cache gives way)`
    : ` (${free}, what the engine keeps back included)`;
}

/** The hit rate over time. */
export function hitsPlot({ course }: CacheDetails, size: Size, palette: Palette): string[] {
  const y = courseMeans(course);
  return linePlot(
    {
      series: [{ name: "hit rate", x: Float64Array.from(y, (_, i) => ((i + 0.5) * course.intervalNs) / 1e9), y }],
      xLabel: "simulated time",
      yLabel: `Hit rate of the accesses of each ${formatDuration(course.intervalNs)}`,
      formatX: (seconds) => formatDuration(seconds * 1e9),
      formatY: (share) => formatPercent(share, 0),
    },
    size,
    palette,
  );
}

/** What became of the accesses of a layer. */
export interface LayerHits {
  readonly accesses: number;
  readonly misses: number;
  readonly cold: number;
}

/** Accesses and misses by layer. */
export function layerHits({ layers, experts, asked, missed, cold }: CacheDetails): LayerHits[] {
  return Array.from({ length: layers }, (_, layer) => {
    let [accesses, misses] = [0, 0];
    for (let key = layer * experts; key < (layer + 1) * experts; key++) {
      accesses += asked[key]!;
      misses += missed[key]!;
    }
    return { accesses, misses, cold: cold[layer]! };
  });
}

const barCells = 20;

/** Hit rates by layer. */
export function hitTable(
  details: CacheDetails,
  size: Size,
  palette: Palette,
  at: { readonly row: number; readonly from: number },
): string[] {
  const rows = layerHits(details);
  const rate = ({ accesses, misses }: LayerHits) => (accesses === 0 ? Number.NaN : 1 - misses / accesses);
  return scrollTable(
    {
      columns: [
        { header: "layer", min: 5 },
        { header: "hit rate", align: "right" },
        { header: "", dispensable: 4, min: barCells },
        { header: "accesses", align: "right", dispensable: 3 },
        { header: "misses", align: "right" },
        { header: "cold", align: "right", dispensable: 1 },
        { header: "capacity", align: "right", dispensable: 2 },
      ],
      rows: rows.length,
      cell: (row, column) => {
        const one = rows[row]!;
        return [
          `L${row}`,
          formatPercent(rate(one)),
          filledBar(rate(one), barCells, palette),
          formatCount(one.accesses),
          formatCount(one.misses),
          formatCount(one.cold),
          formatCount(one.misses - one.cold),
        ][column]!;
      },
    },
    size,
    palette,
    { selected: at.row, from: tableFrom(at.row, at.from, rows.length, visibleRows(rows.length, size.height)) },
  );
}

/** A name of a policy and its slots. */
export const cacheTitle = ({ figures, details, slotRange }: CachePool): string => {
  const scope = figures.scope === "layer" ? "slots a layer" : "slots in all";
  const of = details === null ? "" : details.scope === "layer" ? ` for ${formatCount(details.experts)} experts` : "";
  const ranks = details === null || details.ranks === 1 ? "" : ` on each of ${formatCount(details.ranks)} ranks`;
  const differ = slotRange !== null || details?.unequal === true;
  const slots = differ ? ownSlots(figures, slotRange, ` ${scope}`) : `${formatCount(figures.slots)} ${scope}`;
  return `${oneLine(figures.policy)}, ${slots}${of}${ranks}`;
};

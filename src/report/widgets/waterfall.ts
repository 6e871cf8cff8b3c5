import { oneLine } from "../../core/printable.ts";
import { formatCount, formatDuration } from "../../core/units.ts";
import { roundDurationStep } from "./axis.ts";
import { areaSigns, legendItem, legendLine, signAt } from "./legend.ts";
import type { Palette } from "./palette.ts";
import { bottomAxis } from "./plot-axes.ts";
import { cellCount, clip, fitLine, fitRight, type Size, styledWidth } from "./styled-text.ts";

/** A stretch of time in nanoseconds. */
export interface WaterfallSpan {
  readonly fromNs: number;
  readonly toNs: number;
  /** An index of `kinds`. */
  readonly kind: number;
}

export interface WaterfallRow {
  readonly name: string;
  readonly spans: readonly WaterfallSpan[];
  /** Behind the spans, such as how long they take. */
  readonly text: string;
}

/** Rows of spans over one axis of time, which begins at `fromNs`. */
export interface Waterfall {
  readonly rows: readonly WaterfallRow[];
  /** Names of what time is spent on. */
  readonly kinds: readonly string[];
  readonly fromNs: number;
  readonly toNs: number;
}

const linesForAxis = 6;
const linesForLegend = 2;
const spansMin = 12;
const nameMin = 4;

/** The rows that fit, how many do not, an axis of durations from `fromNs` on, and a legend. */
export function waterfall(data: Waterfall, size: Size, palette: Palette): string[] {
  const [width, height] = [cellCount(size.width), cellCount(size.height)];
  if (width === 0 || height === 0) return [];
  const { ellipsis } = palette.glyphs;
  const { rows, fromNs, toNs } = data;
  const spanNs = toNs - fromNs;
  if (rows.length === 0 || !(spanNs > 0) || !Number.isFinite(spanNs))
    return [fitLine("no spans", width, ellipsis).trimEnd()];
  const axis = height >= linesForAxis;
  const legend = height >= linesForLegend;
  const room = height - (axis ? 2 : 0) - (legend ? 1 : 0);
  const more = rows.length > room && room > 1;
  const shown = rows.slice(0, more ? room - 1 : room);
  const names = shown.map(({ name }) => oneLine(name));
  const texts = shown.map(({ text }) => oneLine(text));
  const { name, spans, text } = waterfallCells(width, widest(names), widest(texts));
  const body = shown.map((row, i) => {
    const label = name > 0 ? `${fitLine(names[i] ?? "", name, ellipsis)} ` : "";
    const behind = text > 0 ? ` ${fitRight(texts[i] ?? "", text, ellipsis)}` : "";
    return label + spanCells(row.spans, data, spans, palette) + behind;
  });
  const rest = more ? [palette.dim(`${formatCount(rows.length - shown.length)} more`)] : [];
  const gutter = name > 0 ? name + 1 : 0;
  const time = { low: 0, high: spanNs, format: formatDuration };
  const columnOf = (ns: number) => Math.min(spans - 1, Math.floor((ns / spanNs) * spans));
  const below = axis ? bottomAxis(time, columnOf, spans, gutter, palette, roundDurationStep) : [];
  const signs = areaSigns(palette.glyphs);
  const items = data.kinds.map((kind, i) => legendItem(i, signAt(signs, i), oneLine(kind), palette));
  const last = legend ? [legendLine(items, width, palette)] : [];
  return clip([...body, ...rest, ...below, ...last], { width, height });
}

const widest = (texts: readonly string[]) => texts.reduce((most, text) => Math.max(most, styledWidth(text)), 0);

/** Cells of names, spans and texts: the texts give way first, then the names. */
function waterfallCells(width: number, name: number, text: number): { name: number; spans: number; text: number } {
  const third = Math.min(name, Math.max(nameMin, Math.floor(width / 3)));
  for (const [names, texts] of [
    [third, text],
    [Math.min(third, nameMin * 3), text],
    [third, 0],
    [Math.min(third, nameMin), 0],
  ] as const) {
    const spans = width - (names > 0 ? names + 1 : 0) - (texts > 0 ? texts + 1 : 0);
    if (spans >= spansMin) return { name: names, spans, text: texts };
  }
  return { name: 0, spans: width, text: 0 };
}

/** The spans of one row. Each has a cell at least, and the shorter one of two in a cell is seen. */
function spanCells(
  spans: readonly WaterfallSpan[],
  { fromNs, toNs }: Waterfall,
  cells: number,
  palette: Palette,
): string {
  const kinds = new Int32Array(cells).fill(-1);
  const drawn = spans
    .filter((span) => span.toNs >= span.fromNs && span.toNs >= fromNs && span.fromNs <= toNs && span.kind >= 0)
    .toSorted((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs));
  const cellOf = (ns: number) =>
    Math.round(((Math.max(fromNs, Math.min(toNs, ns)) - fromNs) / (toNs - fromNs)) * cells);
  for (const span of drawn) {
    const first = Math.min(cells - 1, cellOf(span.fromNs));
    kinds.fill(span.kind, first, Math.max(first + 1, cellOf(span.toNs)));
  }
  const signs = areaSigns(palette.glyphs);
  let line = "";
  for (let cell = 0; cell < cells; ) {
    const kind = kinds[cell]!;
    let end = cell + 1;
    while (end < cells && kinds[end] === kind) end += 1;
    const run = (kind < 0 ? " " : signAt(signs, kind)).repeat(end - cell);
    line += kind < 0 ? run : palette.series(kind, run);
    cell = end;
  }
  return line;
}

import fc from "fast-check";
import { formatBytes, formatDuration, formatNumber } from "../../../src/core/units.ts";
import { barLine, bars } from "../../../src/report/widgets/bar-line.ts";
import { dotPlot } from "../../../src/report/widgets/dot-plot.ts";
import { heatMap } from "../../../src/report/widgets/heat-map.ts";
import { stackedBar } from "../../../src/report/widgets/levels.ts";
import { linePlot } from "../../../src/report/widgets/line-plot.ts";
import { colourDepths, makePalette, type Palette, plainPalette } from "../../../src/report/widgets/palette.ts";
import { scrollTable } from "../../../src/report/widgets/scroll-table.ts";
import { sparkline } from "../../../src/report/widgets/sparkline.ts";
import type { Size } from "../../../src/report/widgets/styled-text.ts";
import { waterfall } from "../../../src/report/widgets/waterfall.ts";

/** A widget with random data: it draws itself in a size with a palette. */
export interface RandomWidget {
  readonly name: string;
  /** Whether its lines are as many as its height says. */
  readonly high: boolean;
  readonly drawing: fc.Arbitrary<(size: Size, palette: Palette) => readonly string[]>;
  /** The same without data. */
  readonly empty: (size: Size, palette: Palette) => readonly string[];
}

export const escapeCharacter = "\u001b";

const hostile = [
  "",
  "layer 12",
  "専門家",
  "👩‍🚀 crew",
  "e\u0301\u0301\u0301te\u0301",
  "\u0301",
  `${escapeCharacter}[31mred`,
  `${escapeCharacter}[2J${escapeCharacter}]0;title\u0007`,
  "two\nlines\r\n",
  "tab\there",
  "\u202eright to left",
  "\ud800",
  "\u0085\u009b31m",
  "a long name of a deployment of a model on a system of eight accelerators, and then more",
];
const anyText = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({ maxLength: 8 }),
);
const anyNumber = fc.oneof(
  fc.double({ min: 0, max: 1000, noNaN: true }),
  fc.double(),
  fc.constantFrom(
    0,
    -0,
    1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    5e-324,
    1e300,
    1.7e308,
    -1.7e308,
  ),
);
const anyNumbers = fc.oneof(
  fc.array(anyNumber, { maxLength: 40 }),
  fc.array(fc.double({ min: 0, max: 9 }), { maxLength: 300 }),
);
const count = fc.oneof(fc.nat(5), fc.nat(200));
const tone = fc.constantFrom("good", "bad", "warn", "accent", "dim", undefined);

/** Every palette: all depths, with and without unicode, and the one that marks nothing. */
export const palettes: readonly Palette[] = [
  plainPalette,
  ...colourDepths.flatMap((depth) => [true, false].map((unicode) => makePalette({ depth, unicode }))),
];

/** Names by index, from a few. */
const named = (names: readonly string[]) => (i: number) => names[i % names.length] ?? "";
const names = fc.array(anyText, { minLength: 1, maxLength: 5 });
const bar = fc.record({ label: anyText, share: anyNumber, text: anyText, tone });
const alone = (line: string) => (line === "" ? [] : [line]);

type Drawing = RandomWidget["drawing"];

/** Random data drawn by a widget; a failing case shows the data. */
const draws = <T>(data: fc.Arbitrary<T>, draw: (data: T, size: Size, palette: Palette) => readonly string[]): Drawing =>
  data.map((found) =>
    Object.assign((size: Size, palette: Palette) => draw(found, size, palette), {
      [fc.toStringMethod]: () => fc.stringify(found),
    }),
  );

/** All widgets: those that are listed here keep the rules. */
export const widgets: readonly RandomWidget[] = [
  {
    name: "bar line",
    high: false,
    drawing: draws(
      fc.record({ bar, labelWidth: fc.nat(40), textWidth: fc.nat(40) }),
      ({ bar, ...widths }, size, palette) => alone(barLine(bar, { ...widths, width: size.width }, palette)),
    ),
    empty: (size, palette) => bars([], size.width, palette),
  },
  {
    name: "bars",
    high: false,
    drawing: draws(fc.array(bar, { maxLength: 5 }), (rows, size, palette) => bars(rows, size.width, palette)),
    empty: (size, palette) => bars([], size.width, palette),
  },
  {
    name: "sparkline",
    high: false,
    drawing: draws(
      fc.record({ values: anyNumbers, max: fc.option(anyNumber, { nil: undefined }) }),
      ({ values, max }, size, palette) => alone(sparkline(values, size.width, palette, { max })),
    ),
    empty: (size, palette) => alone(sparkline([], size.width, palette)),
  },
  {
    name: "line plot",
    high: true,
    drawing: draws(
      fc.record({
        series: fc.array(fc.record({ name: anyText, x: anyNumbers, y: anyNumbers }), { maxLength: 7 }),
        limit: fc.option(fc.record({ value: anyNumber, name: anyText }), { nil: undefined }),
        xLabel: anyText,
        yLabel: anyText,
        formatX: fc.constantFrom(formatNumber, formatDuration),
        formatY: fc.constantFrom(formatNumber, (value: number) => `${escapeCharacter}[31m${value}`),
      }),
      (plot, size, palette) => linePlot(plot, size, palette),
    ),
    empty: (size, palette) =>
      linePlot({ series: [], xLabel: "x", yLabel: "y", formatX: String, formatY: String }, size, palette),
  },
  {
    name: "dot plot",
    high: true,
    drawing: draws(
      fc.record({
        series: fc.array(
          fc.record({ name: anyText, x: anyNumbers, y: anyNumbers, sign: fc.constantFrom(null, "o", "@") }),
          { maxLength: 5 },
        ),
        xLabel: anyText,
        yLabel: anyText,
        formatX: fc.constantFrom(formatNumber, formatDuration),
        formatY: fc.constantFrom(formatNumber, (value: number) => `${escapeCharacter}[31m${value}`),
      }),
      (plot, size, palette) => dotPlot(plot, size, palette),
    ),
    empty: (size, palette) =>
      dotPlot({ series: [], xLabel: "x", yLabel: "y", formatX: String, formatY: String }, size, palette),
  },
  {
    name: "heat map",
    high: true,
    drawing: draws(
      fc.record({
        rows: count,
        columns: count,
        values: anyNumbers,
        names,
        range: fc.option(fc.tuple(anyNumber, anyNumber), { nil: undefined }),
        view: fc.record({
          rowFrom: anyNumber,
          columnFrom: anyNumber,
          cursor: fc.option(
            fc.record({ row: fc.integer({ min: -2, max: 40 }), column: fc.integer({ min: -2, max: 40 }) }),
            { nil: undefined },
          ),
          rowsPerLine: fc.constantFrom(undefined, "fit" as const, 0, 3, Number.NaN),
          columnsPerCell: fc.constantFrom(undefined, 0, 1, 7),
        }),
      }),
      ({ names, view, values, ...map }, size, palette) => {
        const repeated = Array.from(
          { length: map.rows * map.columns },
          (_, i) => values[i % values.length] ?? Number.NaN,
        );
        const heat = {
          ...map,
          values: repeated,
          rowName: named(names),
          columnName: named(names),
          format: formatNumber,
        };
        return heatMap(heat, size, palette, view);
      },
    ),
    empty: (size, palette) =>
      heatMap({ values: [], rows: 0, columns: 0, rowName: String, columnName: String, format: String }, size, palette, {
        rowFrom: 0,
        columnFrom: 0,
      }),
  },
  {
    name: "scroll table",
    high: true,
    drawing: draws(
      fc.record({
        columns: fc.array(
          fc.record({
            header: anyText,
            align: fc.constantFrom("left" as const, "right" as const, undefined),
            dispensable: fc.option(fc.nat(3), { nil: undefined }),
            min: fc.option(fc.nat(20), { nil: undefined }),
          }),
          { maxLength: 6 },
        ),
        rows: fc.oneof(fc.nat(60), fc.constantFrom(1e9, Number.NaN)),
        names,
        tones: fc.option(fc.array(tone, { minLength: 1, maxLength: 4 }), { nil: undefined }),
        view: fc.record({
          from: anyNumber,
          selected: fc.option(fc.nat(60), { nil: undefined }),
          marked: fc.option(
            fc.constant((row: number) => row % 3 === 0),
            { nil: undefined },
          ),
          sorted: fc.option(fc.record({ column: fc.nat(6), descending: fc.boolean() }), { nil: undefined }),
        }),
      }),
      ({ names, tones, view, ...table }, size, palette) => {
        const cell = (row: number, column: number) => named(names)(row * 7 + column);
        const toneOf = tones && ((row: number) => tones[row % tones.length]);
        return scrollTable({ ...table, cell, tone: toneOf }, size, palette, view);
      },
    ),
    empty: (size, palette) =>
      scrollTable({ columns: [{ header: "name" }], rows: 0, cell: () => "" }, size, palette, { from: 0 }),
  },
  {
    name: "waterfall",
    high: true,
    drawing: draws(
      fc.record({
        rows: fc.array(
          fc.record({
            name: anyText,
            text: anyText,
            spans: fc.array(fc.record({ fromNs: anyNumber, toNs: anyNumber, kind: fc.nat(8) }), { maxLength: 6 }),
          }),
          { maxLength: 60 },
        ),
        kinds: fc.array(anyText, { maxLength: 9 }),
        fromNs: fc.oneof(fc.constant(0), anyNumber),
        toNs: fc.oneof(fc.constantFrom(1000, 3e11, 9e12), anyNumber),
      }),
      (data, size, palette) => waterfall(data, size, palette),
    ),
    empty: (size, palette) => waterfall({ rows: [], kinds: ["queue"], fromNs: 0, toNs: 1 }, size, palette),
  },
  {
    name: "stacked bar",
    high: false,
    drawing: draws(
      fc.record({
        parts: fc.array(fc.record({ name: anyText, amount: anyNumber }), { maxLength: 8 }),
        total: anyNumber,
        format: fc.constantFrom(formatNumber, formatBytes),
      }),
      (levels, size, palette) => stackedBar(levels, size.width, palette),
    ),
    empty: (size, palette) => stackedBar({ parts: [], total: 0, format: String }, size.width, palette),
  },
];

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { layAxis } from "../../../src/report/html/charts/axis.ts";
import { barChart } from "../../../src/report/html/charts/bar-chart.ts";
import { heatChart } from "../../../src/report/html/charts/heat-chart.ts";
import { lineChart } from "../../../src/report/html/charts/line-chart.ts";
import { rangeChart } from "../../../src/report/html/charts/range-chart.ts";
import { scatterChart } from "../../../src/report/html/charts/scatter-chart.ts";

const finite = fc.double({ min: -1e12, max: 1e12, noNaN: true });
const positive = fc.double({ min: 1e-6, max: 1e12, noNaN: true });

describe("an axis", () => {
  test("has every value between its ends, larger ones further along, and a few ticks in order", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("linear", "log"),
        fc.array(positive, { minLength: 1, maxLength: 20 }),
        (kind, values) => {
          const axis = layAxis({ label: "x", kind: kind as "linear" | "log", values, format: String }, 10, 110);
          for (const value of values) {
            expect(axis.at(value)).toBeGreaterThanOrEqual(10 - 1e-6);
            expect(axis.at(value)).toBeLessThanOrEqual(110 + 1e-6);
          }
          const places = axis.ticks.map(({ at }) => at);
          expect(places).toEqual([...places].sort((a, b) => a - b));
          expect(places.length).toBeLessThanOrEqual(12);
        },
      ),
    );
  });

  test("without a value, with one, and with none that it can show still stands", () => {
    for (const values of [[], [0], [5], [Number.NaN], [-3]])
      for (const kind of ["linear", "log"] as const)
        expect(Number.isFinite(layAxis({ label: "", kind, values, format: String }, 0, 100).at(1))).toBe(true);
  });
});

/** Numbers of a drawing. */
const numbers = (markup: string) =>
  [...markup.matchAll(/-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|NaN|Infinity/g)].map(([text]) => text);

test("drawings hold no number that is none, and coordinates of one decimal", () => {
  const axis = { label: "x", kind: "linear", format: () => "" } as const;
  fc.assert(
    fc.property(fc.array(fc.tuple(finite, finite), { minLength: 1, maxLength: 30 }), (points) => {
      const { drawing } = lineChart({ title: "", caption: "", x: axis, y: axis, series: [{ name: "s", points }] });
      for (const text of numbers(drawing.markup)) expect(text).toMatch(/^-?\d+(\.\d)?$/);
    }),
  );
});

test("the same values give the same drawing", () => {
  const chart = () =>
    scatterChart({
      title: "t",
      caption: "c",
      x: { label: "x", kind: "log", format: String },
      y: { label: "y", kind: "linear", format: String },
      points: [3, 1, 2].map((value) => ({ x: value, y: 4 - value, name: `p${value}`, best: value !== 2, series: "s" })),
    });
  expect(chart()).toEqual(chart());
});

test("a heat map is drawn cell by cell: every cell with its colour, neighbours joined", () => {
  const rows = [
    [0, 60, 60, 300],
    [60, 60, 0, 0],
  ];
  const steps = [0, 50, 200];
  const { markup } = heatChart({
    title: "",
    caption: "",
    rows,
    steps,
    stepNames: ["0", "50", "200"],
    across: { name: "", first: "", last: "" },
    down: { name: "", first: "", last: "" },
    data: { columns: [], rows: [] },
  }).drawing;
  const painted = rows.map((row) => row.map(() => 0));
  for (const [, step, path] of markup.matchAll(/class="q(\d)" d="([^"]*)"/g))
    for (const [, x, y, width] of path!.matchAll(/M(\d+) (\d+)h(\d+)/g))
      for (let i = 0; i < Number(width); i++) painted[Number(y)]![Number(x) + i] = Number(step);
  expect(painted).toEqual([
    [0, 1, 1, 2],
    [1, 1, 0, 0],
  ]);
  expect(markup.match(/M\d/g)).toHaveLength(3);
});

test("parts of a bar fill it from the left without a gap, and never beyond its end", () => {
  const parts = [0.5, 0.3, 0.4].map((share) => ({ share, name: String(share) }));
  const { markup } = barChart({
    title: "",
    caption: "",
    bars: [{ name: "b", share: 1, text: "", parts }],
    data: { columns: [], rows: [] },
  }).drawing;
  const spans = [...markup.matchAll(/class="fill s\d" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"/g)].map(
    ([, x, width]) => [Number(x), Number(x) + Number(width)] as const,
  );
  expect(spans).toHaveLength(3);
  for (const [i, [from]] of spans.entries()) if (i > 0) expect(from).toBeCloseTo(spans[i - 1]![1], 1);
  expect(spans[0]![0]).toBe(2);
  expect(spans.at(-1)![1]).toBeCloseTo(398, 1);
});

test("bars to both sides begin where the figure is and end where it goes", () => {
  const { markup } = rangeChart({
    title: "",
    caption: "",
    base: 10,
    rows: [{ name: "n", low: { value: 8, text: "" }, high: { value: 14, text: "" } }],
    axis: { label: "", format: String },
    data: { columns: [], rows: [] },
  }).drawing;
  const [low, high] = [...markup.matchAll(/class="fill s\d" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(
    ([, x, width]) => ({ from: Number(x), to: Number(x) + Number(width) }),
  );
  expect(low!.to).toBeCloseTo(high!.from, 1);
  expect((high!.to - high!.from) / (low!.to - low!.from)).toBeCloseTo(2, 1);
});

import { LogHistogram } from "../src/core/histogram.ts";
import { quantiles } from "../src/core/quantile.ts";
import { RandomStream } from "../src/core/random.ts";
import { type BenchRow, medianOf } from "./bench.ts";

const samples = 10_000_000;
const runs = 5;
const levels = [0.5, 0.9, 0.99, 0.999, 0.9999];

/** Five percentiles of 10 M lognormal values: histogram and selection against a full sort. */
export async function bench(): Promise<BenchRow[]> {
  const random = new RandomStream(1, "lognormal");
  const values = Float64Array.from({ length: samples }, () => 1e6 * Math.exp(random.normal()));

  let histogram = new LogHistogram();
  const histogramSeconds = medianOf(runs, () => {
    histogram = new LogHistogram();
    for (let i = 0; i < samples; i++) histogram.record(values[i]!);
    for (const p of levels) histogram.quantile(p);
  });
  let exact: number[] = [];
  const selectionSeconds = medianOf(runs, () => {
    exact = quantiles(values, levels);
  });
  const sortSeconds = medianOf(runs, () => {
    values.slice().sort();
  });
  const error = Math.max(...levels.map((p, i) => Math.abs(histogram.quantile(p) / (exact[i] ?? NaN) - 1)));

  const ratioTo = "Float64Array sort";
  return [
    {
      name: "percentiles of 10 M, histogram",
      value: histogramSeconds * 1e3,
      unit: "ms",
      ratio: sortSeconds / histogramSeconds,
      ratioTo,
    },
    {
      name: "percentiles of 10 M, exact selection",
      value: selectionSeconds * 1e3,
      unit: "ms",
      ratio: sortSeconds / selectionSeconds,
      ratioTo,
    },
    {
      name: "largest relative error of the histogram",
      value: error,
      unit: "",
      ratio: error * 256,
      ratioTo: "bound 2^-8",
    },
  ];
}

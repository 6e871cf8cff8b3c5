import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { meanInterval } from "../../../src/core/statistics.ts";
import {
  intervalLevel,
  pairedFigures,
  pairedSeedsLeast,
  sharedSeeds,
} from "../../../src/forecast/compare/paired-interval.ts";
import { comparedMetrics } from "../../../src/forecast/compared-metrics.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { exampleForecast } from "../example-forecast.ts";

const throughput = comparedMetrics.find(({ name }) => name === "throughput")!;
const single = exampleForecast();

/** The forecast with these values of throughput, by seed. */
const over = (values: readonly (number | null)[], seeds = values.map((_, i) => i + 1)): Forecast => ({
  ...single,
  repetitions: { seeds, load: seeds.map(() => "stable"), metrics: { throughput: values }, slos: [] },
});
const figures = (before: Forecast, after: Forecast) => pairedFigures(throughput, before, after);

describe("figures over shared seeds", () => {
  test("are means over the seeds that both ran, whatever their order, with Student's interval of the differences", () => {
    const before = over([10, 20, 30, 40, 99], [1, 2, 3, 4, 9]);
    const after = over([44, 33, 22, 13, 77], [4, 3, 2, 1, 8]);
    expect(sharedSeeds(before, after)).toEqual([
      [0, 3],
      [1, 2],
      [2, 1],
      [3, 0],
    ]);
    // Differences 3, 2, 3, 4: mean 3, standard deviation sqrt(2/3); t(3 degrees, 99 %) = 5.841.
    const { before: was, after: is, halfWidth, basis } = figures(before, after);
    expect([was, is, basis]).toEqual([25, 28, "seeds"]);
    expect(halfWidth).toBeCloseTo((5.8409 * Math.sqrt(2 / 3)) / 2, 3);
  });

  test("mirror: the interval is the same both ways", () => {
    const [one, two] = [over([1, 5, 3, 4, 8]), over([2, 5, 7, 3, 9])];
    expect(figures(two, one).halfWidth).toBe(figures(one, two).halfWidth);
  });

  test("need enough seeds that both ran: with fewer, the first runs are compared", () => {
    const few = Array.from({ length: pairedSeedsLeast - 1 }, (_, i) => i);
    expect(figures(over(few), over(few))).toEqual(figures(single, single));
    expect(figures(over([...few, 1]), over([...few, 1])).basis).toBe("seeds");
    expect(figures(over([1, 2, 3, 4, 5]), single).basis).toBe("sections");
    expect(figures(over([1, 2, 3, 4]), over([1, 2, 3, 4], [5, 6, 7, 8])).basis).toBe("sections");
  });

  test("are missing where one seed of a result lacks them, and left out where both do", () => {
    expect(figures(over([1, 2, 3, 4, 5]), over([1, 2, null, 4, 5]))).toEqual({
      before: 3,
      after: null,
      halfWidth: null,
      basis: null,
    });
    expect(figures(over([1, 2, null, 4, 5]), over([2, 3, null, 5, 6]))).toMatchObject({ before: 3, after: 4 });
    expect(figures(over([null, null, null, null]), over([null, null, null, null]))).toMatchObject({
      before: null,
      after: null,
    });
  });

  test("have an interval of 0 where all pairs differ alike", () => {
    expect(figures(over([1, 2, 3, 4]), over([2, 3, 4, 5])).halfWidth).toBe(0);
  });

  test("are read by name and not by what every object inherits", () => {
    const inherited = { ...throughput, name: "constructor" };
    expect(() => pairedFigures(inherited, over([1, 2, 3, 4]), over([1, 2, 3, 4]))).not.toThrow();
  });
});

test("the interval covers the true difference at its level, and is a fraction of that of independent runs", () => {
  const rng = new RandomStream(11, "coverage");
  const trials = 4000;
  let [covered, paired, unpaired] = [0, 0, 0];
  for (let trial = 0; trial < trials; trial++) {
    // What both draw alike has ten times the spread of what each draws apart; the true difference is 5.
    const shared = Array.from({ length: 6 }, () => 10 * rng.normal());
    const before = shared.map((value) => 100 + value + rng.normal());
    const after = shared.map((value) => 105 + value + rng.normal());
    const found = figures(over(before), over(after));
    const difference = found.after! - found.before!;
    if (Math.abs(difference - 5) <= found.halfWidth!) covered++;
    paired += found.halfWidth!;
    unpaired += Math.hypot(meanInterval(before, intervalLevel).halfWidth, meanInterval(after, intervalLevel).halfWidth);
  }
  // Three standard errors of a share of 0.99 in 4,000 are 0.005.
  expect(Math.abs(covered / trials - intervalLevel)).toBeLessThan(0.005);
  expect(paired / unpaired).toBeLessThan(0.15);
});

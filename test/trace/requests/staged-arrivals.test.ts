import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { RandomStream } from "../../../src/core/random.ts";
import { generateRequests } from "../../../src/trace/requests/generate/generate-requests.ts";
import {
  type Stage,
  type StagedArrivals,
  stagedArrivals,
  stageTotals,
} from "../../../src/trace/requests/generate/staged-arrivals.ts";
import { drawn } from "../../drawn.ts";

function arrivalsOf(stages: readonly Stage[], process: StagedArrivals["process"], seed = 1): number[] {
  const next = stagedArrivals({ kind: "stages", process, stages }, new RandomStream(seed, "stages"));
  const times: number[] = [];
  for (let at = next(); at < Number.POSITIVE_INFINITY; at = next()) times.push(at);
  return times;
}

/** Arrivals due by a time, by summing small pieces. */
function dueBy(stages: readonly Stage[], until: number): number {
  let due = 0;
  let start = 0;
  for (const { ratePerSecond: from, toRatePerSecond: to = from, seconds } of stages) {
    const pieces = 20_000;
    for (let i = 0; i < pieces; i++) {
      const at = ((i + 0.5) / pieces) * seconds;
      if (start + at < until) due += ((from + ((to - from) * at) / seconds) * seconds) / pieces;
    }
    start += seconds;
  }
  return due;
}

const steps: Stage[] = [
  { ratePerSecond: 5, seconds: 60 },
  { ratePerSecond: 0, seconds: 30 },
  { ratePerSecond: 20, seconds: 10 },
];
const ramp: Stage[] = [{ ratePerSecond: 2, toRatePerSecond: 14, seconds: 100 }];

describe("staged arrivals", () => {
  test("of even gaps come at multiples of the gap in each stage, and not in a pause", () => {
    const times = arrivalsOf(steps, "constant");
    expect(times).toHaveLength(300 + 200);
    for (let i = 0; i < 300; i++) expect(times[i]).toBeCloseTo(i / 5, 9);
    for (let i = 0; i < 200; i++) expect(times[300 + i]).toBeCloseTo(90 + i / 20, 9);
  });

  test("are as many as the integral of the rate, by every time, whatever the stages", () => {
    const rate = fc.integer({ min: 0, max: 30 });
    const stage = fc.record({
      ratePerSecond: rate,
      toRatePerSecond: fc.option(rate, { nil: undefined }),
      seconds: fc.integer({ min: 1, max: 20 }),
    });
    fc.assert(
      fc.property(
        fc.array(stage, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (raw, at) => {
          const stages: Stage[] = raw.map(({ toRatePerSecond, ...rest }) =>
            toRatePerSecond === undefined ? rest : { ...rest, toRatePerSecond },
          );
          const { arrivals, seconds } = stageTotals(stages);
          const times = arrivalsOf(stages, "constant");
          // The first arrival is due at once.
          expect(Math.abs(times.length - arrivals)).toBeLessThanOrEqual(1);
          const until = at * seconds;
          const come = times.filter((time) => time < until).length;
          expect(Math.abs(come - dueBy(stages, until))).toBeLessThan(1.1);
          for (let i = 1; i < times.length; i++) expect(times[i]!).toBeGreaterThanOrEqual(times[i - 1]!);
          if (times.length > 0) expect(times.at(-1)!).toBeLessThanOrEqual(seconds);
        },
      ),
      { numRuns: drawn(60) },
    );
  });

  test("that ramp are due by t as rate t + slope t^2 / 2", () => {
    const times = arrivalsOf(ramp, "constant");
    expect(times).toHaveLength(800);
    for (const [n, at] of times.entries()) expect(2 * at + (0.12 * at * at) / 2).toBeCloseTo(n, 6);
  });

  test("that are Poisson have that mean and variance over each part of a ramp", () => {
    // Rates 2 to 14 over 100 s: 125 + 225 + ... arrivals per quarter; counts of 300 runs.
    const counts = Array.from({ length: 300 }, (_, seed) => {
      const quarters = [0, 0, 0, 0];
      for (const at of arrivalsOf(ramp, "poisson", seed)) quarters[Math.min(3, Math.floor(at / 25))]!++;
      return quarters;
    });
    for (const [quarter, expected] of [87.5, 162.5, 237.5, 312.5].entries()) {
      const values = counts.map((each) => each[quarter]!);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
      expect(Math.abs(mean - expected)).toBeLessThan(4 * Math.sqrt(expected / values.length));
      expect(variance / expected).toBeGreaterThan(0.7);
      expect(variance / expected).toBeLessThan(1.35);
    }
  });

  test("draw the same whatever the rates: twice the rate over half the time halves every arrival time", () => {
    const faster = ramp.map(({ ratePerSecond, toRatePerSecond = ratePerSecond, seconds }) => ({
      ratePerSecond: 2 * ratePerSecond,
      toRatePerSecond: 2 * toRatePerSecond,
      seconds: seconds / 2,
    }));
    const slow = arrivalsOf(ramp, "poisson");
    const fast = arrivalsOf(faster, "poisson");
    expect(fast).toHaveLength(slow.length);
    for (const [i, at] of slow.entries()) expect(fast[i]).toBeCloseTo(at / 2, 9);
  });

  test("end a workload with their last stage, or with its requests, whichever comes first", () => {
    const fixed = { kind: "fixed", tokens: 10 } as const;
    const classes = [{ name: "all", lengths: { prompt: fixed, output: fixed } }];
    const draw = (requests?: number) =>
      generateRequests(
        {
          arrivals: { kind: "stages", process: "poisson", stages: steps },
          classes,
          ...(requests === undefined ? {} : { requests }),
        },
        new RandomStream(3, "w"),
      );
    const all = draw();
    expect(all.arrivalNs.at(-1)).toBeLessThan(100e9);
    expect(all.arrivalNs.slice(0, 50)).toEqual(draw(50).arrivalNs);
    expect(draw(10_000).count).toBe(all.count);
  });

  test("of no arrivals, or of too many, are refused by name", () => {
    const fixed = { kind: "fixed", tokens: 10 } as const;
    const classes = [{ name: "all", lengths: { prompt: fixed, output: fixed } }];
    const refused = (stages: readonly Stage[]) => {
      try {
        generateRequests(
          { arrivals: { kind: "stages", process: "poisson", stages }, classes },
          new RandomStream(1, "w"),
        );
      } catch (error) {
        if (error instanceof InvalidInputError) return error.problems.map(({ at }) => at);
        throw error;
      }
      return [];
    };
    expect(refused([])).toEqual(["arrivals.stages"]);
    expect(refused([{ ratePerSecond: 0, seconds: 10 }])).toEqual(["arrivals.stages"]);
    expect(refused([{ ratePerSecond: 1e9, seconds: 10 }])).toEqual(["arrivals.stages"]);
    expect(refused([{ ratePerSecond: -1, toRatePerSecond: Number.NaN, seconds: 0 }])).toEqual([
      "arrivals.stages[0].ratePerSecond",
      "arrivals.stages[0].toRatePerSecond",
      "arrivals.stages[0].seconds",
    ]);
  });
});

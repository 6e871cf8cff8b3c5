import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { metricError, orderingShare, summarise } from "../../../src/validate/serving/summarise.ts";
import type { PointError } from "../../../src/validate/serving/validation.ts";
import { pointError, pointMetric } from "../../calibrate/example-points.ts";

/** Points over few models, layouts and loads, so that setups, repeats and ties occur. */
const points: fc.Arbitrary<PointError[]> = fc
  .array(
    fc
      .record({
        model: fc.constantFrom("a", "b"),
        system: fc.constantFrom("x", "y"),
        engine: fc.constantFrom("vllm", "sglang"),
        tp: fc.constantFrom(1, 2, 4),
        concurrency: fc.constantFrom(4, 8),
        measuredMs: fc.integer({ min: 1, max: 40 }),
        predictedMs: fc.integer({ min: 1, max: 40 }),
        ttft: fc.option(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 900 }))),
        band: fc.option(fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 20, max: 40 }))),
        saturated: fc.boolean(),
        listed: fc.boolean(),
      })
      .map(({ measuredMs, predictedMs, ttft, band, saturated, listed, ...point }) =>
        pointError(point, {
          tpot: pointMetric(measuredMs, predictedMs, band),
          ttft: ttft === null ? null : pointMetric(ttft[0], ttft[1]),
          saturated,
          listedSeries: listed ? "a series" : null,
        }),
      ),
    { maxLength: 40 },
  )
  .map((list) => list.map((error, i) => ({ ...error, point: { ...error.point, line: i + 2 } })));

describe("errors of a metric", () => {
  test("are mean, type-7 median and p90 of the sizes, and the mean of the signed errors", () => {
    expect(metricError([10, -20, 30, -40])).toEqual({
      points: 4,
      meanAbsolutePercent: 25,
      medianAbsolutePercent: 25,
      p90AbsolutePercent: expect.closeTo(37, 9) as number,
      biasPercent: -5,
    });
  });

  test("are null where there are no points", () => {
    const { points: count, ...rest } = metricError([]);
    expect(count).toBe(0);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
  });

  test("agree with sorting by hand", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100, max: 1000 }), { minLength: 1, maxLength: 50 }), (errors) => {
        const sizes = errors.map(Math.abs).sort((a, b) => a - b);
        const at = (p: number) => {
          const place = (sizes.length - 1) * p;
          const [low = 0, high = 0] = [sizes[Math.floor(place)], sizes[Math.ceil(place)]];
          return low + (place - Math.floor(place)) * (high - low);
        };
        const found = metricError(errors);
        expect(found.medianAbsolutePercent).toBeCloseTo(at(0.5), 9);
        expect(found.p90AbsolutePercent).toBeCloseTo(at(0.9), 9);
        expect(found.meanAbsolutePercent).toBeCloseTo(sizes.reduce((sum, size) => sum + size, 0) / sizes.length, 9);
        expect(found.biasPercent).toBeCloseTo(errors.reduce((sum, error) => sum + error, 0) / errors.length, 9);
      }),
    );
  });
});

describe("a summary", () => {
  test("of a perfect forecast has no error, and every pair in order", () => {
    fc.assert(
      fc.property(points, (list) => {
        const perfect = list.map((error) => ({
          ...error,
          tpot: pointMetric(error.tpot?.measuredMs ?? 1, error.tpot?.measuredMs ?? 1),
          ttft: null,
        }));
        const { overall, ordering } = summarise(perfect);
        expect(ordering.correct).toBe(ordering.pairs);
        expect(overall.tpot.meanAbsolutePercent ?? 0).toBe(0);
        expect(overall.tpot.biasPercent ?? 0).toBe(0);
      }),
    );
  });

  test("does not depend on the order of the points, to the last bit", () => {
    fc.assert(
      fc.property(
        points.chain((list) => fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length }))),
        ([list, shuffled]) => {
          expect(summarise(shuffled)).toEqual(summarise(list));
        },
      ),
    );
  });

  test("keeps listed series in the overall figures and leaves them out of the others", () => {
    fc.assert(
      fc.property(points, (list) => {
        const { overall, withoutListed } = summarise(list);
        const kept = list.filter((error) => error.listedSeries === null);
        expect(overall.points).toBe(list.length);
        expect(withoutListed).toEqual(summarise(kept).overall);
      }),
    );
  });

  test("puts every point in the setup of its model, system and engine", () => {
    fc.assert(
      fc.property(points, (list) => {
        const { setups } = summarise(list);
        expect(setups.reduce((sum, setup) => sum + setup.points, 0)).toBe(list.length);
        for (const { model, system, engine, ...errors } of setups) {
          const members = list.filter(
            ({ point }) => point.model === model && point.system === system && point.engine === engine,
          );
          expect(errors).toEqual(summarise(members).overall);
        }
        const names = setups.map(({ model, system, engine }) => `${model} ${system} ${engine}`);
        expect(names).toEqual([...new Set(names)].sort());
      }),
    );
  });

  test("counts TTFT of saturated points apart", () => {
    const { overall } = summarise([
      pointError({}, { ttft: pointMetric(100, 110) }),
      pointError({ line: 3 }, { ttft: pointMetric(10_000, 1000), saturated: true }),
      pointError({ line: 4 }, { ttft: null }),
    ]);
    expect(overall.ttft).toMatchObject({ points: 2, meanAbsolutePercent: expect.closeTo(50, 9) as number });
    expect(overall.ttftUnsaturated).toMatchObject({ points: 1, biasPercent: expect.closeTo(10, 9) as number });
  });

  test("names the ten largest TPOT errors, whatever their sign", () => {
    const list = Array.from({ length: 25 }, (_, i) =>
      pointError({ line: i + 2 }, { tpot: pointMetric(100, i % 2 === 0 ? 100 + i : 100 - i) }),
    );
    const { worst } = summarise([...list, pointError({ line: 99 }, { tpot: null })]);
    expect(worst.map(({ point }) => point.line)).toEqual([26, 25, 24, 23, 22, 21, 20, 19, 18, 17]);
  });

  test("counts measured values inside their bands, edges included", () => {
    const { bands } = summarise([
      pointError({}, { tpot: pointMetric(10, 11, [10, 12]) }),
      pointError({ line: 3 }, { tpot: pointMetric(10, 11, [10.5, 12]) }),
      pointError({ line: 4 }, { tpot: pointMetric(10, 11) }),
    ]);
    expect(bands?.tpot).toEqual({ nominal: 0.8, points: 2, inside: 1, share: 0.5 });
    expect(bands?.ttft).toEqual({ nominal: 0.8, points: 0, inside: 0, share: null });
    expect(summarise([pointError()]).bands).toBeNull();
  });

  test("of thousands of points at one load takes seconds at most", () => {
    const list = Array.from({ length: 5000 }, (_, i) =>
      pointError({ line: i, system: `s${i}` }, { tpot: pointMetric(1 + ((i * 7919) % 5000), 1 + i) }),
    );
    const start = performance.now();
    summarise(list);
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe("the ordering share", () => {
  const layout = (tp: number, measuredMs: number, predictedMs: number, line = tp): PointError =>
    pointError({ tp, line }, { tpot: pointMetric(measuredMs, predictedMs) });

  test("falls when two forecasts are swapped", () => {
    expect(orderingShare([layout(1, 20, 21), layout(2, 12, 11), layout(4, 8, 9)])).toEqual({
      pairs: 3,
      correct: 3,
      share: 1,
    });
    expect(orderingShare([layout(1, 20, 11), layout(2, 12, 21), layout(4, 8, 9)])).toMatchObject({ correct: 2 });
  });

  test("takes equal forecasts for wrong, and pairs within 10 % for none", () => {
    expect(orderingShare([layout(1, 20, 10), layout(2, 12, 10)])).toEqual({ pairs: 1, correct: 0, share: 0 });
    expect(orderingShare([layout(1, 10, 20), layout(2, 11, 10)])).toEqual({ pairs: 0, correct: 0, share: null });
    expect(orderingShare([layout(1, 10, 20), layout(2, 11.01, 10)])).toMatchObject({ pairs: 1, correct: 0 });
  });

  test("compares neither repeats nor other loads and models", () => {
    const repeats = [layout(1, 10, 9), layout(1, 20, 30, 7)];
    const loads = [layout(1, 10, 9), pointError({ concurrency: 16 }, { tpot: pointMetric(20, 30) })];
    const models = [layout(1, 10, 9), pointError({ model: "other" }, { tpot: pointMetric(20, 30) })];
    for (const list of [repeats, loads, models]) expect(orderingShare(list).pairs).toBe(0);
  });

  test("is what going through all pairs gives", () => {
    fc.assert(
      fc.property(points, (list) => {
        let pairs = 0;
        let correct = 0;
        for (const [i, a] of list.entries())
          for (const b of list.slice(i + 1)) {
            const [p, q] = [a.point, b.point];
            const [s, t] = [a.tpot, b.tpot];
            if (s === null || t === null || p.model !== q.model || p.concurrency !== q.concurrency) continue;
            if (p.system === q.system && p.engine === q.engine && p.tp === q.tp) continue;
            const [small, large] = [Math.min(s.measuredMs, t.measuredMs), Math.max(s.measuredMs, t.measuredMs)];
            if (large - small <= 0.1 * small + 1e-9) continue;
            pairs += 1;
            if ((s.measuredMs - t.measuredMs) * (s.predictedMs - t.predictedMs) > 0) correct += 1;
          }
        expect(orderingShare(list)).toMatchObject({ pairs, correct });
      }),
    );
  });
});

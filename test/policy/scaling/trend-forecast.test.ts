import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TrendForecast, type TrendSettings } from "../../../src/policy/scaling/trend-forecast.ts";
import { drawn } from "../../drawn.ts";

const forecastOf = (values: readonly number[], settings: Partial<TrendSettings> = {}) => {
  const forecast = new TrendForecast({ level: 0.2, trend: 0.1, ahead: 3, season: null, ...settings });
  for (const value of values) forecast.observe(value);
  return forecast;
};
const weight = fc.double({ min: 0, max: 1, noNaN: true });
const series = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });

describe("Holt's linear trend", () => {
  test("knows nothing before the first value", () => {
    expect(forecastOf([]).forecast()).toBeNull();
    expect(forecastOf([]).most()).toBeNull();
  });

  test("forecasts what never changes, whatever the weights", () => {
    fc.assert(
      fc.property(
        weight,
        weight,
        fc.nat(50),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (level, trend, ahead, x) => {
          const constant = forecastOf(
            Array.from({ length: 20 }, () => x),
            { level, trend, ahead },
          );
          expect(constant.forecast()).toBeCloseTo(x, 6);
          expect(constant.most()).toBeCloseTo(x, 6);
        },
      ),
      { numRuns: drawn(100), seed: 1 },
    );
  });

  test("is exact on a line with full weights, and comes to it with others", () => {
    const line = Array.from({ length: 400 }, (_, i) => 5 + 2 * i);
    expect(forecastOf(line.slice(0, 3), { level: 1, trend: 1, ahead: 7 }).forecast()).toBe(5 + 2 * 9);
    expect(forecastOf(line, { ahead: 7 }).forecast()).toBeCloseTo(5 + 2 * 406, 3);
  });

  test("follows its recursion, and never forecasts less than nothing", () => {
    fc.assert(
      fc.property(series, weight, weight, fc.nat(20), (values, a, b, ahead) => {
        let level = values[0]!;
        let trend = 0;
        for (const value of values.slice(1)) {
          const next = Math.max(0, a * value + (1 - a) * (level + trend));
          trend = b * (next - level) + (1 - b) * trend;
          level = next;
        }
        const forecast = forecastOf(values, { level: a, trend: b, ahead });
        expect(forecast.forecast()).toBeCloseTo(Math.max(0, level + ahead * trend), 3);
        expect(forecast.most()!).toBeGreaterThanOrEqual(Math.max(level, forecast.forecast()!) - 1e-6);
      }),
      { numRuns: drawn(200), seed: 2 },
    );
  });
});

describe("with a season", () => {
  test("what repeats is forecast exactly once it was seen, wherever in the season", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(1000), { minLength: 2, maxLength: 24 }),
        fc.nat(30),
        fc.nat(30),
        (wave, more, ahead) => {
          const season = wave.length;
          const looks = Math.min(ahead, season - 1);
          const values = Array.from({ length: season + 1 + more }, (_, i) => wave[i % season]!);
          const forecast = forecastOf(values, { level: 1, season, ahead: looks });
          expect(forecast.forecast()).toBe(wave[(values.length - 1 + looks) % season]);
        },
      ),
      { numRuns: drawn(200), seed: 3 },
    );
  });

  test("the trend is forecast until then", () => {
    const values = [1, 3, 5, 7];
    const settings = { level: 1, trend: 1, ahead: 2 };
    expect(forecastOf(values, { ...settings, season: 4 }).forecast()).toBe(forecastOf(values, settings).forecast());
    expect(forecastOf([...values, 1], { ...settings, season: 4 }).forecast()).toBe(5);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { predictive } from "../../../src/policy/scaling/predictive.ts";
import { drawn } from "../../drawn.ts";
import { scalerOf, view } from "./scaling-view.ts";

/** Asked every second about pools that were given so many tokens in it. */
function wanted(values: object, tokens: readonly number[], parts: Parameters<typeof view>[0] = {}): number[] {
  const scaler = scalerOf(predictive, { stabilisation: "0s", ...values });
  return [0, ...tokens].map((arrivedTokens, i) => scaler.replicas(view({ ...parts, atNs: i * 1e9, arrivedTokens })));
}

describe("predictive", () => {
  test("changes nothing before it knows a rate, and then divides by what a replica should be given", () => {
    expect(wanted({ capacity: 100, target: 0.5 }, [1000], { serving: 3 })).toEqual([3, 20]);
    expect(wanted({ capacity: 100, target: 1 }, [0, 0], { serving: 3 })).toEqual([3, 0, 0]);
  });

  test("looks as far ahead as a start and the next decision take, unless it is told how far", () => {
    const rising = Array.from({ length: 60 }, (_, i) => 100 * i);
    const exact = { capacity: 100, target: 1, level: 1, trend: 1 };
    expect(wanted(exact, rising).at(-1)).toBe(59 + 5);
    expect(wanted({ ...exact, ahead: "0s" }, rising).at(-1)).toBe(59);
    expect(wanted({ ...exact, ahead: "30s" }, rising).at(-1)).toBe(89);
  });

  test("is not below the rate of now where less is forecast", () => {
    const falling = Array.from({ length: 40 }, (_, i) => 10_000 - 100 * i);
    expect(wanted({ capacity: 100, target: 1, level: 1, trend: 1 }, falling).at(-1)).toBe(61);
  });

  test("measures what a replica takes by the time of its steps", () => {
    // 2 of 4 replicas' seconds are steps: 1,000 tokens in 2 s of steps are 500 tokens/s, half of which should be given.
    const tokens = Array.from({ length: 30 }, () => 1000);
    expect(wanted({ target: 0.5 }, tokens, { serving: 3, draining: 1, busy: 0.5 }).at(-1)).toBe(4);
    expect(wanted({ target: 0.25 }, tokens, { serving: 4, busy: 0.5 }).at(-1)).toBe(8);
    // Nobody has stepped: nothing is known.
    expect(wanted({}, [100, 100], { serving: 4 })).toEqual([4, 4, 4]);
  });

  test("more arrivals never ask for fewer replicas", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 1, maxLength: 30 }), fc.nat(5000), (tokens, more) => {
        const some = wanted({ capacity: 200 }, tokens).at(-1)!;
        const last = tokens.with(-1, tokens.at(-1)! + more);
        expect(wanted({ capacity: 200 }, last).at(-1)).toBeGreaterThanOrEqual(some);
      }),
      { numRuns: drawn(100), seed: 1 },
    );
  });

  test("refuses weights and targets that are none", () => {
    const problems = (values: object) => z.strictObject(predictive.parameters).safeParse(values).error?.issues ?? [];
    expect(problems({})).toEqual([]);
    for (const bad of [
      { capacity: 0 },
      { capacity: "much" },
      { target: 0 },
      { target: 1.1 },
      { level: -1 },
      { season: 24 },
    ])
      expect(problems(bad).length).toBeGreaterThan(0);
  });
});

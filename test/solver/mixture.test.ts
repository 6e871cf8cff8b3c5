import { describe, expect, test } from "vitest";
import { RandomStream } from "../../src/core/random.ts";
import { type MixtureProblem, mixture } from "../../src/solver/mixture/mixture.ts";
import { solveHere } from "../../src/solver/solver.ts";
import { drawn } from "../drawn.ts";

/** Profiles of `layers` x `experts`, each layer with a sum of 1. */
function profilesOf(random: RandomStream, count: number, layers: number, experts: number): Float64Array[] {
  return Array.from({ length: count }, () => {
    const profile = Float64Array.from({ length: layers * experts }, () => random.uniform() + 0.01);
    for (let layer = 0; layer < layers; layer++) {
      const row = profile.subarray(layer * experts, (layer + 1) * experts);
      const sum = row.reduce((total, value) => total + value, 0);
      for (let e = 0; e < experts; e++) row[e]! /= sum;
    }
    return profile;
  });
}

function sharesOf(random: RandomStream, count: number): number[] {
  const raw = Array.from({ length: count }, () => (random.uniform() < 0.2 ? 0 : random.uniform()));
  const sum = raw.reduce((total, value) => total + value, 0);
  return sum === 0 ? raw.map((_, i) => Number(i === 0)) : raw.map((value) => value / sum);
}

const mixed = (profiles: readonly Float64Array[], shares: readonly number[]) =>
  profiles[0]!.map((_, entry) => profiles.reduce((sum, profile, i) => sum + shares[i]! * profile[entry]!, 0));

describe("mixture", () => {
  test("planted mixtures are found to a millionth, by both solvers, nothing left unexplained", async () => {
    const random = new RandomStream(1, "mixtures");
    for (let i = 0; i < drawn(6); i++) {
      const profiles = profilesOf(random, 2 + (i % 4), 3, 8);
      const shares = sharesOf(random, profiles.length);
      const problem = { entries: 24, profiles, observed: mixed(profiles, shares) };
      for (const solver of Object.keys(mixture.solvers)) {
        const answer = await solveHere(mixture, problem, { solver });
        for (const [p, share] of shares.entries()) expect(Math.abs(answer.solution[p]! - share)).toBeLessThan(1e-6);
        expect(answer.objective).toBeLessThan(1e-6);
      }
    }
  });

  test("no grid of shares is nearer, whatever was observed", async () => {
    const random = new RandomStream(2, "grid");
    for (let i = 0; i < drawn(5); i++) {
      const problem: MixtureProblem = {
        entries: 6,
        profiles: profilesOf(random, 3, 1, 6),
        observed: profilesOf(random, 1, 1, 6)[0]!,
        entryWeights: Float64Array.from({ length: 6 }, () => 0.5 + random.uniform()),
      };
      const { objective, proved } = await solveHere(mixture, problem);
      expect(proved).toBe(true);
      let nearest = Number.POSITIVE_INFINITY;
      for (let a = 0; a <= 40; a++)
        for (let b = 0; a + b <= 40; b++) {
          const shares = Float64Array.of(a / 40, b / 40, (40 - a - b) / 40);
          nearest = Math.min(nearest, mixture.objective(problem, shares));
        }
      expect(objective).toBeLessThanOrEqual(nearest + 1e-9);
      expect(objective).toBeGreaterThan(nearest - 0.1);
    }
  });

  test("noise moves shares by no more than its size over how far apart profiles are", async () => {
    const random = new RandomStream(3, "noise");
    const profiles = profilesOf(random, 2, 4, 16);
    const apart = profiles[0]!.reduce((sum, value, i) => sum + Math.abs(value - profiles[1]![i]!), 0);
    for (const size of [0, 1e-4, 1e-3, 1e-2]) {
      const noise = profiles[0]!.map(() => size * random.uniform());
      const total = noise.reduce((sum, value) => sum + value, 0);
      const observed = mixed(profiles, [0.3, 0.7]).map((value, i) => value + noise[i]!);
      const { solution } = await solveHere(mixture, { entries: 64, profiles, observed });
      // |a - a*| x apart <= the residual at a plus that at a*, and a is no worse than a*.
      expect(Math.abs(solution[0]! - 0.3) * apart).toBeLessThanOrEqual(2 * total + 1e-9);
    }
  });

  test("what is like no mixture has an answer too, and so has nothing at all", async () => {
    const profiles = [Float64Array.of(1, 0, 0), Float64Array.of(0, 1, 0)];
    const far = await solveHere(mixture, { entries: 3, profiles, observed: Float64Array.of(0, 0, 1) });
    expect(far.objective).toBeCloseTo(2, 9);
    const none = await solveHere(mixture, { entries: 3, profiles, observed: new Float64Array(3) });
    expect(none.objective).toBeCloseTo(1, 9);
  });

  test.each([
    [{ profiles: [] }, "profiles: expected one or more"],
    [{ observed: Float64Array.of(1) }, "observed: expected 2 values, found 1"],
    [{ observed: Float64Array.of(1, -1) }, "observed[1]: expected a finite number >= 0, found -1"],
    [{ profiles: [Float64Array.of(1, Number.NaN)] }, "profiles[0][1]: expected a finite number"],
  ])("refuses %j", async (wrong, message) => {
    const right = { entries: 2, profiles: [Float64Array.of(1, 0)], observed: Float64Array.of(1, 0) };
    await expect(solveHere(mixture, { ...right, ...wrong })).rejects.toThrow(message);
  });
});

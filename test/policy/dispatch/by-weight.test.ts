import { describe, expect, test } from "vitest";
import { phaseOf, placeByWeight, shareByWeight } from "../../../src/policy/dispatch/by-weight.ts";

const weights = Float64Array.of(0, 0.5, 0, 0.3, 0.2, 0);

describe("by weight", () => {
  test("many tokens are divided as the weights say, to a token, and all of them are given away", () => {
    for (const tokens of [1, 2, 9, 1000])
      for (const phase of [0, 0.3, 0.99]) {
        const shares = new Float64Array(6);
        shareByWeight(tokens, phase, weights, 0, 6, shares, 0);
        for (const [copy, share] of shares.entries()) {
          expect(Math.abs(share - tokens * weights[copy]!)).toBeLessThan(1 + 1e-9);
          if (weights[copy] === 0) expect(share).toBe(0);
        }
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(tokens);
      }
  });

  test("single tokens of many rounds go where many tokens of one go", () => {
    const shares = new Float64Array(6);
    const places = new Float64Array(6);
    for (let turn = 0; turn < 1000; turn++) {
      shareByWeight(1, phaseOf(turn), weights, 0, 6, shares, 0);
      places[placeByWeight(turn, weights, 0, 6)]! += 1;
    }
    for (const [copy, weight] of weights.entries()) {
      expect(Math.abs(shares[copy]! / 1000 - weight)).toBeLessThan(0.01);
      expect(Math.abs(places[copy]! / 1000 - weight)).toBeLessThan(0.01);
    }
  });
});

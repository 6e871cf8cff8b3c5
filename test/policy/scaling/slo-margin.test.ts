import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { RecentLatencies } from "../../../src/policy/scaling/scaling.ts";
import { sloMargin } from "../../../src/policy/scaling/slo-margin.ts";
import { drawn } from "../../drawn.ts";
import { scalerOf, view } from "./scaling-view.ts";

const seen = (parts: Partial<RecentLatencies>): RecentLatencies => ({
  ttftNs: [],
  tpotNs: [],
  awaitingNs: [],
  ...parts,
});
const limits = { ttft: "1s", tpot: "100ms" };
const atOnce = { ...limits, stabilisation: "0s", downEvery: "0s" };
const once = (latencies: Partial<RecentLatencies>, parts: object = {}, values: object = {}) =>
  scalerOf(sloMargin, { ...atOnce, ...values }).replicas(
    view({ serving: 10, running: 1, ...parts, latencies: seen(latencies) }),
  );

describe("slo-margin", () => {
  test("grows with the worst latency over its limit, holds in the band, and gives up one replica at a time below it", () => {
    expect(once({ ttftNs: [0.66e9] })).toBe(12);
    expect(once({ ttftNs: [0.1e9], tpotNs: [66e6] })).toBe(12);
    expect(once({ ttftNs: [0.5e9] })).toBe(10);
    expect(once({ ttftNs: [0.1e9] })).toBe(9);
    expect(once({ ttftNs: [1e3] })).toBe(9);
  });

  test("asks for no more than twice the limit does, however late requests are", () => {
    expect(once({ ttftNs: [2e9] })).toBe(37);
    expect(once({ ttftNs: [90e9] })).toBe(37);
  });

  test("counts replicas that start already", () => {
    expect(once({ ttftNs: [0.88e9] }, { serving: 5, starting: 5 })).toBe(10);
    expect(once({ ttftNs: [1e9] }, { serving: 8, starting: 2 })).toBe(15);
  });

  test("looks at requests that still wait once they are late, and at none that has just come", () => {
    expect(once({ awaitingNs: [0.66e9] })).toBe(12);
    expect(once({ ttftNs: [0.5e9], awaitingNs: [0.1e9, 0.1e9] })).toBe(10);
  });

  test("an idle pool shrinks; one that runs without having shown a latency stays", () => {
    expect(once({}, { running: 0 })).toBe(9);
    expect(once({})).toBe(10);
  });

  test("gives a replica up only if the others keep the band with its load, in proportion", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.double({ min: 0, max: 3, noNaN: true }), (serving, signal) => {
        const answer = once({ ttftNs: [signal * 1e9] }, { serving });
        const held = Math.min(2, signal);
        if (answer < serving) expect(held * serving).toBeLessThanOrEqual(0.4 * answer + 1e-9);
        else if (answer > serving) {
          expect(held).toBeGreaterThan(0.55);
          expect((held * serving) / answer).toBeLessThanOrEqual(0.55 + 1e-9);
          expect((held * serving) / (answer - 1)).toBeGreaterThan(0.55 - 1e-9);
        }
      }),
      { numRuns: drawn(300), seed: 1 },
    );
  });

  test("takes the percentile of all that its window holds, and nothing older", () => {
    const scaler = scalerOf(sloMargin, { ...atOnce, window: "10s", percentile: 50 });
    const at = (seconds: number, ttftNs: number[]) =>
      scaler.replicas(view({ serving: 10, running: 1, atNs: seconds * 1e9, latencies: seen({ ttftNs }) }));
    expect(at(0, [1.1e9, 1.1e9, 1.1e9])).toBe(20);
    expect(at(5, [0.5e9, 0.5e9])).toBe(20);
    // The first three are out: half of what is left.
    expect(at(10, [])).toBe(10);
    expect(at(15, [])).toBe(10);
  });

  test("shrinks no sooner than its window and pace allow", () => {
    const scaler = scalerOf(sloMargin, { ...limits, stabilisation: "30s", downEvery: "20s" });
    let serving = 5;
    const history = Array.from({ length: 10 }, (_, i) => {
      serving = scaler.replicas(view({ serving, atNs: i * 10e9, latencies: seen({ ttftNs: [1e6] }) }));
      return serving;
    });
    expect(history).toEqual([5, 5, 5, 4, 4, 3, 3, 2, 2, 1]);
  });

  test("needs a limit, and a band", () => {
    const wrong = (values: object) => sloMargin.contradiction!(z.strictObject(sloMargin.parameters).parse(values));
    expect(wrong({})).toMatchObject({ key: "ttft" });
    expect(wrong({ tpot: "20ms", up: 0.4 })).toMatchObject({ key: "down" });
    expect(wrong({ ...limits })).toBeNull();
  });
});

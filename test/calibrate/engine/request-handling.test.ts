import { describe, expect, test } from "vitest";
import {
  fitRequestHandling,
  type HandlingSample,
  handledNs,
  type RequestHandling,
} from "../../../src/calibrate/engine/request-handling.ts";
import { servingSamples } from "../../../src/calibrate/engine/serving-samples.ts";
import { smallPoint } from "../simulated-points.ts";

const [sample] = servingSamples([smallPoint({ tpotMs: 8, ttftMs: 50 })]);
if (sample === undefined) throw new Error("no sample");

/** Points of an engine, over prompt lengths and simulated times, whose requests are handled in `handling`. */
function handled(engine: string, handling: RequestHandling, count: number, slower = 1): HandlingSample[] {
  return Array.from({ length: count }, (_, i) => {
    const promptTokens = [100, 1000, 8000, 30_000][i % 4]!;
    const unhandledNs = 20e6 + 15e6 * (i % 5);
    const measuredNs = slower * (unhandledNs + handledNs(handling, promptTokens));
    return { of: { ...sample!, engine, weight: 1 }, promptTokens, unhandledNs, measuredNs, closedFormNs: unhandledNs };
  });
}

const fast = { requestOverheadNs: 12e6, promptTokenDelayNs: 6000 };
const slow = { requestOverheadNs: 200e6, promptTokenDelayNs: 6000 };

describe("the handling of requests", () => {
  test("is recovered from the TTFTs it makes, engine by engine", () => {
    const { engines, common } = fitRequestHandling([...handled("a", fast, 200), ...handled("b", slow, 200)]);
    for (const [id, truth] of [
      ["a", fast],
      ["b", slow],
    ] as const) {
      const fitted = engines.get(id)!;
      expect(Math.abs(fitted.requestOverheadNs / truth.requestOverheadNs - 1)).toBeLessThan(0.05);
      expect(Math.abs(fitted.promptTokenDelayNs / truth.promptTokenDelayNs - 1)).toBeLessThan(0.05);
    }
    expect(common.requestOverheadNs).toBeGreaterThan(fast.requestOverheadNs);
    expect(common.requestOverheadNs).toBeLessThan(slow.requestOverheadNs);
  });

  test("is what was believed before where nothing is measured", () => {
    const { engines, common } = fitRequestHandling([]);
    expect(engines.size).toBe(0);
    expect(common.requestOverheadNs).toBeCloseTo(40e6, 0);
    expect(common.promptTokenDelayNs).toBeCloseTo(5000, 6);
  });

  test("of an engine with a single point lies between what the point says and what engines have in common", () => {
    const { engines, common } = fitRequestHandling([...handled("a", fast, 100), ...handled("b", slow, 1)]);
    expect(engines.get("b")!.requestOverheadNs).toBeGreaterThan(common.requestOverheadNs);
    expect(engines.get("b")!.requestOverheadNs).toBeLessThan(slow.requestOverheadNs);
  });

  test("hardly follows a few points far from all others", () => {
    const wild = handled("a", fast, 8, 20);
    const { requestOverheadNs } = fitRequestHandling([...handled("a", fast, 100), ...wild]).engines.get("a")!;
    expect(Math.abs(requestOverheadNs / fast.requestOverheadNs - 1)).toBeLessThan(0.15);
  });

  test("does not depend on the order of its points", () => {
    const points = [...handled("a", fast, 20), ...handled("b", slow, 20)];
    const [one, other] = [points, points.toReversed()].map((order) => fitRequestHandling(order).common);
    expect(one!.requestOverheadNs / other!.requestOverheadNs).toBeCloseTo(1, 9);
  });
});

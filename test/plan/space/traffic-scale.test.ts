import { describe, expect, test } from "vitest";
import { planQuestion } from "../../../src/plan/space/question.ts";
import { lengthSettings, rateSettings } from "../../../src/plan/space/traffic-scale.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { smallText } from "../worlds.ts";

const scenario = (...settings: string[]) => parseScenario(smallText, "small.yaml", { settings });
const factors = [1 / 3, 0.001, 1, 1.7, 40];

describe("requests that come faster", () => {
  test.each([
    ["poisson", "{ kind: poisson, requestRate: 20/s }"],
    ["constant", "{ kind: constant, requestRate: 90/min }"],
    ["gamma", "{ kind: gamma, requestRate: 20/s, burstiness: 0.5 }"],
    ["stages", "{ kind: stages, stages: [{ rate: 5/s, duration: 10s }, { rate: 5/s, rampTo: 50/s, duration: 300s }] }"],
  ])("%s: every request by the factor", async (_kind, arrivals) => {
    const base = scenario(`traffic.arrivals=${arrivals}`);
    const { requests } = (await planQuestion(base)).traffic;
    for (const factor of factors) {
      const scaled = await planQuestion(base.vary(rateSettings(base, factor)!));
      const other = scaled.traffic.requests;
      expect(other.count).toBe(requests.count);
      for (let i = 0; i < requests.count; i += 37) {
        // Arrivals are whole ns.
        const expected = requests.arrivalNs[i]! / factor;
        expect(Math.abs(other.arrivalNs[i]! - expected)).toBeLessThanOrEqual(
          2 + expected * 1e-9 + requests.count / factor,
        );
      }
      expect([...other.promptTokens]).toEqual([...requests.promptTokens]);
    }
  });

  test("on-off: the mean rate over many phases", async () => {
    const base = scenario(
      "traffic.requests=20000",
      "traffic.arrivals={ kind: onOff, onRate: 30/s, offRate: 5/s, onMean: 1s, offMean: 1s }",
    );
    const rate = (await planQuestion(base)).traffic.ratePerSecond!;
    for (const factor of [0.5, 2]) {
      const scaled = (await planQuestion(base.vary(rateSettings(base, factor)!))).traffic.ratePerSecond!;
      expect(scaled / rate / factor).toBeGreaterThan(0.9);
      expect(scaled / rate / factor).toBeLessThan(1.1);
    }
  });

  test("a closed loop has no rate", () => {
    expect(rateSettings(scenario("traffic.arrivals={kind: closed, maxConcurrency: 4}"), 2)).toBeNull();
  });
});

describe("requests that are longer", () => {
  test.each([
    "{ kind: fixed, tokens: 120 }",
    "{ kind: uniform, low: 20, high: 400 }",
    "{ kind: lognormal, mean: 300, p50: 200, max: 2000 }",
  ])("%s: their mean by the factor", async (lengths) => {
    for (const which of ["isl", "osl"] as const)
      for (const factor of [0.75, 1.25]) {
        const base = scenario(`traffic.${which}=${lengths}`);
        const key = which === "isl" ? "promptTokens" : "outputTokens";
        const before = (await planQuestion(base)).traffic;
        const after = (await planQuestion(base.vary(lengthSettings(base, which, factor)!))).traffic;
        // Numbers of another range are drawn anew: 600 of them scatter.
        expect(after[key] / before[key] / factor).toBeGreaterThan(0.92);
        expect(after[key] / before[key] / factor).toBeLessThan(1.08);
        expect(after.ratePerSecond).toBe(before.ratePerSecond);
      }
  });
});

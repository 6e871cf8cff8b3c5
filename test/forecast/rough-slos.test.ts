import { describe, expect, test } from "vitest";
import { runScenario } from "../../src/forecast/forecast-scenario.ts";
import { roughSlos } from "../../src/forecast/rough-slos.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { noFiles, smallText } from "../plan/worlds.ts";

/** Limits on both sides of what a run shows, of every kind. */
const slo = {
  perRequest: { ttft: "40ms" },
  ttft: ["p(50)<1us", "p(50)<1s", "mean<=1ms", "mean<=1s", "max>1s", "min>1ns"],
  tpot: ["p(90)<1ms", "p(90)<1s", "mean>1s", "mean>=1us"],
  throughput: ["value>1", "value>1e9", "value<1", "value<1e9"],
  requestRate: ["value>1/s", "value>6000/min", "value<1/s"],
  goodput: ["rate>1%", "rate<=1%", "rate>=99.999%"],
  rejected: ["value<=0", "rate<1%", "value>5"],
};

describe("a run beside its SLOs", () => {
  test("is above 1 exactly where a settled one does not hold", async () => {
    const scenario = parseScenario(smallText, "small.yaml", { settings: [`slo=${JSON.stringify(slo)}`] });
    const finished = await runScenario(scenario, noFiles);
    expect(finished.forecast.load.verdict).toBe("stable");
    const rough = roughSlos(finished);
    const { slos } = finished.forecast;
    expect(rough).toHaveLength(slos.length);
    for (const [i, { text, estimate, atBest }] of rough.entries()) {
      const { passed, value, metric, expression } = slos[i]!;
      expect(text).toBe(`${metric} ${expression}`);
      expect(value).not.toBeNull();
      expect(estimate! > 1, text).toBe(!passed);
      // What is no latency has no interval in which a short run could be judged.
      expect(atBest === null, text).toBe(metric !== "ttft" && metric !== "tpot");
      if (atBest !== null) expect(atBest, text).toBeLessThanOrEqual(estimate!);
    }
    expect(slos.filter(({ passed }) => passed).length).toBeGreaterThan(8);
    expect(slos.filter(({ passed }) => !passed).length).toBeGreaterThan(8);
  });

  test("of warnings nothing is said", async () => {
    const settings = ["slo={ttft: {threshold: p(50)<1us, level: warn}}", "traffic.requests=40"];
    const scenario = parseScenario(smallText, "small.yaml", { settings });
    expect(roughSlos(await runScenario(scenario, noFiles))).toEqual([]);
  });
});

import { describe, expect, test } from "vitest";
import { runScenario } from "../../../src/forecast/forecast-scenario.ts";
import { sloChances } from "../../../src/plan/answer/chances.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { noFiles, smallText } from "../worlds.ts";

describe("chances of a deployment", () => {
  test("fall with the limit, from certain to none", async () => {
    const limits = ["1us", "2ms", "4ms", "6ms", "1s"];
    const slo = JSON.stringify(limits.map((limit) => `p(50)<${limit}`));
    const scenario = parseScenario(smallText, "small.yaml", {
      settings: [`slo={tpot: ${slo}, throughput: value>1}`, "traffic.requests=200"],
    });
    const chances = (await sloChances(await runScenario(scenario, noFiles))).map(({ chance }) => chance!);
    expect(chances).toHaveLength(limits.length + 1);
    const latencies = chances.slice(0, limits.length);
    expect(latencies).toEqual(latencies.toSorted((a, b) => a - b));
    expect([latencies[0], latencies.at(-1), chances.at(-1)]).toEqual([0.05, 0.95, 0.95]);
    // Somewhere between, the band tells.
    expect(latencies.some((chance) => chance > 0.1 && chance < 0.9)).toBe(true);
  });
});

import { describe, expect, test } from "vitest";
import { InfeasibleError, InvalidInputError } from "../../../src/core/errors.ts";
import type { Forecast } from "../../../src/forecast/forecast.ts";
import { catalogue } from "../../../src/models/catalogue.ts";
import type { Scenario } from "../../../src/scenario/parse-scenario.ts";
import { type Deployment, figuresOf, forecast, loops, ratiosTo, resultOf, scenarioOf } from "./own-figures.ts";

const layouts = ["{ tp: 8, etp: 8 }", "{ tp: 8, ep: 8 }", "{ tp: 2, dp: 4, ep: 8 }"];

async function ifItFits(scenario: Scenario): Promise<Forecast | null> {
  try {
    return await forecast(scenario);
  } catch (error) {
    if (error instanceof InfeasibleError || error instanceof InvalidInputError) return null;
    throw error;
  }
}

describe("the figures of a run, given as the observed point of its own scenario", () => {
  for (const engine of ["vllm", "sglang", "tensorrt-llm"])
    test(`come back on ${engine}, for every model, layout and loop`, async () => {
      let compared = 0;
      for (const [i, model] of Object.keys(catalogue).entries()) {
        const deployment: Deployment = [model, "h200-sxm-8", engine, layouts[i % layouts.length]!];
        for (const loop of loops) {
          const scenario = scenarioOf(deployment, loop);
          const own = await ifItFits(scenario);
          if (own === null) continue;
          const figures = figuresOf(own);
          const again = ratiosTo(figures, await forecast(scenario, resultOf(own, loop, figures)));
          expect(Math.abs(again.tpotMs - 1), deployment.join(" ")).toBeLessThan(0.02);
          expect(Math.abs(again.ttftMs - 1), deployment.join(" ")).toBeLessThan(0.02);
          compared++;
        }
      }
      expect(compared).toBeGreaterThan(20);
    });
});

import { describe, expect, test } from "vitest";
import { runScenario } from "../../../src/forecast/forecast-scenario.ts";
import { excludedBy } from "../../../src/plan/bounds/bounds.ts";
import { planQuestion } from "../../../src/plan/space/question.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../../src/scenario/parse-scenario.ts";
import { poolsOf } from "../../../src/sim/config.ts";
import { noFiles, smallText } from "../worlds.ts";

const excluded = async (settings: readonly string[]) => {
  const scenario = parseScenario(smallText, "small.yaml", { settings });
  const pools = poolsOf((await resolveScenario(scenario, noFiles)).config);
  return excludedBy(await planQuestion(scenario), pools);
};
const forecast = async (settings: readonly string[]) =>
  (await runScenario(parseScenario(smallText, "small.yaml", { settings }), noFiles)).forecast;
const openLoad = (rate: number) => `traffic.arrivals.requestRate=${rate}/s`;

/** Laws of the bounds of some deployments. */
export const boundLaws = (deployments: readonly (readonly string[])[]): void =>
  describe.each(deployments.map((settings) => [settings.join(" "), settings] as const))(
    "bounds of %s",
    (_name, settings) => {
      test("no token comes sooner than the latency bound says", async () => {
        const alone = [...settings, "traffic.arrivals={kind: closed, maxConcurrency: 1}", "traffic.requests=20"];
        const { slos } = await forecast([...alone, "slo={tpot: min>0ns}"]);
        const ns = slos[0]!.value!;
        expect(ns).toBeGreaterThan(0);
        // What it reaches is never excluded; a tenth of it is.
        expect(await excluded([...alone, `slo.tpot=min<${ns * (1 + 1e-9)}ns`])).toBeNull();
        expect(await excluded([...alone, `slo.tpot=min<${ns / 30}ns`])).toMatchObject({ bound: "roofline" });
        for (const other of [`{threshold: min<${ns / 30}ns, level: warn}`, `min>${ns / 30}ns`])
          expect(await excluded([...alone, `slo.tpot=${other}`])).toBeNull();
      });

      test("what it sustains is never excluded; what is excluded is overloaded", async () => {
        const many = [...settings, "traffic.requests=1500", "traffic.isl={kind: fixed, tokens: 400}"];
        const { load, throughput } = await forecast([...many, openLoad(100_000)]);
        expect(load.verdict).toBe("overloaded");
        const sustained = throughput.requestsPerSecond;
        expect(await excluded([...many, openLoad(sustained)])).toBeNull();
        let rate = sustained;
        while ((await excluded([...many, openLoad(rate)])) === null) rate *= 2;
        expect((await forecast([...many, openLoad(rate)])).load.verdict).toBe("overloaded");
      });
    },
  );

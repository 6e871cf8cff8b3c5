import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../../../src/core/errors.ts";
import { type Candidate, candidatesOn } from "../../../src/plan/space/candidates.ts";
import { checkQuestion } from "../../../src/plan/space/check-question.ts";
import { sitesOf } from "../../../src/plan/space/sites.ts";
import { resolveScenario } from "../../../src/resolve/resolve-scenario.ts";
import { poolsOf } from "../../../src/sim/config.ts";
import { devicesOf } from "../../../src/sim/mapping.ts";
import { done } from "../outcomes.ts";
import { noFiles, planIn, questionOf, WorldExecutor } from "../worlds.ts";

async function space(...settings: string[]) {
  const question = await questionOf(settings);
  checkQuestion(question);
  const { sites, leftOut } = await sitesOf(question, noFiles);
  return { question, leftOut, candidates: sites.flatMap((site) => candidatesOn(question, site)) };
}

const ids = (candidates: readonly Candidate[]) => candidates.map(({ id }) => id);

describe("a space", () => {
  test("has no candidate beyond any limit of its budget", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          devices: fc.option(fc.integer({ min: 1, max: 40 })),
          usdPerHour: fc.option(fc.double({ min: 3, max: 200, noNaN: true })),
          powerW: fc.option(fc.double({ min: 700, max: 40_000, noNaN: true })),
        }),
        fc.constantFrom("h100-sxm-8", "l40s-8", "rtx4090-desktop"),
        async (budget, system) => {
          const stated = Object.entries(budget).filter(([, value]) => value !== null);
          const { candidates } = await space(
            `plan.budget=${JSON.stringify(Object.fromEntries(stated))}`,
            `plan.systems=[${system}]`,
          );
          for (const { devices, usdPerHour, powerW } of candidates) {
            expect(devices).toBeLessThanOrEqual(budget.devices ?? 64);
            expect(usdPerHour!).toBeLessThanOrEqual((budget.usdPerHour ?? Number.POSITIVE_INFINITY) * (1 + 1e-12));
            expect(powerW!).toBeLessThanOrEqual((budget.powerW ?? Number.POSITIVE_INFINITY) * (1 + 1e-12));
          }
        },
      ),
      { numRuns: 4 },
    );
  });

  test("every candidate is a scenario of as many devices, at their price", async () => {
    const { question, candidates } = await space(
      "plan.budget.devices=24",
      "plan.pools=both",
      "plan.devices=[1, 2, 8, 16]",
      "plan.parallel={tp: [1, 4, 8]}",
      "plan.poolReplicas={prefill: [1, 2], decode: [1, 3]}",
      "plan.vary={engine.maxNumSeqs: [16, 64]}",
    );
    expect(candidates.some(({ replicas }) => replicas === null)).toBe(true);
    const step = Math.ceil(candidates.length / 20);
    for (const { settings, devices, usdPerHour, site } of candidates.filter((_one, i) => i % step === 0)) {
      const { config, price } = await resolveScenario(
        question.scenario.vary([...settings, "traffic.requests=2"]),
        noFiles,
      );
      const pools = poolsOf(config);
      expect(pools.reduce((sum, { mapping, replicas }) => sum + devicesOf(mapping) * replicas, 0)).toBe(devices);
      expect(usdPerHour).toBe(price!.usdPerDeviceHour * devices);
      expect(pools[0]!.node).toEqual(site.node);
    }
  });

  test("ids tell all candidates apart, and stay where the space grows", async () => {
    const small = await space(
      "plan.budget.devices=8",
      "plan.vary={engine.maxNumSeqs: [64]}",
      "plan.systems=[h100-sxm-8]",
    );
    const large = await space(
      "plan.budget.devices=16",
      "plan.vary={engine.maxNumSeqs: [16, 64]}",
      "plan.systems=[h200-sxm-8, h100-sxm-8]",
      "plan.mappings=all",
    );
    const all = new Set(ids(large.candidates));
    expect(all.size).toBe(large.candidates.length);
    for (const id of ids(small.candidates)) expect(all).toContain(id);
    expect(new Set(large.candidates.map(({ name }) => name)).size).toBe(large.candidates.length);
  });

  test("with fewer degrees it is a part of the wide one", async () => {
    const wide = new Set(ids((await space("plan.budget.devices=16", "plan.mappings=all")).candidates));
    for (const narrow of [
      "plan.parallel={tp: [2, 4]}",
      "plan.parallel={ep: [1], etp: [2]}",
      "plan.replicas=[1, 3]",
      "plan.devices=[4]",
      "plan.mappings=standard",
    ]) {
      const { candidates } = await space("plan.budget.devices=16", "plan.mappings=all", narrow);
      expect(candidates.length, narrow).toBeGreaterThan(0);
      expect(candidates.length, narrow).toBeLessThan(wide.size);
      for (const id of ids(candidates)) expect(wide).toContain(id);
    }
  });

  test("what is stated twice is one candidate", async () => {
    const plan = await planIn(new WorldExecutor(({ requests }) => done({ requests })), [
      "plan.budget.devices=2",
      "plan.replicas=[1, 1]",
      "plan.devices=[1, 1, 2]",
      "plan.systems=[h100-sxm-8, h100-sxm-8]",
      "plan.vary={engine.maxNumSeqs: [64, 64]}",
    ]);
    expect(new Set(plan.candidates.map(({ id }) => id)).size).toBe(plan.candidates.length);
  });

  test("an engine that is not built for a device is left out; a name that nobody knows is refused", async () => {
    const { leftOut, candidates } = await space(
      "plan.systems=[h100-sxm-8, mi300x-8]",
      "plan.engines=[vllm, tensorrt-llm]",
    );
    expect(leftOut.map(({ name }) => name)).toEqual(["on mi300x-8 under tensorrt-llm"]);
    expect(candidates.length).toBeGreaterThan(0);
    await expect(space("plan.systems=[h100-sxm-8, h100-sxn-8]")).rejects.toThrow(/plan\.systems\[1\].*h100-sxm-8/);
    await expect(space("plan.engines=[vlm]")).rejects.toThrow(/plan\.engines\[0\]/);
  });

  test.each([
    "parallel.tp",
    "parallel.replicas",
    "pools",
    "traffic.requests",
    "traffic.arrivals.requestRate",
    "slo.ttft",
    "seed",
    "hardware",
    "hardware.system",
    "engine.id",
    "engine",
    "model.id",
    "plan.budget.devices",
    "cost.usdPerDeviceHour",
  ])("%s is no axis: it is the question, or has an axis of its own", async (path) => {
    await expect(space(`plan.vary={"${path}": [1, 2]}`)).rejects.toThrow(InvalidInputError);
  });

  test.each(["engine.maxNumSeqs", "policy.placement", "policy", "hardware.host.threads", "model.kvCacheDtype"])(
    "%s is one",
    async (path) => {
      expect((await space(`plan.vary={"${path}": [null]}`)).candidates.length).toBeGreaterThan(0);
    },
  );

  test("more combinations than anyone looks at are refused before they are made", async () => {
    const axes = Array.from({ length: 9 }, (_one, i) => `engine.key${i}: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]`).join(", ");
    await expect(space(`plan.vary={${axes}}`)).rejects.toThrow("at most 200,000 combinations");
  });

  test.each([
    ["goodput without limits of a request", ["plan.objectives=[goodput]"], "slo.perRequest"],
    [
      "speed without a second token",
      ["plan.objectives=[speed]", "traffic.osl={kind: fixed, tokens: 1}"],
      "several tokens",
    ],
    [
      "a rate of a closed loop",
      ["plan.objectives=[rate]", "traffic.arrivals={kind: closed, maxConcurrency: 4}"],
      "closed",
    ],
  ])("%s is refused", async (_what, settings, message) => {
    await expect(space(...settings)).rejects.toThrow(message);
  });
});

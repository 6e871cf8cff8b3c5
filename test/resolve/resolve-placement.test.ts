import { describe, expect, test } from "vitest";
import { InfeasibleError, InvalidInputError, type Problem } from "../../src/core/errors.ts";
import { CostModel } from "../../src/hardware/cost.ts";
import { noExpert, type Placement } from "../../src/policy/placement/placement.ts";
import { resolveScenario } from "../../src/resolve/resolve-scenario.ts";
import { parseScenario } from "../../src/scenario/parse-scenario.ts";
import { planMemory } from "../../src/sim/memory/memory-plan.ts";
import { StepCost } from "../../src/sim/step/step-cost.ts";

/** gpt-oss-20b, 24 layers of 32 experts on four expert ranks. */
const scenario = (
  placement: string,
  routing = "{ kind: parametric, skew: 0.2, reuse: 0.3, rows: 400 }",
  extra = "",
) => `version: 1
name: placed
model: { id: gpt-oss-20b }
hardware: { system: h100-sxm-8 }
engine: { id: vllm, maxModelLen: 512, maxNumSeqs: 4, maxNumBatchedTokens: 256 }
parallel: { tp: 1, dp: 4, ep: 4${extra} }
traffic: { kind: generated, requests: 2, arrivals: { kind: closed, maxConcurrency: 1 }, isl: { kind: fixed, tokens: 8 }, osl: { kind: fixed, tokens: 2 } }
routing: ${routing}
policy: { placement: { ${placement} } }
`;
const files = { readText: () => Promise.reject(new Error("no files")) };
const resolve = (...of: Parameters<typeof scenario>) =>
  resolveScenario(parseScenario(scenario(...of), "test.yaml"), files);
const errorOf = (...of: Parameters<typeof scenario>): Promise<unknown> =>
  resolve(...of).catch((thrown: unknown) => thrown);
const problemsOf = async (...of: Parameters<typeof scenario>): Promise<readonly Problem[]> => {
  const error = await errorOf(...of);
  if (error instanceof InvalidInputError) return error.problems;
  throw error;
};
const recorded = "{ kind: trace, file: scenarios/traces/mini-moe.safetensors, layerMap: nearest }";

describe("statistics for a placement", () => {
  test.each([
    [
      "kind: flashlb, redundant: 4",
      ["on the rows that are replayed", "load in 16 equal stretches: counted in 400 rows"],
    ],
    ["kind: flashlb, redundant: 4, windows: 4", ["load in 4 equal stretches"]],
    ["kind: exflow", ["in consecutive layers: counted in 400 rows", "rows that are replayed: optimistic"]],
    ["kind: grace, redundant: 8", ["pairs of experts that a token chooses in a layer"]],
    [
      "kind: search, traffic: 1, redundant: 8",
      ["in consecutive layers", "local search: weighted goals (1 load, 1 traffic)"],
    ],
    ["kind: swift, previous: contiguous", ["on the rows that are replayed"]],
    ["kind: random", []],
  ])("%s: the ledger says what was counted, and how good the answer is", async (placement, said) => {
    const { ledger } = await resolve(placement);
    const details = ledger.filter(({ topic }) => topic.startsWith("placement")).map(({ detail }) => detail);
    for (const words of said) expect(details.join("\n")).toContain(words);
    if (said.length === 0) expect(details).toEqual([]);
  });

  test.each(["exflow", "search, traffic: 0.5"])(
    "layers that replay the same recorded one give %s no order",
    async (kind) => {
      const [problem, ...others] = await problemsOf(`kind: ${kind}`, recorded);
      expect(others).toEqual([]);
      expect(problem).toMatchObject({ at: "policy.placement.kind", found: "8 recorded layers" });
      expect(problem!.line).toBeGreaterThan(0);
    },
  );

  test.each(["lpt", "grace", "flashlb", "search"])(
    "and do not matter to %s, which compares no layers",
    async (kind) => {
      expect((await resolve(`kind: ${kind}`, recorded)).config.placement).not.toBeNull();
    },
  );

  test("uniform routing has nothing to count", async () => {
    const [problem] = await problemsOf("kind: exflow", "{ kind: uniform }");
    expect(problem).toMatchObject({ found: "uniform routing" });
  });
});

describe("limits of ranks", () => {
  const placed = async (placement: string): Promise<Placement> => (await resolve(placement)).config.placement!;
  const held = ({ layers, ranks, physicalExpertsPerRank, logicalExperts }: Placement) =>
    Array.from({ length: ranks }, (_, rank) =>
      Array.from({ length: layers }, (_layer, layer) => {
        const first = (layer * ranks + rank) * physicalExpertsPerRank;
        return logicalExperts.subarray(first, first + physicalExpertsPerRank).filter((expert) => expert !== noExpert)
          .length;
      }).reduce((sum, of) => sum + of, 0),
    );

  test("a rank of twice the speed gets more experts where it has places", async () => {
    const [a, b, c, d] = held(
      await placed("kind: eplb, redundant: 32, rankSpeed: [1, 1, 1, 3], rankCopies: [9, 9, 9, 16]"),
    );
    expect(d).toBeGreaterThan(Math.max(a!, b!, c!));
  });

  test("memory holds so many copies, and is refused with the sum where it does not hold all experts", async () => {
    const counts = held(await placed("kind: lpt, memory: [20GB, 20GB, 20GB, 20GB]"));
    expect(counts).toEqual([192, 192, 192, 192]);
    const error = await errorOf("kind: lpt, memory: 1GB");
    expect(error).toBeInstanceOf(InfeasibleError);
    expect(String(error)).toMatch(/the ranks may hold \d+ expert copies over 24 layers .*24 x 32 = 768 experts/);
  });

  test("lists of another length are refused, all of them", async () => {
    const problems = await problemsOf("kind: lpt, rankSpeed: [1, 2], rankCopies: [8], memory: [1GB]");
    expect(problems.map(({ at }) => at)).toEqual([
      "policy.placement.rankSpeed",
      "policy.placement.rankCopies",
      "policy.placement.memory",
    ]);
    for (const { expected, line } of problems) {
      expect(expected).toBe("4 values, one for each expert rank");
      expect(line).toBeGreaterThan(0);
    }
  });

  test("the memory plan counts the copies of the rank that holds most, over all layers", async () => {
    const slotsOf = async (placement: string) => {
      const config = (await resolve(placement)).config;
      const { attention } = new StepCost(config, new CostModel(config.node.device, config.node));
      const items = planMemory(config, attention).map.tiers.flatMap((tier) => tier.items);
      const item = items.find(({ name }) => name.startsWith("routed experts"));
      return Number(/(\d+) slots/.exec(item!.name)![1]);
    };
    expect(await slotsOf("kind: contiguous")).toBe(192);
    expect(await slotsOf("kind: eplb, redundant: 8")).toBe(240);
    // Ten places on each rank, of which two may hold seven and two nine.
    expect(await slotsOf("kind: search, redundant: 8, rankCopies: [7, 7, 9, 9], memory: 1TB")).toBe(9 * 24);
  });
});

import { describe, expect, test } from "vitest";
import { RandomStream } from "../../../src/core/random.ts";
import { expectedBusiestRank } from "../../../src/models/expected-experts.ts";
import { computedTopK, routableExperts } from "../../../src/models/expert-choices.ts";
import { expectedRanksPerToken } from "../../../src/models/ranks-per-token.ts";
import type { ModelSpec, MoeFeedForward } from "../../../src/models/spec.ts";
import { moeShape } from "../../../src/sim/mapping.ts";
import { ExpectedExperts } from "../../../src/sim/routing/expected-experts.ts";
import { LayerCall } from "../../../src/sim/routing/layer-call.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { firstExperts } from "../../../src/trace/first-experts.ts";
import { drawnChoice, largestOfRanks, placedInTurn } from "../../models/drawn-routing.ts";
import { singleDevice, testConfig, testRequests, testRouting, tinyModel } from "../build.ts";

/** A model whose layers have experts that return their input beside the others. */
function withZeroExperts(model: ModelSpec, zeroExperts: number): ModelSpec {
  const layers = model.layers.map((layer) =>
    layer.feedForward.kind === "moe" ? { ...layer, feedForward: { ...layer.feedForward, zeroExperts } } : layer,
  );
  return { ...model, layers };
}

const plain = tinyModel({}, 4, 64, 12);
const moe = moeShape(withZeroExperts(plain, 32))!;

function routed(shape: MoeFeedForward, ranks: number, tokens: number): LayerCall {
  const call = new LayerCall(ranks);
  call.tokens = tokens;
  new ExpectedExperts([shape], ranks, 0).route(call);
  return call;
}

const sum = (values: Float64Array) => values.reduce((all, value) => all + value, 0);

describe("expected routing with experts that return their input", () => {
  test("is that of the plain model where there are none", () => {
    for (const ranks of [1, 4])
      expect(routed({ ...moe, zeroExperts: 0 }, ranks, 50)).toEqual(routed(moeShape(plain)!, ranks, 50));
  });

  test("sends a token's share of the choices, and touches E (1 - (1 - k / (E + Z))^T) experts", () => {
    for (const [ranks, tokens] of [
      [1, 1],
      [4, 7],
      [8, 300],
    ] as const) {
      const call = routed(moe, ranks, tokens);
      expect(call.expertsPerToken).toBeCloseTo((12 * 64) / 96, 12);
      expect(sum(call.pairs)).toBeCloseTo((tokens * 12 * 64) / 96, 6);
      expect(sum(call.distinct)).toBeCloseTo(64 * (1 - (1 - 12 / 96) ** tokens), 6);
    }
  });

  test("meets the ranks, and loads the busiest, as drawn choices do", () => {
    const [ranks, tokens, draws] = [8, 20, 4000];
    const rng = new RandomStream(3, "zero experts");
    const rankOf = placedInTurn(64, ranks);
    let pairs = 0;
    let distinct = 0;
    let met = 0;
    for (let draw = 0; draw < draws; draw++) {
      const counts = new Uint32Array(64);
      for (let token = 0; token < tokens; token++) {
        const computed = drawnChoice(rng, { experts: 96, topK: 12, groups: null }).filter((expert) => expert < 64);
        met += new Set(computed.map((expert) => rankOf[expert])).size;
        for (const expert of computed) counts[expert]!++;
      }
      const most = largestOfRanks(counts, rankOf);
      pairs += most.pairs / draws;
      distinct += most.distinct / draws;
    }
    const shape = { experts: 64, topK: 12, ranks, groups: null, zeroExperts: 32 };
    const busiest = expectedBusiestRank({ ...shape, tokens });
    expect(Math.abs(busiest.pairs / pairs - 1)).toBeLessThan(0.02);
    expect(Math.abs(busiest.distinct / distinct - 1)).toBeLessThan(0.02);
    expect(Math.abs(expectedRanksPerToken(shape) / (met / draws / tokens) - 1)).toBeLessThan(0.005);
  });
});

describe("replayed routing with experts that return their input", () => {
  const model = withZeroExperts(tinyModel(), 4);
  const recorded = testRouting(4, 12, 2);
  const requests = testRequests([
    { prompt: 300, output: 20 },
    { prompt: 40, output: 30 },
  ]);
  const run = (overrides: Parameters<typeof testConfig>[0] = {}) =>
    simulate(
      testConfig({
        model,
        routing: { kind: "replay", table: firstExperts(recorded, 8), layerMap: [0, 1, 2, 3], start: "zero" },
        workload: { kind: "open", requests },
        ...overrides,
      }),
    );

  test("keeps the choices of the first experts, and leaves the others without one", () => {
    const table = firstExperts(recorded, 8);
    expect(table.experts).toBe(8);
    expect([...table.ids]).toEqual([...recorded.ids].map((id) => Math.min(id, 8)));
    expect(firstExperts(recorded, 12)).toBe(recorded);
    expect(firstExperts({ ...recorded, weights: new Float32Array(8) }, 8)).not.toHaveProperty("weights");
  });

  test("computes every choice of an expert with weights and no other", () => {
    const tokens = 300 + 19 + 40 + 29;
    for (const { pairs, withoutExpert } of run().layers) {
      expect(withoutExpert).toBeGreaterThan(0);
      expect(pairs + withoutExpert!).toBe(tokens * 2);
    }
  });

  test("takes no longer than the same choices with an expert for each", () => {
    const table = recorded;
    for (const mapping of [singleDevice, { ...singleDevice, dp: 2, ep: 2 }]) {
      const some = run({ mapping });
      const all = run({
        mapping,
        model: tinyModel({}, 4, 12),
        routing: { kind: "replay", table, layerMap: [0, 1, 2, 3], start: "zero" },
      });
      expect(some.time.experts).toBeLessThan(all.time.experts);
      expect(some.endNs).toBeLessThanOrEqual(all.endNs);
    }
  });

  test("holds no memory for them but their columns of the router", () => {
    const itemsOf = (of: ModelSpec) =>
      Object.fromEntries(run({ model: of }).memory.tiers[0]!.items.map(({ name, bytes }) => [name, bytes]));
    const some = itemsOf(model);
    const none = itemsOf(tinyModel());
    expect(some["router weights"]! - none["router weights"]!).toBe(4 * 4 * 256 * 2);
    expect({ ...some, "router weights": 0 }).toEqual({ ...none, "router weights": 0 });
  });
});

test("a router's experts are those that compute and those that do not; a token's are its share", () => {
  expect(routableExperts(moe)).toBe(96);
  expect(computedTopK(moe)).toBe(8);
  expect(computedTopK({ experts: 8, topK: 2 })).toBe(2);
});

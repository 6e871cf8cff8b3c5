import { describe, expect, test } from "vitest";
import { flopsPerToken } from "../../src/models/flops.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { expertHomes, ownLayers } from "../../src/models/visits.ts";
import { stagePlans } from "../../src/sim/step/stage-plan.ts";
import { chainConfig } from "./chain-config.ts";

const modelOf = (changes: Partial<Record<keyof typeof chainConfig, unknown>>): ModelSpec =>
  resolveConfig(JSON.parse(JSON.stringify({ ...chainConfig, ...changes })), { file: "config.json" }).spec;
const decode = { contextTokens: 1000, phase: "decode", logits: true } as const;
const routerValues = 1024 * 64;

describe("a chain of experts", () => {
  test("visits the experts of every layer as often as it iterates, without attention between", () => {
    const { layers, ...spec } = modelOf({});
    expect(layers.map(({ attention, revisit }) => [attention.kind, revisit?.router])).toEqual(
      Array.from({ length: 4 }, () => [
        ["mla", undefined],
        ["none", "own"],
      ]).flat(),
    );
    expect(ownLayers({ ...spec, layers })).toHaveLength(4);
    expect(expertHomes({ ...spec, layers })).toEqual([0, 0, 2, 2, 4, 4, 6, 6]);
    for (const inner_iter of [1, undefined]) expect(modelOf({ inner_iter }).layers).toHaveLength(4);
  });

  test("computes as much of routed experts as twice the experts at once, and holds them once", () => {
    const chain = modelOf({});
    const mixture = modelOf({ inner_iter: 1, num_experts_per_tok: 8 });
    expect(flopsPerToken(chain, decode).weights.experts).toBe(flopsPerToken(mixture, decode).weights.experts);
    expect(flopsPerToken(chain, decode).mixing).toBe(flopsPerToken(mixture, decode).mixing);
    const [held, whole] = [parametersOf(chain), parametersOf(mixture)];
    expect(held.byClass.experts).toBe(whole.byClass.experts);
    expect(held.byClass.shared).toBe(whole.byClass.shared);
    expect(held.total - whole.total).toBe(4 * routerValues);
    expect(parametersOf(modelOf({ use_igate: false })).total).toBe(whole.total);
    // Published: the same quality with 48 experts of 64.
    expect(parametersOf(modelOf({ n_routed_experts: 48 })).byClass.experts / whole.byClass.experts).toBe(0.75);
  });

  test("stays in one pipeline stage with its layer", () => {
    for (const pp of [1, 2, 3, 4]) {
      const plans = stagePlans(modelOf({}), pp);
      expect(plans.map(({ layers }) => layers)).toEqual(
        Array.from({ length: pp }, (_, stage) => 2 * (Math.floor(4 / pp) + (stage < 4 % pp ? 1 : 0))),
      );
      for (const { layers, expertLayers } of plans) expect(expertLayers).toBe(layers / 2);
    }
  });

  test("is refused with a number of visits that is none", () => {
    for (const inner_iter of [0, -1, 2.5, "2", 1000]) expect(() => modelOf({ inner_iter })).toThrow(/inner_iter/);
  });
});

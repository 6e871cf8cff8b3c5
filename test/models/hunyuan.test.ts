import { describe, expect, test } from "vitest";
import { modelKvBytesPerToken } from "../../src/models/bytes.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { type Config, mixtral, resolve, without } from "./configs.ts";

describe("caches shared between layers", () => {
  const model: Config = { ...mixtral, model_type: "hunyuan", moe_topk: 2, num_experts: 8 };
  const plain: Config = without(model, "num_experts_per_tok", "num_local_experts");
  const shared = (factor: number): Config => ({ ...plain, use_cla: true, cla_share_factor: factor });

  test("a factor of 1 shares nothing, and a factor is idle unless it is switched on", () => {
    expect(resolve(shared(1)).layers).toEqual(resolve(plain).layers);
    expect(resolve({ ...shared(2), use_cla: false }).layers).toEqual(resolve(plain).layers);
  });

  test("of every n layers one has projections of keys and values, and a cache", () => {
    const whole = resolve(plain);
    const keysAndValues = 64 * 2 * 2 * 16;
    for (const [factor, sharing] of [
      [2, 2],
      [3, 2],
      [4, 3],
    ] as const) {
      const spec = resolve(shared(factor));
      expect(parametersOf(whole).total - parametersOf(spec).total).toBe(sharing * keysAndValues);
      expect(modelKvBytesPerToken(spec)).toBe((modelKvBytesPerToken(whole) * (4 - sharing)) / 4);
      expect(spec.layers.map(({ joined }) => joined === true)).toEqual(
        [0, 1, 2, 3].map((layer) => layer % factor !== 0),
      );
    }
  });

  test("biases of keys and values go with their projections", () => {
    const biased = (config: Config) => parametersOf(resolve({ ...config, attention_bias: true })).total;
    const bare = (config: Config) => parametersOf(resolve(config)).total;
    const ofOne = (biased(plain) - bare(plain)) / 4;
    expect(biased(shared(2)) - bare(shared(2))).toBe(4 * ofOne - 2 * 2 * 2 * 16);
  });
});

describe("values listed by layer", () => {
  const model: Config = without(
    { ...mixtral, model_type: "hunyuan_v1_moe", num_experts: 8, moe_topk: 2 },
    "num_local_experts",
    "num_experts_per_tok",
  );

  test("are one value where all layers agree", () => {
    const listed = {
      ...model,
      moe_topk: [2, 2, 2, 2],
      num_experts: [8, 8, 8, 8],
      moe_intermediate_size: [32, 32, 32, 32],
    };
    expect(resolve(listed).layers).toEqual(resolve(model).layers);
  });

  test("are refused where layers differ, by layer and value, or where one is missing", () => {
    expect(() => resolve({ ...model, moe_topk: [2, 2, 1, 2] })).toThrow(
      /moe_topk\[2\]: expected 2, as in the first layer.*found 1/,
    );
    expect(() => resolve({ ...model, moe_topk: [2, 2] })).toThrow(/moe_topk: expected 4 entries/);
    expect(() => resolve({ ...model, moe_topk: ["2", 2, 2, 2] })).toThrow(/moe_topk\[0\]: expected a whole number/);
  });

  test("a shared expert counts as often as its list says, and not at all without mixed layers", () => {
    const width = (config: Config) => {
      const { feedForward } = resolve(config).layers[0]!;
      return feedForward.kind === "moe" ? feedForward.sharedWidth : null;
    };
    expect(width({ ...model, num_shared_expert: [2, 2, 2, 2] })).toBe(64);
    expect(width({ ...model, num_shared_expert: 2, use_mixed_mlp_moe: false })).toBe(0);
  });
});

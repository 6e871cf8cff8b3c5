import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import { parametersOf } from "../../src/models/parameters.ts";
import { resolveConfig } from "../../src/models/resolve.ts";
import { resolveShape } from "../../src/models/resolve-shape.ts";
import { draftDocument, shapeDocument } from "../../src/models/shape-document.ts";
import { differences, shapeOf } from "../../src/models/shape-of.ts";
import type { ModelSpec } from "../../src/models/spec.ts";
import { modelSection } from "../../src/scenario/model-section.ts";
import { parseModel } from "../../src/scenario/parse-model.ts";
import { drawn } from "../drawn.ts";
import { chainConfig } from "./chain-config.ts";
import { type Config, deepseek, mixtral, qwen3, resolve, without } from "./configs.ts";

const ids = Object.keys(catalogue);

/** The spec of a `model` section as text. */
function pasted(text: string): ModelSpec {
  return resolveShape(parseModel(text, "pasted.yaml").model.shape!).spec;
}

const bare = ({ id: _id, name: _name, provenance: _provenance, ...spec }: ModelSpec) => spec;

function draft(config: Config): string {
  return draftDocument(resolveConfig(config, { file: "config.json", draft: true }), config, "config.json");
}

describe("a known model as a shape", () => {
  test.each(ids)("%s is the same model when its printed description is pasted", (id) => {
    const text = shapeDocument(modelNamed(id));
    expect(bare(pasted(text))).toEqual(bare(modelNamed(id)));
    expect(text).not.toMatch(/TODO|check/);
  });

  test("visits of experts, biased norms, streams and an indexer shared between layers come back too", () => {
    const configs: readonly Config[] = [
      chainConfig,
      { ...mixtral, model_type: "phimoe", lm_head_bias: true },
      {
        ...deepseek,
        hc_mult: 4,
        index_n_heads: 2,
        index_head_dim: 8,
        index_topk: 16,
        indexer_types: ["full", "shared", "full", "shared"],
      },
      { ...mixtral, torch_dtype: "float16", sliding_window: 128 },
      { ...mixtral, torch_dtype: "float32" },
      {
        ...qwen3,
        attention_bias: true,
        layer_types: ["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
        sliding_window: 8,
      },
    ];
    for (const config of configs) {
      const spec = resolve(config);
      expect(bare(pasted(shapeDocument(spec)))).toEqual(bare(spec));
    }
  });

  test("each value stands before the key that it comes from", () => {
    const text = shapeDocument(modelNamed("qwen3-30b-a3b"));
    expect(text).toMatch(/^ {6}experts: 128 +# num_experts$/m);
    expect(text).toMatch(/^ {4}hiddenSize: 2048 +# hidden_size$/m);
    expect(text.split("\n").length).toBeLessThan(22);
  });

  test("what no shape describes is refused by the place in the spec", () => {
    const spec = resolve(mixtral);
    const [first, ...rest] = spec.layers;
    const odd = { ...spec, layers: [{ ...first!, normParameters: 7 }, ...rest] };
    expect(differences(shapeOf(odd), odd)).toEqual(["layers.0.normParameters"]);
    expect(() => shapeDocument(odd)).toThrow(/expected a model that model\.shape can describe, found "layers\.0/);
  });
});

describe("an unknown model", () => {
  const mangled = (id: string, modelType: (known: string) => string): Config => {
    const config = catalogue[id]!.config as Config;
    return { ...config, model_type: modelType(modelNamed(id).modelType) };
  };

  test.each(ids.filter((id) => id !== "deepseek-moe-16b"))(
    "a later version of the type of %s reads as the type",
    (id) => {
      const text = draft(mangled(id, (known) => `${known}_v9`));
      expect(bare(pasted(text))).toEqual({ ...bare(modelNamed(id)), modelType: expect.anything() });
      expect(text).toMatch(/assumed: read as \w+, the nearest type/);
    },
  );

  test.each(ids)("the keys of %s under a type of no likeness give a description that runs", (id) => {
    const text = draft(mangled(id, () => "acme"));
    const [made, known] = [parametersOf(pasted(text)), parametersOf(modelNamed(id))];
    const off = Math.abs(made.total / known.total - 1) > 0.002;
    // A class that adds a shared expert or leaves out the gate says so in no key.
    if (off) expect(text).toMatch(/(?:sharedWidth: 0|matrices: 3) +# check: /);
    expect(off).toBe(["llama-4-scout", "nemotron-3-nano-30b-a3b"].includes(id));
    expect(text).toMatch(/# check: /);
    expect(text).toContain("assumed: read by its keys alone");
  });

  test("a number that is missing or wrong is left to do, and refused until it is done", () => {
    const text = draft({ ...without(mixtral, "num_experts_per_tok"), model_type: "acme", vocab_size: "many" });
    expect(text).toMatch(/topK: TODO +# not in the file/);
    expect(text).toMatch(/vocabSize: TODO +# not in the file/);
    expect(text).toContain("# - num_experts_per_tok: expected a whole number");
    expect(() => pasted(text)).toThrow(/topK: expected a number, found "TODO"/);
    expect(
      parametersOf(pasted(text.replace("topK: TODO", "topK: 2").replace("vocabSize: TODO", "vocabSize: 1000"))).total,
    ).toBe(parametersOf(resolve(mixtral)).total);
  });

  test("a key that may change the shape is named, and layers in doubt are left to do", () => {
    const text = draft({ ...mixtral, model_type: "acme", moe_zero_experts: 3, moe_layer_rule: 1 });
    expect(text).toContain("# - moe_zero_experts: 3 is not understood and may change the shape");
    expect(text).toMatch(/kind: TODO +# check which layers have what/);
    const mixers = draft({ ...mixtral, model_type: "acme", layer_types: Array(4).fill("lightning") as string[] });
    expect(mixers).toMatch(/attention:\n +kind: TODO/);
    expect(mixers).toContain('found "lightning", and 3 more entries');
  });

  test("a quantisation that is not understood leaves the formats to do", () => {
    const text = draft({ ...mixtral, quantization_config: { quant_method: "unheard-of" } });
    expect(text).toMatch(/baseFormat: TODO +# check how the weights are quantised/);
    expect(() => pasted(text)).toThrow(/model\.shape\.baseFormat: expected one of fp32/);
  });

  test("a count of layers that is missing leaves no doubt which layers have what", () => {
    const text = draft({ ...without(mixtral, "num_hidden_layers"), model_type: "acme" });
    expect(text).toMatch(/layers: TODO +# not in the file/);
    expect(text).not.toMatch(/kind: TODO/);
  });

  test("text from the file cannot leave its comment or its quotes", () => {
    const name = 'x\n  evil: "1';
    const text = draft({ ...mixtral, model_type: name, [`moe_${name}`]: name, [name]: 1 });
    expect(text.split("\n").filter((line) => /^\s*evil/.test(line))).toEqual([]);
    expect(parseModel(text, "pasted.yaml").model.shape?.name).toBe('x evil: "1');
  });

  test("a draft of any values is a text, never an error of another kind", () => {
    const keys = Object.keys({ ...mixtral, ...qwen3, ...deepseek, layer_types: 0, sliding_window: 0 });
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.integer({ min: -2, max: 70000 }));
    const types = fc.constantFrom("acme", "mixtral_v2", "deepseek_v3", "qwen3_moe");
    fc.assert(
      fc.property(types, fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: 5 }), (modelType, changes) => {
        const config = { ...mixtral, ...qwen3, ...deepseek, ...changes, model_type: modelType } as Config;
        let text = "";
        try {
          text = draft(config);
        } catch (error) {
          expect(error).toMatchObject({ name: "InvalidInputError" });
          return;
        }
        expect(text).toContain("model:\n  shape:\n");
      }),
      { numRuns: drawn(150), seed: 5 },
    );
  });
});

describe("random shapes", () => {
  const formats = fc.constantFrom("bf16", "fp8", "int4", "mxfp4");
  const gqa = fc
    .record({
      kvHeads: fc.integer({ min: 1, max: 4 }),
      share: fc.integer({ min: 1, max: 8 }),
      headDim: fc.integer({ min: 1, max: 256 }),
      windowTokens: fc.option(fc.integer({ min: 1, max: 9000 }), { nil: undefined }),
      queryKeyNorm: fc.constantFrom("none", "head", "whole", "weightless"),
      bias: fc.constantFrom("none", "qkv", "all"),
      sinks: fc.boolean(),
      outputGate: fc.boolean(),
    })
    .map(({ share, ...rest }) => ({ kind: "gqa", queryHeads: rest.kvHeads * share, ...rest }));
  const mla = fc.record({
    kind: fc.constant("mla"),
    queryHeads: fc.integer({ min: 1, max: 64 }),
    queryLoraRank: fc.option(fc.integer({ min: 1, max: 512 }), { nil: undefined }),
    kvLoraRank: fc.integer({ min: 1, max: 512 }),
    nopeHeadDim: fc.integer({ min: 1, max: 128 }),
    ropeHeadDim: fc.integer({ min: 0, max: 64 }),
    valueHeadDim: fc.integer({ min: 1, max: 128 }),
  });
  const moe = fc
    .record({
      topK: fc.integer({ min: 1, max: 8 }),
      more: fc.integer({ min: 0, max: 120 }),
      expertWidth: fc.integer({ min: 1, max: 2048 }),
      matrices: fc.constantFrom(2, 3),
      sharedExperts: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      expertBias: fc.boolean(),
      visits: fc.integer({ min: 1, max: 3 }),
    })
    .map(({ more, ...rest }) => ({ kind: "moe", experts: rest.topK + more, ...rest }));
  const dense = fc.record({ kind: fc.constant("dense"), width: fc.integer({ min: 1, max: 4096 }) });
  const shapes = fc.record({
    name: fc.constant("any"),
    layers: fc.integer({ min: 4, max: 12 }),
    hiddenSize: fc.integer({ min: 1, max: 512 }).map((size) => 2 * size),
    vocabSize: fc.integer({ min: 1, max: 1000 }),
    contextTokensMax: fc.constant(8192),
    tiedEmbeddings: fc.boolean(),
    normVectors: fc.integer({ min: 1, max: 4 }),
    normBias: fc.boolean(),
    attention: fc.tuple(gqa, mla).map(([a, b]) => [{ ...a, layers: "0-3/2" }, b]),
    feedForward: fc.tuple(dense, moe).map(([a, b]) => [{ ...a, layers: 0 }, b]),
    baseFormat: fc.constantFrom("fp32", "fp16", "bf16", "fp8", "int4"),
    formats: fc.dictionary(fc.constantFrom("experts", "attention", "head"), formats),
    kvFormat: fc.option(fc.constantFrom("fp8", "bf16"), { nil: undefined }),
  });

  test("a random shape resolves, and the description of its model resolves to the same model", () => {
    fc.assert(
      fc.property(shapes, (written) => {
        const shape = modelSection.parse({ shape: JSON.parse(JSON.stringify(written)) as unknown }).shape!;
        const { spec, problems } = resolveShape(shape);
        expect(problems).toEqual([]);
        expect(spec.layers.filter(({ revisit }) => revisit === undefined)).toHaveLength(shape.layers);
        const again = pasted(shapeDocument({ ...spec, modelType: "mixtral" }));
        expect(bare(again)).toEqual({ ...bare(spec), modelType: "mixtral" });
      }),
      { numRuns: drawn(60), seed: 11 },
    );
  });

  test("quantised weights leave norms and the cache in 16 bits, unless those are stated", () => {
    const formatsOf = (more: object): unknown[] => {
      const attention = { kind: "gqa", queryHeads: 4 };
      const sizes = { layers: 2, hiddenSize: 64, vocabSize: 100, contextTokensMax: 128 };
      const feedForward = { kind: "moe", experts: 4, topK: 1, expertWidth: 32 };
      const shape = { name: "any", ...sizes, attention, feedForward, ...more };
      const { spec } = resolveShape(modelSection.parse({ shape }).shape!);
      return [spec.formats.experts, spec.formats.norm, spec.kvFormat];
    };
    for (const base of ["fp8", "int4", "mxfp4"])
      expect(formatsOf({ baseFormat: base })).toEqual([base, "bf16", "bf16"]);
    expect(formatsOf({ baseFormat: "fp16" })).toEqual(["fp16", "fp16", "fp16"]);
    expect(formatsOf({ baseFormat: "fp32" })).toEqual(["fp32", "fp32", "bf16"]);
    expect(formatsOf({ baseFormat: "fp8", kvFormat: "fp8" })).toEqual(["fp8", "bf16", "fp8"]);
    expect(formatsOf({ baseFormat: "int8", formats: { norm: "fp32" } })).toEqual(["int8", "fp32", "bf16"]);
  });

  test("parameters are the sum of the parts, by hand", () => {
    const { spec } = resolveShape(
      modelSection.parse({
        shape: {
          name: "by-hand",
          layers: 4,
          hiddenSize: 64,
          vocabSize: 1000,
          contextTokensMax: 4096,
          attention: { kind: "gqa", queryHeads: 4, kvHeads: 2 },
          feedForward: [
            { kind: "dense", layers: 0, width: 96 },
            { kind: "moe", experts: 8, topK: 2, expertWidth: 32, sharedExperts: 1 },
          ],
        },
      }).shape!,
    );
    const attention = 4 * 64 * (4 + 2 + 2 + 4) * 16;
    const dense = 3 * 64 * 96;
    const experts = 3 * 3 * 64 * 32;
    const rest = 2 * 1000 * 64 + 9 * 64 + 3 * 64 * 8;
    expect(parametersOf(spec).total).toBe(attention + dense + 9 * experts + rest);
    expect(parametersOf(spec).active).toBe(attention + dense + 3 * experts + rest);
  });
});

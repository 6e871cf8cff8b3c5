import { expect, test } from "vitest";
import { type Config, deepseekV2, mixtral, plan, refusalsOf } from "./model-configs.ts";

/** Heads of 16 rotating values, so that a file with these parameters has 8 angles. */
function ropeOf(theta: number, parameters: Config, contextTokensMax = 131072) {
  const rest: Config = { ...mixtral, rope_theta: null, hidden_size: 64, max_position_embeddings: contextTokensMax };
  const plans = [
    plan({ ...rest, rope_theta: theta, rope_scaling: parameters }),
    plan({ ...rest, rope_parameters: { ...parameters, rope_theta: theta } }),
  ];
  const [first, second] = plans.map(({ layers }) => layers[0]!.attention.rope);
  expect(second).toEqual(first);
  return first!;
}

/** What transformers 5.18 computes in float32. */
const published: readonly [name: string, theta: number, parameters: Config, angles: number[], magnitude: number][] = [
  [
    "without scaling",
    10000,
    { rope_type: "default" },
    [1, 0.31622776, 0.1, 0.031622779, 0.0099999998, 0.0031622779, 0.001, 0.00031622776],
    1,
  ],
  [
    "linear",
    10000,
    { rope_type: "linear", factor: 4 },
    [0.25, 0.079056941, 0.025, 0.0079056947, 0.0025, 0.00079056947, 0.00025, 7.9056947e-5],
    1,
  ],
  [
    "llama3",
    500000,
    {
      rope_type: "llama3",
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    },
    [1, 0.19392276, 0.037606031, 0.0072926651, 0.00052484602, 3.4281024e-5, 6.6478697e-6, 1.2891732e-6],
    1,
  ],
  [
    "YaRN of gpt-oss, whose range is not truncated",
    150000,
    {
      rope_type: "yarn",
      factor: 32,
      beta_fast: 32,
      beta_slow: 1,
      truncate: false,
      original_max_position_embeddings: 4096,
    },
    [1, 0.225418, 0.050813273, 0.0067949593, 0.00045648392, 1.8188337e-5, 4.0999785e-6, 9.2420896e-7],
    1.3465736,
  ],
  [
    "YaRN with DeepSeek's mscale, equal for all dimensions",
    10000,
    {
      type: "yarn",
      factor: 40,
      beta_fast: 32,
      beta_slow: 1,
      mscale: 0.75,
      mscale_all_dim: 0.75,
      original_max_position_embeddings: 4096,
    },
    [1, 0.31622776, 0.1, 0.023914725, 0.0051249997, 0.00084986218, 2.4999999e-5, 7.9056945e-6],
    1,
  ],
  [
    "YaRN with an mscale of its own for all dimensions",
    10000,
    { rope_type: "yarn", factor: 40, mscale: 1, mscale_all_dim: 0.5, original_max_position_embeddings: 4096 },
    [1, 0.31622776, 0.1, 0.023914725, 0.0051249997, 0.00084986218, 2.4999999e-5, 7.9056945e-6],
    1.155722,
  ],
  [
    "YaRN of Kimi K2, whose ramp has no width",
    50000,
    {
      type: "yarn",
      factor: 32,
      beta_fast: 1,
      beta_slow: 1,
      mscale: 1,
      mscale_all_dim: 1,
      original_max_position_embeddings: 4096,
    },
    [1, 0.25860015, 0.066874035, 0.017293634, 0.004472136, 3.6140467e-5, 9.3459303e-6, 2.4168587e-6],
    1,
  ],
  [
    "YaRN with a given attention factor",
    10000,
    { rope_type: "yarn", factor: 4, attention_factor: 0.75, original_max_position_embeddings: 1024 },
    [1, 0.31622776, 0.081250004, 0.019764237, 0.004375, 0.00079056947, 0.00025, 7.9056947e-5],
    0.75,
  ],
];

test.each(published)(
  "%s: angles and magnitude are those of the published code",
  (_name, theta, parameters, angles, magnitude) => {
    const rope = ropeOf(theta, parameters);
    expect(rope.dims).toBe(16);
    expect(rope.inverseFrequencies).toHaveLength(8);
    for (const [pair, angle] of angles.entries())
      expect(Math.abs(rope.inverseFrequencies[pair]! / angle - 1)).toBeLessThan(5e-7);
    expect(rope.magnitude).toBeCloseTo(magnitude, 6);
  },
);

test("a key of another scaling that is null changes nothing", () => {
  const parameters = { rope_type: "linear", factor: 4 };
  expect(ropeOf(10000, { ...parameters, beta_fast: null })).toEqual(ropeOf(10000, parameters));
});

test("YaRN without an original context length stretches the model's", () => {
  const parameters = { rope_type: "yarn", factor: 4 };
  expect(ropeOf(10000, parameters, 1024)).toEqual(
    ropeOf(10000, { ...parameters, original_max_position_embeddings: 1024 }, 1024),
  );
});

test("latent attention scales its scores by the square of YaRN's temperature", () => {
  const scaleOf = (config: Config) => plan(config).layers[0]!.attention.scale;
  const temperature = 0.1 * 0.75 * Math.log(40) + 1;
  expect(scaleOf(deepseekV2)).toBeCloseTo((temperature * temperature) / Math.sqrt(12 + 4), 12);
  expect(scaleOf({ ...deepseekV2, rope_scaling: null })).toBe(1 / 4);
});

test.each<[string, Config, string[]]>([
  ["a scaling by the length of the sequence", { rope_type: "dynamic", factor: 2 }, ["rope_scaling.rope_type"]],
  ["an unknown scaling", { type: "su", factor: 2 }, ["rope_scaling.rope_type"]],
  ["two types", { type: "linear", rope_type: "yarn", factor: 2 }, ["rope_scaling.type"]],
  [
    "a missing and an impossible number",
    { type: "llama3", factor: 0.5, low_freq_factor: 1, high_freq_factor: 4 },
    ["rope_scaling.factor", "rope_scaling.original_max_position_embeddings"],
  ],
  ["a key of another scaling", { type: "linear", factor: 2, beta_fast: 32 }, ["rope_scaling.beta_fast"]],
  [
    "a part of the head that does not rotate",
    { type: "linear", factor: 2, partial_rotary_factor: 0.5 },
    ["rope_scaling.partial_rotary_factor"],
  ],
])("%s: refused", (_name, rope_scaling, keys) => {
  expect(refusalsOf({ ...mixtral, rope_scaling }).map((text) => text.slice(0, text.indexOf(":")))).toEqual(keys);
});

test("a file in both spellings, without a base or with odd heads is refused", () => {
  expect(refusalsOf({ ...mixtral, rope_scaling: { type: "linear", factor: 2 }, rope_parameters: {} })[0]).toMatch(
    /^rope_scaling/,
  );
  expect(refusalsOf({ ...mixtral, rope_theta: null })).toEqual(["rope_theta: a number greater than 0"]);
  expect(refusalsOf({ ...mixtral, head_dim: 7 })).toEqual(["head_dim: an even number of values that rotate"]);
  expect(refusalsOf({ ...mixtral, partial_rotary_factor: 0.5 })).toEqual(["partial_rotary_factor: 1"]);
});

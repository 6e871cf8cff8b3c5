import { expect, test } from "vitest";
import { storedBytes } from "../../../src/core/dtype.ts";
import { modelKvBytesPerToken, weightBytes } from "../../../src/models/bytes.ts";
import { simulate } from "../../../src/sim/simulate.ts";
import { draftConfig } from "../../../src/sim/step/draft-model.ts";
import { resolve } from "../../models/configs.ts";
import {
  graniteMicro,
  graniteTiny,
  hunyuanLarge,
  lfm8,
  lingTiny,
  longcat,
  longcatLite,
  minimax,
  ringMini,
} from "../../models/structure-configs.ts";
import { singleDevice, testConfig, testEngine, testNode, testRequests } from "../build.ts";

const engine = testEngine();
const workload = { kind: "open", requests: testRequests([{ prompt: 20, output: 2 }]) } as const;
const onOneDevice = (config: Parameters<typeof resolve>[0], pp = 1) =>
  testConfig({
    model: resolve(config),
    node: testNode({ memoryBytes: 1e13 }),
    mapping: { ...singleDevice, pp },
    routing: { kind: "uniform" },
    workload,
    engine,
  });

test.each([graniteMicro, graniteTiny, hunyuanLarge, lfm8, lingTiny, longcat, longcatLite, minimax, ringMini])(
  "$model_type: one device holds the bytes of all weights, class by class, and as much for a token as its layers keep",
  (config) => {
    const { model } = onOneDevice(config);
    const { tiers, kvBytesPerToken } = simulate(onOneDevice(config)).memory;
    const itemOf = (start: string) => tiers[0]!.items.find(({ name }) => name.startsWith(start))?.bytes ?? 0;
    const bytes = weightBytes(model);
    const small = bytes.norm;
    expect(itemOf("embedding")).toBe(bytes.embedding);
    expect(itemOf("dense weights")).toBe(bytes.dense);
    expect(itemOf("shared expert weights")).toBe(bytes.shared);
    expect(itemOf("routed experts")).toBe(bytes.experts);
    expect(itemOf("head")).toBe(bytes.head);
    // Biases of attention and router stand with the norms.
    const matrices = itemOf("attention weights") + itemOf("router weights");
    expect(matrices + itemOf("norms and biases")).toBe(bytes.attention + bytes.router + small);
    expect(kvBytesPerToken).toBe(modelKvBytesPerToken(model));
  },
);

test("of two stages each holds the caches of its layers, whichever read them", () => {
  const { model } = onOneDevice(hunyuanLarge);
  expect(simulate(onOneDevice(hunyuanLarge, 2)).memory.kvBytesPerToken).toBe(modelKvBytesPerToken(model) / 2);
});

test("a draft module keeps a cache of its own, though the model's last layer reads another's", () => {
  const acceptance = Float64Array.of(0.5);
  const speculation = { draftTokens: 1, acceptance, draft: { kind: "eagle", layersPerToken: 1 } } as const;
  const config = { ...onOneDevice(hunyuanLarge), speculation };
  const [layer] = draftConfig(config)!.model.layers;
  expect(layer!.attention).toEqual(config.model.layers[0]!.attention);
  const perLayer = storedBytes(2 * 8 * 80, "bf16");
  expect(simulate(config).memory.kvBytesPerToken).toBe(modelKvBytesPerToken(config.model) + perLayer);
});

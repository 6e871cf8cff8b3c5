import { expect, test } from "vitest";
import { modelKvBytesPerSequence } from "../../src/models/bytes.ts";
import { catalogue, modelNamed } from "../../src/models/catalogue.ts";
import { describeModel } from "../../src/models/describe.ts";

test("every row has a name, a value and the key it came from", () => {
  for (const id of Object.keys(catalogue))
    for (const row of describeModel(modelNamed(id)).rows) {
      expect(row.name).toMatch(/^[a-zA-Z]/);
      expect(row.key.length).toBeGreaterThan(0);
      expect(["number", "string", "boolean", "object"]).toContain(typeof row.value);
    }
  const rows = describeModel(modelNamed("mixtral-8x7b")).rows;
  expect(rows).toContainEqual({ name: "layers[].feedForward.experts", value: 8, key: "num_local_experts" });
});

test("the runs of layers cover the model once, in order, and equal layers are one run", () => {
  for (const id of Object.keys(catalogue)) {
    const spec = modelNamed(id);
    const { layers } = describeModel(spec);
    expect(layers.flatMap(({ first, last, layer }) => Array(last - first + 1).fill(layer))).toEqual(spec.layers);
  }
  expect(describeModel(modelNamed("deepseek-v3")).layers.map(({ first, last }) => [first, last])).toEqual([
    [0, 2],
    [3, 60],
  ]);
});

test("bytes, cache and operations are those of the functions behind them, and only for contexts the model has", () => {
  const spec = modelNamed("olmoe-1b-7b");
  const described = describeModel(spec);
  expect(described.weights.totalBytes).toBe(2 * described.parameters.total);
  expect(described.kv.sequences).toEqual([{ contextTokens: 1024, bytes: modelKvBytesPerSequence(spec, 1024) }]);
  expect(described.flops.map(({ phase }) => phase)).toEqual(["prefill", "decode"]);
  for (const { weights, mixing, total } of described.flops) expect(weights + mixing).toBe(total);
  expect(described.expertBytes).toBe(2 * 3 * 2048 * 1024);
});

test("a description is plain data", () => {
  const described = describeModel(modelNamed("gpt-oss-20b"));
  expect(JSON.parse(JSON.stringify(described))).toEqual(described);
});

import { beforeAll, expect, test } from "vitest";
import type { Tfjs } from "../../src/capture/backends/backend.ts";
import { loadBackend } from "../../src/capture/backends/backends.ts";
import { checkpointNames, execute, expectedOf } from "./checkpoints.ts";

let tf: Tfjs;

beforeAll(async () => {
  ({ tf } = await loadBackend("wasm"));
});

test.each(checkpointNames)("%s: experts, weights and logits are those of the published model class", async (name) => {
  const expected = expectedOf(name);
  const [{ routed, logits } = { routed: [], logits: new Float32Array() }] = await execute(tf, name, [expected.tokens]);
  expect(routed).toHaveLength(expected.routers.length);
  for (const [layer, { ids, weights, nearTies }] of routed.entries()) {
    const reference = expected.routers[layer]!;
    expect(nearTies).toBe(0);
    expect([...ids]).toEqual(reference.ids.flat());
    for (const [i, weight] of reference.weights.flat().entries())
      expect(Math.abs(weights[i]! - weight)).toBeLessThan(1e-5 * Math.max(1, weight));
  }
  const last = logits.subarray(logits.length - expected.lastLogits.length);
  const size = Math.sqrt(expected.lastLogits.reduce((sum, value) => sum + value * value, 0));
  const error = Math.sqrt(last.reduce((sum, value, i) => sum + (value - expected.lastLogits[i]!) ** 2, 0));
  expect(error / size).toBeLessThan(1e-5);
  const norm = Math.sqrt(logits.reduce((sum, value) => sum + value * value, 0));
  expect(Math.abs(norm / expected.logitsNorm - 1)).toBeLessThan(1e-5);
});

test.each(checkpointNames)(
  "%s: decoding token by token chooses the same experts as the whole text at once",
  async (name) => {
    const { tokens } = expectedOf(name);
    const [whole] = await execute(tf, name, [tokens]);
    const parts = await execute(tf, name, [tokens.slice(0, 15), ...tokens.slice(15).map((token) => [token])]);
    for (const [layer, { ids }] of whole!.routed.entries())
      expect(parts.flatMap(({ routed }) => [...routed[layer]!.ids])).toEqual([...ids]);
    const last = parts.at(-1)!.logits;
    const wanted = whole!.logits.subarray(whole!.logits.length - last.length);
    for (const [i, value] of wanted.entries()) expect(Math.abs(last[i]! - value)).toBeLessThan(1e-4);
  },
);

test("no tensor is left behind, however many tokens and layers", async () => {
  const before = tf.memory().numTensors;
  await execute(tf, "deepseek-v3", [[1, 2, 3], [4], [5, 6]]);
  await execute(tf, "gpt-oss", [Array.from({ length: 40 }, (_, i) => i)]);
  expect(tf.memory().numTensors).toBe(before);
});

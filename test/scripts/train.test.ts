import { Tokenizer } from "@huggingface/tokenizers";
import type { Scalar } from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { AdamW } from "../../scripts/train/adam-w.ts";
import { heldOutRows } from "../../scripts/train/batches.ts";
import { learnBytePairs, tokenizerJson } from "../../scripts/train/byte-pairs.ts";
import { chooseExperts, losses } from "../../scripts/train/model.ts";
import { initialise } from "../../scripts/train/parameters.ts";
import { loadBackend } from "../../src/capture/backends/backends.ts";
import { randomBatch, shape } from "./train-batch.ts";

describe("byte pairs", () => {
  const text = "the cat and the hat; the café – the end\n".repeat(20);
  const pairs = learnBytePairs([text], 280);

  test("a tokenizer made of them gives the text back, in fewer tokens than bytes", () => {
    const tokenizer = new Tokenizer(JSON.parse(JSON.stringify(tokenizerJson(pairs))) as object, {});
    const { ids } = tokenizer.encode(text);
    expect(tokenizer.decode(ids)).toBe(text);
    expect(ids.length).toBeLessThan(Buffer.byteLength(text) / 2);
  });

  test("every merge joins entries that were there before it", () => {
    const known = new Set(pairs.vocabulary.slice(0, 257));
    for (const [left, right] of pairs.merges) {
      expect(known.has(left) && known.has(right)).toBe(true);
      known.add(left + right);
    }
  });
});

describe("training", () => {
  afterEach(async () => {
    const { tf } = await loadBackend("cpu");
    tf.disposeVariables();
  });

  test("learns a batch by heart, and leaves no tensor behind", async () => {
    const { tf, close } = await loadBackend("cpu");
    await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
    const parameters = initialise(tf, shape, 1);
    const batch = randomBatch(3);
    const rates = { beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, gradientNormMax: 1 };
    const optimiser = new AdamW(tf, parameters, rates);
    const seen: number[] = [];
    let tensors = 0;
    for (let step = 0; step < 60; step++) {
      const plans = await chooseExperts(tf, shape, parameters, batch);
      const { grads, value } = tf.variableGrads(
        () => tf.reshape(losses(tf, shape, parameters, batch, plans).crossEntropy, []) as Scalar,
        Object.values(parameters),
      );
      seen.push(value.dataSync()[0]!);
      await optimiser.step(parameters, grads, 0.02);
      tf.dispose([value, grads]);
      if (step === 0) tensors = tf.memory().numTensors;
    }
    expect(seen[0]).toBeCloseTo(Math.log(shape.vocabulary), 0);
    expect(seen.at(-1)).toBeLessThan(seen[0]! / 4);
    expect(tf.memory().numTensors).toBe(tensors);
    close();
  });
});

test("held-out rows cover consecutive tokens, each row from the last of the one before", () => {
  const domain = {
    name: "d",
    training: new Int32Array(),
    heldOut: Int32Array.from([0, 1, 2, 3, 4, 5, 6]),
    heldOutBytes: 7,
  };
  expect(heldOutRows(domain, 3).map((row) => [...row])).toEqual([
    [0, 1, 2, 3],
    [3, 4, 5, 6],
  ]);
});

import type { Scalar } from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { AdamW } from "../../scripts/train/adam-w.ts";
import { chooseExperts, losses } from "../../scripts/train/model.ts";
import { initialise, type Parameters } from "../../scripts/train/parameters.ts";
import { loadBackend } from "../../src/capture/backends/backends.ts";
import { randomBatch, shape } from "./train-batch.ts";

afterEach(async () => {
  const { tf } = await loadBackend("cpu");
  tf.disposeVariables();
});

test("gradients are the slopes of the loss", async () => {
  const { tf, close } = await loadBackend("cpu");
  await import("@tensorflow/tfjs-core/dist/register_all_gradients.js");
  // All experts are chosen: a choice that changes on the way would make a step in the loss.
  const all = { ...shape, topK: shape.experts };
  const parameters: Parameters = initialise(tf, all, 2);
  // Large weights, so that every part has a slope that float32 losses can show.
  for (const [name, parameter] of Object.entries(parameters))
    if (!name.endsWith("Norm")) parameter.assign(tf.mul(parameter, 12));
  const batch = randomBatch(1);
  const plans = await chooseExperts(tf, all, parameters, batch);
  const loss = () => {
    const { crossEntropy, balance, routerZ } = losses(tf, all, parameters, batch, plans);
    return tf.reshape(tf.addN([crossEntropy, balance, routerZ]), []);
  };
  const { grads } = tf.variableGrads(loss as () => Scalar, Object.values(parameters));
  const at = () => tf.tidy(() => loss().dataSync()[0]!);
  for (const name of [
    "embedding",
    "0.query",
    "0.key",
    "1.value",
    "1.output",
    "0.router",
    "0.gateUp",
    "1.down",
    "0.feedForwardNorm",
  ]) {
    // Along its own gradient a parameter has the steepest slope, the gradient's length.
    const parameter = parameters[name]!;
    const gradient = grads[name]!;
    const length = Math.sqrt(tf.sum(tf.square(gradient)).dataSync()[0]!);
    const start = tf.clone(parameter);
    const step = 0.003;
    const moved = (sign: number) => {
      parameter.assign(tf.add(start, tf.mul(gradient, (sign * step) / length)));
      return at();
    };
    const slope = (moved(1) - moved(-1)) / (2 * step);
    parameter.assign(start);
    expect(Math.abs(slope / length - 1), name).toBeLessThan(0.05);
  }
  close();
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

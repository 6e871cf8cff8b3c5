import { expect, test } from "vitest";
import { loadBackend } from "../../../src/capture/backends/backends.ts";
import { expertRowsMax, loadMixture } from "../../../src/capture/decoder/mixture.ts";
import type { MoePlan } from "../../../src/capture/decoder/plan.ts";
import type { ExpertWeights, WeightSource } from "../../../src/capture/decoder/weights.ts";
import { RandomStream } from "../../../src/core/random.ts";

const hidden = 4;
const width = 6;
const experts = 2;
const plan: MoePlan = {
  kind: "moe",
  experts,
  topK: experts,
  expertWidth: width,
  activation: "silu",
  gate: { weight: "gate", bias: null, inputWidth: hidden, outputWidth: experts },
  selectionBias: null,
  shared: null,
  sharedGate: null,
  routing: { scoring: "softmax", normalisesTopK: true, groups: null, scale: 1 },
  expert: { kind: "separate", gate: "gate.{}", up: "up.{}", down: "down.{}" },
};

function random(count: number, seed: number): Float32Array {
  const stream = new RandomStream(seed, "mixture");
  return new Float32Array(count).map(() => stream.uniform() - 0.5);
}

/** Gives every tensor random values. */
const source: WeightSource = {
  read: async (_name, shape) => random(product(shape), 99),
  readRange: async (_name, shape, from, to) => {
    const row = product(shape.slice(1));
    return random(product(shape), 99).subarray(from * row, to * row);
  },
  has: () => true,
  storedBytes: () => 0,
};
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

test("an expert that more rows chose than go through it at once gives what it gives them in parts", async () => {
  const { tf, close } = await loadBackend("wasm");
  const reads: number[] = [];
  const expertOf = (seed: number): ExpertWeights => ({
    hidden,
    width,
    gateUp: random(2 * hidden * width, seed),
    gateUpBias: null,
    down: random(width * hidden, seed + 10),
    downBias: null,
  });
  const before = tf.memory().numTensors;
  const mixture = await loadMixture(
    tf,
    source,
    async (_plan, expert) => {
      reads.push(expert);
      return expertOf(expert);
    },
    plan,
  );
  const rows = expertRowsMax + 1000;
  const states = random(rows * hidden, 3);
  const run = async (from: number, to: number) => {
    const x = tf.tensor2d(states.subarray(from * hidden, to * hidden), [to - from, hidden]);
    const sum = new Float32Array((to - from) * hidden);
    await mixture.run(x, await mixture.route(x), sum, async () => {});
    x.dispose();
    return sum;
  };
  const whole = await run(0, rows);
  // Every row chose both experts, and each was read once for all its rows.
  expect(reads).toEqual([0, 1]);
  const halves = [...(await run(0, 3000)), ...(await run(3000, rows))];
  const largest = whole.reduce((most, value, i) => Math.max(most, Math.abs(value - halves[i]!)), 0);
  expect(largest).toBeLessThan(1e-6);
  expect(Math.hypot(...whole.subarray(0, 100))).toBeGreaterThan(0.01);
  mixture.dispose();
  expect(tf.memory().numTensors).toBe(before);
  close();
});

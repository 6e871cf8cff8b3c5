import { beforeAll, describe, expect, test } from "vitest";
import type { Tensor3D, Tfjs } from "../../../src/capture/backends/backend.ts";
import { loadBackend } from "../../../src/capture/backends/backends.ts";
import { type AttendOptions, attend, scoresMax } from "../../../src/capture/decoder/attend.ts";
import { applyRope, ropeTables } from "../../../src/capture/decoder/rope.ts";
import { RandomStream } from "../../../src/core/random.ts";

let tf: Tfjs;
beforeAll(async () => {
  ({ tf } = await loadBackend("wasm"));
});

const plain: AttendOptions = { scale: 0.5, firstPosition: 0, windowTokens: null, sinks: null };

function heads(tokens: number, count: number, width: number, seed: number): Tensor3D {
  const stream = new RandomStream(seed, "heads");
  return tf.tensor3d(
    Float32Array.from({ length: tokens * count * width }, () => 2 * stream.uniform() - 1),
    [tokens, count, width],
  );
}

const close = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  for (let i = 0; i < a.length; i++) expect(Math.abs(a[i]! - b[i]!)).toBeLessThan(2e-6);
};

describe("attention", () => {
  test("of a token does not see later ones", () => {
    const [q, k, v] = [heads(6, 4, 8, 1), heads(6, 2, 8, 2), heads(6, 2, 8, 3)];
    const cut = (t: Tensor3D) => tf.slice(t, [0, 0, 0], [4, t.shape[1], 8]);
    const whole = attend(tf, q, k, v, plain).dataSync();
    close(attend(tf, cut(q), cut(k), cut(v), plain).dataSync(), whole.slice(0, 4 * 32));
  });

  test("continued from earlier keys is that of the whole", () => {
    const [q, k, v] = [heads(6, 4, 8, 1), heads(6, 2, 8, 2), heads(6, 2, 8, 3)];
    const last = tf.slice(q, [5, 0, 0], [1, 4, 8]);
    const whole = attend(tf, q, k, v, plain).dataSync();
    close(attend(tf, last, k, v, { ...plain, firstPosition: 5 }).dataSync(), whole.slice(5 * 32));
  });

  test("with a window of one token passes values through", () => {
    const [q, k, v] = [heads(5, 2, 8, 1), heads(5, 2, 8, 2), heads(5, 2, 8, 3)];
    close(attend(tf, q, k, v, { ...plain, windowTokens: 1 }).dataSync(), v.dataSync());
  });

  test("with shared key heads is that with the keys repeated", () => {
    const [q, k, v] = [heads(5, 4, 8, 1), heads(5, 2, 8, 2), heads(5, 2, 8, 3)];
    const repeated = (t: Tensor3D) => tf.gather(t, tf.tensor1d([0, 0, 1, 1], "int32"), 1);
    close(attend(tf, q, repeated(k), repeated(v), plain).dataSync(), attend(tf, q, k, v, plain).dataSync());
  });

  test("with a sink that outweighs all scores gives nothing, with one that no one sees changes nothing", () => {
    const [q, k, v] = [heads(3, 2, 8, 1), heads(3, 2, 8, 2), heads(3, 2, 8, 3)];
    const sinks = (value: number) => ({ ...plain, sinks: tf.tensor1d([value, value]) });
    close(attend(tf, q, k, v, sinks(60)).dataSync(), new Float32Array(3 * 16));
    close(attend(tf, q, k, v, sinks(-60)).dataSync(), attend(tf, q, k, v, plain).dataSync());
  });

  test("of a long sequence is taken in blocks of queries, with the same result", () => {
    // One group of heads has more scores than are held at a time, so that there are two blocks.
    const tokens = 4200;
    expect(tokens * tokens).toBeGreaterThan(scoresMax);
    const [q, k, v] = [heads(tokens, 1, 4, 1), heads(tokens, 1, 4, 2), heads(tokens, 1, 4, 3)];
    const whole = tf.tidy(() => attend(tf, q, k, v, plain).dataSync());
    const last = tf.slice(q, [tokens - 3, 0, 0], [3, 1, 4]);
    close(attend(tf, last, k, v, { ...plain, firstPosition: tokens - 3 }).dataSync(), whole.slice(-12));
    const first = (t: Tensor3D) => tf.slice(t, [0, 0, 0], [3, 1, 4]);
    close(attend(tf, first(q), first(k), first(v), plain).dataSync(), whole.slice(0, 12));
  });
});

describe("rotary embedding", () => {
  const plan = (interleaved: boolean) => ({
    dims: 4,
    inverseFrequencies: Float64Array.from([1, 0.1]),
    magnitude: 1,
    interleaved,
  });

  test("turns each pair by its angle and leaves the rest of a head", () => {
    const x = tf.tensor3d([1, 0, 0, 2, 7, 8], [1, 1, 6]);
    const turned = applyRope(tf, plan(false), ropeTables(tf, plan(false), 3, 1), x).dataSync();
    // Pairs are (0, 2) and (1, 3): the first turns by 3, the second by 0.3.
    close(turned, [Math.cos(3), -2 * Math.sin(0.3), Math.sin(3), 2 * Math.cos(0.3), 7, 8]);
  });

  test.each([false, true])("products depend on the distance alone (interleaved: %s)", (interleaved) => {
    const [q, k] = [heads(1, 1, 4, 4), heads(1, 1, 4, 5)];
    const product = (at: number, before: number) => {
      const turn = (x: Tensor3D, p: number) =>
        applyRope(tf, plan(interleaved), ropeTables(tf, plan(interleaved), p, 1), x);
      return tf.sum(tf.mul(turn(q, at), turn(k, before))).dataSync()[0]!;
    };
    expect(product(7, 2)).toBeCloseTo(product(105, 100), 4);
    expect(product(7, 7)).toBeCloseTo(tf.sum(tf.mul(q, k)).dataSync()[0]!, 5);
  });
});

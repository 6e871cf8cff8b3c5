import type { Tensor, Tensor1D, Tfjs } from "../backends/backend.ts";

/** x / sqrt(mean(x^2) + epsilon) * weight over the last axis (Zhang and Sennrich 2019). */
export function rmsNorm<T extends Tensor>(tf: Tfjs, x: T, weight: Tensor1D, epsilon: number): T {
  return tf.tidy(() => {
    const meanSquare = tf.mean(tf.square(x), -1, true);
    return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, epsilon))), weight) as T;
  });
}

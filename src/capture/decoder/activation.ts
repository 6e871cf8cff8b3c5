import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import type { Activation } from "./plan.ts";

/** Slope of the sigmoid and bound of the values in gpt-oss's clamped SwiGLU. */
const swishSlope = 1.702;
const swishLimit = 7;

/** Gate and up, each [rows, width], to what the down projection reads. */
export function activate(tf: Tfjs, activation: Activation, gate: Tensor2D, up: Tensor2D): Tensor2D {
  return tf.tidy(() => {
    if (activation === "silu") return tf.mul(tf.mul(gate, tf.sigmoid(gate)), up) as Tensor2D;
    const bounded = tf.minimum(gate, swishLimit);
    const glu = tf.mul(bounded, tf.sigmoid(tf.mul(bounded, swishSlope)));
    return tf.mul(tf.add(tf.clipByValue(up, -swishLimit, swishLimit), 1), glu) as Tensor2D;
  });
}

import type { LiveShape } from "../../calibrate/measured/live-measurements.ts";
import type { Tensor1D, Tensor2D, Tfjs } from "../backends/backend.ts";
import { type ExpertTensors, expertForward } from "../decoder/expert.ts";
import { rmsNorm } from "../decoder/rms-norm.ts";
import type { LayerCall } from "./step-rows.ts";

const normEpsilon = 1e-6;

/**
 * An MoE layer on the device, without its experts: what a decoder does around them. The router is executed and read back,
 * as a layer has to before it knows its experts; the choice itself is the trace's.
 */
export class ExpertLayer {
  readonly #tf: Tfjs;
  readonly #shape: LiveShape;
  readonly #norm: Tensor1D;
  readonly #router: Tensor2D;

  constructor(tf: Tfjs, shape: LiveShape) {
    this.#tf = tf;
    this.#shape = shape;
    this.#norm = tf.ones([shape.hidden]);
    this.#router = tf.fill([shape.hidden, shape.experts], 1 / shape.hidden) as Tensor2D;
  }

  /**
   * Runs a call on hidden states [batch, hidden], which are disposed; returns the new ones. `acquire` gives the weights of
   * an expert.
   */
  async run(x: Tensor2D, call: LayerCall, acquire: (expert: number) => ExpertTensors): Promise<Tensor2D> {
    const tf = this.#tf;
    const normed = rmsNorm(tf, x, this.#norm, normEpsilon);
    const logits = tf.matMul(normed, this.#router);
    await logits.data();
    logits.dispose();
    let sum = x;
    for (const [i, expert] of call.experts.entries()) {
      const tensors = acquire(expert);
      const before = sum;
      sum = tf.tidy(() => tf.add<Tensor2D>(before, this.#contribution(normed, call.slots[i]!, tensors)));
      before.dispose();
    }
    normed.dispose();
    return sum;
  }

  /** An expert's part of the sum, [batch, hidden]: its rows out, through it, and back to their places, weighted. */
  #contribution(normed: Tensor2D, slots: readonly number[], tensors: ExpertTensors): Tensor2D {
    const tf = this.#tf;
    const batch = normed.shape[0];
    const rows = tf.gather(normed, tf.tensor1d(Int32Array.from(slots), "int32"));
    const places = new Float32Array(batch * slots.length);
    for (const [row, slot] of slots.entries()) places[slot * slots.length + row] = 1 / this.#shape.experts;
    return tf.matMul(tf.tensor2d(places, [batch, slots.length]), expertForward(tf, rows, tensors, "silu"));
  }

  dispose(): void {
    this.#norm.dispose();
    this.#router.dispose();
  }
}

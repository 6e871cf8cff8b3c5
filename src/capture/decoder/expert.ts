import type { Tensor1D, Tensor2D, Tfjs } from "../backends/backend.ts";
import { finished } from "../backends/finished.ts";
import { activate } from "./activation.ts";
import type { Activation } from "./plan.ts";
import type { ExpertWeights } from "./weights.ts";

/** An expert's matrices on the backend; see {@link ExpertWeights}. */
export interface ExpertTensors {
  readonly gateUp: Tensor2D;
  readonly gateUpBias: Tensor1D | null;
  readonly down: Tensor2D;
  readonly downBias: Tensor1D | null;
}

export function uploadExpert(tf: Tfjs, expert: ExpertWeights): ExpertTensors {
  const { hidden, width } = expert;
  const vector = (values: Float32Array | null): Tensor1D | null => (values === null ? null : tf.tensor1d(values));
  return {
    gateUp: tf.tensor2d(expert.gateUp, [hidden, 2 * width]),
    gateUpBias: vector(expert.gateUpBias),
    down: tf.tensor2d(expert.down, [width, hidden]),
    downBias: vector(expert.downBias),
  };
}

/** Waits until the matrices of an expert are on the device: a GPU's tensors go there when they are first used. */
export async function placeExpert(tf: Tfjs, expert: ExpertTensors): Promise<void> {
  await finished(tf, expert.gateUp);
  await finished(tf, expert.down);
}

/** Rows [n, hidden] through one expert: [n, hidden]. */
export function expertForward(tf: Tfjs, rows: Tensor2D, expert: ExpertTensors, activation: Activation): Tensor2D {
  return tf.tidy(() => {
    const product = tf.matMul<Tensor2D>(rows, expert.gateUp);
    const both = expert.gateUpBias === null ? product : tf.add<Tensor2D>(product, expert.gateUpBias);
    const [gate, up] = tf.split(both, 2, 1) as [Tensor2D, Tensor2D];
    const output = tf.matMul<Tensor2D>(activate(tf, activation, gate, up), expert.down);
    return expert.downBias === null ? output : tf.add<Tensor2D>(output, expert.downBias);
  });
}

export function disposeExpert(expert: ExpertTensors): void {
  expert.gateUp.dispose();
  expert.gateUpBias?.dispose();
  expert.down.dispose();
  expert.downBias?.dispose();
}

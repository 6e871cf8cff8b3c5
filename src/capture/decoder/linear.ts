import type { Tensor1D, Tensor2D, Tfjs } from "../backends/backend.ts";
import { readTransposed } from "../checkpoint/read-transposed.ts";
import type { LinearPlan } from "./plan.ts";
import type { WeightSource } from "./weights.ts";

/** A linear layer on the backend. The weight is [in, out]: wasm multiplies fast only without a transpose. */
export interface Linear {
  readonly weight: Tensor2D;
  readonly bias: Tensor1D | null;
}

export async function loadLinear(tf: Tfjs, weights: WeightSource, plan: LinearPlan): Promise<Linear> {
  const { inputWidth, outputWidth } = plan;
  const columns = new Float32Array(inputWidth * outputWidth);
  await readTransposed(weights, plan.weight, [outputWidth, inputWidth], columns, outputWidth, 0);
  const bias = plan.bias === null ? null : await weights.read(plan.bias, [outputWidth]);
  return {
    weight: tf.tensor2d(columns, [inputWidth, outputWidth]),
    bias: bias === null ? null : tf.tensor1d(bias),
  };
}

/** x [rows, in] to [rows, out]. */
export function applyLinear(tf: Tfjs, { weight, bias }: Linear, x: Tensor2D): Tensor2D {
  const product = tf.matMul<Tensor2D>(x, weight);
  if (bias === null) return product;
  const sum = tf.add<Tensor2D>(product, bias);
  product.dispose();
  return sum;
}

export function disposeLinear({ weight, bias }: Linear): void {
  weight.dispose();
  bias?.dispose();
}

import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import { activate } from "./activation.ts";
import { applyLinear, disposeLinear, loadLinear } from "./linear.ts";
import type { DensePlan } from "./plan.ts";
import type { WeightSource } from "./weights.ts";

/** A dense feed-forward network with its weights on the backend. */
export interface Dense {
  /** [rows, hidden] to [rows, hidden] */
  run(x: Tensor2D): Tensor2D;
  dispose(): void;
}

export async function loadDense(tf: Tfjs, weights: WeightSource, plan: DensePlan): Promise<Dense> {
  const gate = await loadLinear(tf, weights, plan.gate);
  const up = await loadLinear(tf, weights, plan.up);
  const down = await loadLinear(tf, weights, plan.down);
  return {
    run: (x) =>
      tf.tidy(() =>
        applyLinear(tf, down, activate(tf, plan.activation, applyLinear(tf, gate, x), applyLinear(tf, up, x))),
      ),
    dispose: () => {
      for (const linear of [gate, up, down]) disposeLinear(linear);
    },
  };
}

import type { Tensor, Tensor2D, Tfjs } from "../../src/capture/backends/backend.ts";
import type { PairPlan } from "./pair-plan.ts";
import type { Shape } from "./shape.ts";

/** Output of the experts with the losses of this layer's router. */
interface Mixture {
  readonly output: Tensor2D;
  /** Load balancing (Switch Transformers, section 2.2): experts x sum of share chosen x mean probability; 1 if even. */
  readonly balance: Tensor;
  /** Mean square of the log partition function (ST-MoE, section 3.3), which keeps logits small. */
  readonly routerZ: Tensor;
}

/**
 * Routed experts over rows [n, hidden], none dropped: pairs are sorted by expert into [experts, most loaded, hidden], so
 * that all experts are one batched product. Weights are the softmax over the chosen of the router's
 * logits [n, experts] (Mixtral).
 */
export function mixture(
  tf: Tfjs,
  shape: Shape,
  of: (name: string) => Tensor,
  x: Tensor2D,
  logits: Tensor2D,
  plan: PairPlan,
): Mixture {
  const { experts, topK, hidden, expertWidth } = shape;
  const rows = x.shape[0];
  const slots = experts * plan.capacity;

  const chosen = tf.gather(tf.reshape(logits, [-1]), tf.tensor1d(plan.chosen, "int32"));
  const weights = tf.softmax(tf.reshape(chosen, [rows, topK]));

  const inSlots = tf.reshape(dispatch(tf, x, plan, topK), [experts, plan.capacity, hidden]);
  const [gate, up] = tf.split(tf.matMul(inSlots, of("gateUp")), 2, 2) as [Tensor, Tensor];
  const active = tf.mul(tf.mul(gate, tf.sigmoid(gate)), up);
  const outSlots = tf.matMul(tf.reshape(active, [experts, plan.capacity, expertWidth]), of("down"));
  const pairs = collect(tf, tf.reshape(outSlots, [slots, hidden]) as Tensor2D, plan);
  const output = tf.sum(tf.mul(tf.reshape(pairs, [rows, topK, hidden]), tf.expandDims(weights, 2)), 1) as Tensor2D;

  const meanProbability = tf.mean(tf.softmax(logits), 0);
  const share = tf.tensor1d(plan.counts.map((count) => (count * experts) / (rows * topK)));
  return {
    output,
    balance: tf.sum(tf.mul(share, meanProbability)),
    routerZ: tf.mean(tf.square(tf.logSumExp(logits, 1))),
  };
}

/** Rows to slots. The gradient of a row is the sum over its slots, gathered back instead of scattered. */
function dispatch(tf: Tfjs, x: Tensor2D, plan: PairPlan, topK: number): Tensor {
  const [rows, hidden] = x.shape;
  const op = tf.customGrad((input) => {
    const value = tf.gather(withZeroRow(tf, input as Tensor2D), tf.tensor1d(plan.rowOfSlot, "int32"));
    const gradFunc = (dy: Tensor) => {
      const pairs = tf.gather(dy, tf.tensor1d(plan.slotOfPair, "int32"));
      return tf.sum(tf.reshape(pairs, [rows, topK, hidden]), 1);
    };
    return { value, gradFunc };
  });
  return op(x);
}

/** Slots to pairs; the gradient of an empty slot is zero. */
function collect(tf: Tfjs, slots: Tensor2D, plan: PairPlan): Tensor {
  const op = tf.customGrad((input) => {
    const value = tf.gather(input as Tensor2D, tf.tensor1d(plan.slotOfPair, "int32"));
    const gradFunc = (dy: Tensor) => tf.gather(withZeroRow(tf, dy as Tensor2D), tf.tensor1d(plan.pairOfSlot, "int32"));
    return { value, gradFunc };
  });
  return op(slots);
}

function withZeroRow(tf: Tfjs, x: Tensor2D): Tensor {
  return tf.concat([x, tf.zeros([1, x.shape[1]])], 0);
}

import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import { applyLinear, disposeLinear, loadLinear } from "./linear.ts";
import type { DecoderPlan } from "./plan.ts";
import { rmsNorm } from "./rms-norm.ts";
import type { WeightSource } from "./weights.ts";

/** Embeddings of tokens, [tokens, hidden]; every row that occurs is read once. */
export async function embedTokens(
  weights: WeightSource,
  { embedding, vocabSize, hiddenSize }: DecoderPlan,
  tokens: Uint32Array,
): Promise<Float32Array> {
  const rows = new Map<number, Float32Array>();
  const out = new Float32Array(tokens.length * hiddenSize);
  for (const [i, token] of tokens.entries()) {
    const row = rows.get(token) ?? (await weights.readRange(embedding, [vocabSize, hiddenSize], token, token + 1));
    rows.set(token, row);
    out.set(row, i * hiddenSize);
  }
  return out;
}

/** The output head on the backend. */
export interface Head {
  /** Logits of states [tokens, hidden] behind the last layer: [tokens, vocabulary]. */
  logits(states: Float32Array): Promise<Float32Array>;
  dispose(): void;
}

export async function loadHead(tf: Tfjs, weights: WeightSource, plan: DecoderPlan): Promise<Head> {
  const norm = tf.tensor1d(await weights.read(plan.finalNorm, [plan.hiddenSize]));
  const linear = await loadLinear(tf, weights, plan.head);
  return {
    async logits(states) {
      const product = tf.tidy(() => {
        const x = tf.tensor2d(states, [states.length / plan.hiddenSize, plan.hiddenSize]);
        return applyLinear(tf, linear, rmsNorm(tf, x, norm, plan.normEpsilon)) as Tensor2D;
      });
      const values = (await product.data()) as Float32Array;
      product.dispose();
      return values;
    },
    dispose() {
      norm.dispose();
      disposeLinear(linear);
    },
  };
}

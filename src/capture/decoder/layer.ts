import type { RoutedTokens } from "../../models/routing.ts";
import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import { loadAttention } from "./attention.ts";
import { type Dense, loadDense } from "./dense.ts";
import type { KeyValues } from "./key-values.ts";
import { loadMixture, type Mixture, type Pause } from "./mixture.ts";
import type { DecoderPlan, LayerPlan } from "./plan.ts";
import { rmsNorm } from "./rms-norm.ts";
import type { ExpertReader, WeightSource } from "./weights.ts";

/** A decoder layer on the backend: all its weights but those of routed experts. States are plain arrays [tokens, hidden]. */
export interface DecoderLayer {
  /**
   * Adds attention to the states of consecutive tokens of one sequence, in place. Returns keys and values of all its tokens
   * where `past` is given (null before the first token); the caller disposes them. Undefined: nothing is kept.
   */
  attention(states: Float32Array, past?: KeyValues | null): Promise<KeyValues | null>;
  /** Adds the feed-forward network to the states of any tokens, in place; the routing, or null for a dense layer. */
  feedForward(states: Float32Array, pause: Pause): Promise<RoutedTokens | null>;
  /** What the router chooses for these states; null for a dense layer. No expert is executed. */
  route(states: Float32Array): Promise<RoutedTokens | null>;
  dispose(): void;
}

export async function loadLayer(
  tf: Tfjs,
  weights: WeightSource,
  readExpert: ExpertReader,
  { hiddenSize, normEpsilon }: Pick<DecoderPlan, "hiddenSize" | "normEpsilon">,
  plan: LayerPlan,
): Promise<DecoderLayer> {
  const attentionNorm = tf.tensor1d(await weights.read(plan.attentionNorm, [hiddenSize]));
  const feedForwardNorm = tf.tensor1d(await weights.read(plan.feedForwardNorm, [hiddenSize]));
  const attention = await loadAttention(tf, weights, plan.attention, normEpsilon);
  const { feedForward } = plan;
  const dense: Dense | null = feedForward.kind === "dense" ? await loadDense(tf, weights, feedForward) : null;
  const mixture: Mixture | null =
    feedForward.kind === "moe" ? await loadMixture(tf, weights, readExpert, feedForward) : null;

  const normed = (states: Float32Array, norm: typeof attentionNorm): Tensor2D =>
    tf.tidy(() => rmsNorm(tf, tf.tensor2d(states, [states.length / hiddenSize, hiddenSize]), norm, normEpsilon));

  return {
    async attention(states, past) {
      const x = normed(states, attentionNorm);
      const { output, keyValues } = attention.run(x, past ?? null);
      addInPlace(states, (await output.data()) as Float32Array);
      tf.dispose([x, output]);
      if (past !== undefined) return keyValues;
      tf.dispose([keyValues.key, keyValues.value]);
      return null;
    },
    async feedForward(states, pause) {
      const x = normed(states, feedForwardNorm);
      try {
        if (mixture !== null) {
          const routed = await mixture.route(x);
          await mixture.run(x, routed, states, pause);
          return routed;
        }
        const output = dense!.run(x);
        addInPlace(states, (await output.data()) as Float32Array);
        output.dispose();
        return null;
      } finally {
        x.dispose();
      }
    },
    async route(states) {
      if (mixture === null) return null;
      const x = normed(states, feedForwardNorm);
      const routed = await mixture.route(x);
      x.dispose();
      return routed;
    },
    dispose() {
      attentionNorm.dispose();
      feedForwardNorm.dispose();
      attention.dispose();
      dense?.dispose();
      mixture?.dispose();
    },
  };
}

function addInPlace(states: Float32Array, values: Float32Array): void {
  for (let i = 0; i < states.length; i++) states[i]! += values[i]!;
}

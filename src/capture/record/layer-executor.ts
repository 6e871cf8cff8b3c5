import type { RoutedTokens } from "../../models/routing.ts";
import type { LayerPlan } from "../decoder/plan.ts";

/** Executes a model layer by layer on hidden states held in plain arrays, [tokens, hiddenSize] row-major. */
export interface LayerExecutor {
  /** Hidden states of tokens before the first layer. */
  embed(tokens: Uint32Array): Promise<Float32Array>;
  /** A layer, to be used for any number of sequences and disposed. Only one is open at a time. */
  open(layer: LayerPlan): Promise<OpenLayer>;
}

export interface OpenLayer {
  /** Adds the layer's attention to the states of one sequence that starts at position 0, in place. */
  attention(states: Float32Array): Promise<void>;
  /**
   * Adds the layer's feed-forward network to the states of any tokens, in place, and returns what the router chose; null
   * for a dense layer. `pause` is awaited between experts with the share of the work that is done.
   */
  feedForward(states: Float32Array, pause: Pause): Promise<RoutedTokens | null>;
  /** What the router of an MoE layer chooses for these states; no expert is executed. */
  route(states: Float32Array): Promise<RoutedTokens>;
  dispose(): void;
}

/** Gives the event loop a turn between long calls; rejects when the work is to stop. */
export type Pause = (shareDone: number) => Promise<void>;

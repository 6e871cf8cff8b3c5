import type { RoutedTokens } from "../../models/routing.ts";
import type { Head } from "../decoder/embedding.ts";
import type { KeyValues } from "../decoder/key-values.ts";
import type { DecoderLayer } from "../decoder/layer.ts";
import type { Pause } from "../decoder/mixture.ts";

/** A whole model in memory. */
export interface OpenModel {
  embed(tokens: Uint32Array): Promise<Float32Array>;
  readonly layers: readonly DecoderLayer[];
  readonly head: Head;
  readonly hiddenSize: number;
}

/** What was decoded after a prompt: each token was fed back, so each has its routing. */
export interface Decoded {
  readonly tokens: readonly number[];
  /** By token, then by layer; null for a dense layer. */
  readonly routing: readonly (readonly (RoutedTokens | null)[])[];
}

/**
 * Decodes up to `steps` tokens greedily after a prompt, keys and values of earlier tokens kept. Ends before a token of
 * `stops`, such as the end of the text. Ties go to the lower token.
 */
export async function decodeGreedily(
  model: OpenModel,
  prompt: Uint32Array,
  steps: number,
  stops: ReadonlySet<number>,
  pause: Pause,
): Promise<Decoded> {
  const cache: (KeyValues | null)[] = model.layers.map(() => null);
  const tokens: number[] = [];
  const routing: (RoutedTokens | null)[][] = [];
  /** States of new tokens behind the last layer, and what every layer's router chose for them. */
  const feed = async (fed: Uint32Array) => {
    const states = await model.embed(fed);
    const chosen: (RoutedTokens | null)[] = [];
    for (const [i, layer] of model.layers.entries()) {
      const past = cache[i] ?? null;
      cache[i] = await layer.attention(states, past);
      release(past);
      chosen.push(await layer.feedForward(states, pause));
    }
    return { states, chosen };
  };
  try {
    let { states } = await feed(prompt);
    while (tokens.length < steps) {
      const logits = await model.head.logits(states.subarray(states.length - model.hiddenSize));
      const next = largest(logits);
      if (stops.has(next)) break;
      const fed = await feed(Uint32Array.of(next));
      states = fed.states;
      tokens.push(next);
      routing.push(fed.chosen);
    }
    return { tokens, routing };
  } finally {
    for (const keyValues of cache) release(keyValues);
  }
}

function release(keyValues: KeyValues | null): void {
  keyValues?.key.dispose();
  keyValues?.value.dispose();
}

function largest(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

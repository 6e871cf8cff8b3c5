import type { Tensor2D, Tensor3D, Tfjs } from "../backends/backend.ts";

/** Keys and values of the tokens so far, positions worked in: [tokens, kv heads, width]. */
export interface KeyValues {
  readonly key: Tensor3D;
  readonly value: Tensor3D;
}

export interface AttentionRun {
  /** [new tokens, hidden] */
  readonly output: Tensor2D;
  /** Of all tokens, earlier ones included. */
  readonly keyValues: KeyValues;
}

/** The attention of a layer with its weights on the backend. */
export interface Attention {
  /** Attends from consecutive tokens [new tokens, hidden] of one sequence, normed, over them and those before them. */
  run(x: Tensor2D, past: KeyValues | null): AttentionRun;
  dispose(): void;
}

/** Earlier keys or values followed by new ones. */
export function appended(tf: Tfjs, past: Tensor3D | undefined, fresh: Tensor3D): Tensor3D {
  return past === undefined ? fresh : tf.concat([past, fresh], 0);
}

import type { Tensor, Tensor2D, Tfjs } from "../../src/capture/backends/backend.ts";
import type { Shape } from "./shape.ts";

/** Cosines and sines of the angles. */
export interface RopeTables {
  /** [tokens, headDim] */
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Angles of each position, the same for both halves of a head. */
export function ropeTables(tf: Tfjs, { headDim, ropeTheta }: Shape, tokens: number): RopeTables {
  const cos = new Float32Array(tokens * headDim);
  const sin = new Float32Array(tokens * headDim);
  for (let t = 0; t < tokens; t++)
    for (let i = 0; i < headDim; i++) {
      const pair = i % (headDim / 2);
      const angle = t * ropeTheta ** ((-2 * pair) / headDim);
      cos[t * headDim + i] = Math.cos(angle);
      sin[t * headDim + i] = Math.sin(angle);
    }
  return { cos: tf.tensor(cos, [tokens, headDim]), sin: tf.tensor(sin, [tokens, headDim]) };
}

/** x of [..., tokens, headDim], rotated by position: pairs are (i, i + headDim / 2). */
function rotate(tf: Tfjs, x: Tensor, { cos, sin }: RopeTables): Tensor {
  const [left, right] = tf.split(x, 2, -1) as [Tensor, Tensor];
  return tf.add(tf.mul(x, cos), tf.mul(tf.concat([tf.neg(right), left], -1), sin));
}

/** What is added to scores [queries, keys], so that no token attends to a later one. */
export function causalMask(tf: Tfjs, tokens: number): Tensor {
  const mask = new Float32Array(tokens * tokens);
  for (let q = 0; q < tokens; q++) mask.fill(-1e9, q * tokens + q + 1, (q + 1) * tokens);
  return tf.tensor(mask, [tokens, tokens]);
}

/** Grouped-query attention of rows [sequences x tokens, hidden]. */
export function attention(
  tf: Tfjs,
  { queryHeads, kvHeads, headDim }: Shape,
  of: (name: string) => Tensor,
  x: Tensor2D,
  sequences: number,
  rope: RopeTables,
  mask: Tensor,
): Tensor2D {
  const tokens = x.shape[0] / sequences;
  const heads = (name: string, count: number) =>
    tf.transpose(tf.reshape(tf.matMul(x, of(name) as Tensor2D), [sequences, tokens, count, headDim]), [0, 2, 1, 3]);
  const repeat = (t: Tensor) => {
    const group = queryHeads / kvHeads;
    const wide = tf.tile(tf.reshape(t, [sequences, kvHeads, 1, tokens * headDim]), [1, 1, group, 1]);
    return tf.reshape(wide, [sequences, queryHeads, tokens, headDim]);
  };
  const query = rotate(tf, heads("query", queryHeads), rope);
  const key = repeat(rotate(tf, heads("key", kvHeads), rope));
  const value = repeat(heads("value", kvHeads));
  const scores = tf.add(tf.mul(tf.matMul(query, key, false, true), 1 / Math.sqrt(headDim)), mask);
  const mixed = tf.matMul(tf.softmax(scores), value);
  const flat = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [sequences * tokens, queryHeads * headDim]);
  return tf.matMul(flat as Tensor2D, of("output") as Tensor2D);
}

import type { Tensor2D, Tensor3D, Tfjs } from "../backends/backend.ts";
import type { RopePlan } from "./plan.ts";

/** Cosines and sines of consecutive positions: [positions, 1, dims / 2], the magnitude worked in. */
export interface RopeTables {
  readonly cos: Tensor3D;
  readonly sin: Tensor3D;
}

/** Tables of the positions [from, from + count); angles are taken in float64. */
export function ropeTables(
  tf: Tfjs,
  { inverseFrequencies, magnitude }: RopePlan,
  from: number,
  count: number,
): RopeTables {
  const pairs = inverseFrequencies.length;
  const cos = new Float32Array(count * pairs);
  const sin = new Float32Array(count * pairs);
  for (let i = 0; i < count; i++)
    for (let pair = 0; pair < pairs; pair++) {
      const angle = (from + i) * inverseFrequencies[pair]!;
      cos[i * pairs + pair] = Math.cos(angle) * magnitude;
      sin[i * pairs + pair] = Math.sin(angle) * magnitude;
    }
  return { cos: tf.tensor3d(cos, [count, 1, pairs]), sin: tf.tensor3d(sin, [count, 1, pairs]) };
}

/**
 * Rotates the first `dims` values of heads [tokens, heads, width] (Su et al. 2021). Pairs that are neighbours in the
 * checkpoint come out as halves, for queries and keys alike, which leaves their products as they are.
 */
export function applyRope(tf: Tfjs, { dims, interleaved }: RopePlan, { cos, sin }: RopeTables, x: Tensor3D): Tensor3D {
  return tf.tidy(() => {
    const [tokens, heads, width] = x.shape;
    const turning = width === dims ? x : tf.slice(x, [0, 0, 0], [tokens, heads, dims]);
    const [left, right] = interleaved ? neighbours(tf, turning) : (tf.split(turning, 2, 2) as [Tensor3D, Tensor3D]);
    const parts = [
      tf.sub(tf.mul(left, cos), tf.mul(right, sin)),
      tf.add(tf.mul(right, cos), tf.mul(left, sin)),
    ] as Tensor3D[];
    if (width > dims) parts.push(tf.slice(x, [0, 0, dims], [tokens, heads, width - dims]));
    return tf.concat(parts, 2);
  });
}

/** Even and odd values. */
function neighbours(tf: Tfjs, x: Tensor3D): [Tensor3D, Tensor3D] {
  const [tokens, heads, dims] = x.shape;
  const pairs = tf.reshape(x, [tokens * heads * (dims / 2), 2]) as Tensor2D;
  const [even, odd] = tf.split(pairs, 2, 1);
  const shape: [number, number, number] = [tokens, heads, dims / 2];
  return [tf.reshape(even!, shape), tf.reshape(odd!, shape)];
}

import type { Tensor, Tensor2D, Tfjs } from "../../src/capture/backends/backend.ts";
import { mixture } from "./mixture.ts";
import type { Parameters } from "./parameters.ts";
import type { Shape } from "./shape.ts";

/** Losses of a batch, each a scalar: cross entropy in nats a token, and the router losses averaged over layers. */
export interface Losses {
  readonly crossEntropy: Tensor;
  readonly balance: Tensor;
  readonly routerZ: Tensor;
}

/**
 * Forward pass of a batch of sequences [batch, tokens + 1]: the first tokens are read, the last ones predicted.
 * Differentiable in the parameters; which experts a token visits is a constant.
 */
export function losses(tf: Tfjs, shape: Shape, parameters: Parameters, batch: Int32Array, sequences: number): Losses {
  const tokens = batch.length / sequences - 1;
  const rows = sequences * tokens;
  const inputs = new Int32Array(rows);
  const targets = new Int32Array(rows);
  for (let s = 0; s < sequences; s++)
    for (let t = 0; t < tokens; t++) {
      inputs[s * tokens + t] = batch[s * (tokens + 1) + t]!;
      targets[s * tokens + t] = batch[s * (tokens + 1) + t + 1]!;
    }
  const get = (name: string) => parameters[name]!;
  const rope = ropeTables(tf, shape, tokens);
  const mask = causalMask(tf, tokens);
  let hidden = tf.gather(get("embedding"), tf.tensor1d(inputs, "int32")) as Tensor2D;
  let balance: Tensor = tf.scalar(0);
  let routerZ: Tensor = tf.scalar(0);
  for (let layer = 0; layer < shape.layers; layer++) {
    const of = (name: string) => get(`${layer}.${name}`);
    const attended = attention(tf, shape, of, rmsNorm(tf, hidden, of("attentionNorm"), shape), sequences, rope, mask);
    hidden = tf.add(hidden, attended);
    const mixed = mixture(tf, shape, of, rmsNorm(tf, hidden, of("feedForwardNorm"), shape));
    hidden = tf.add(hidden, mixed.output);
    balance = tf.add(balance, mixed.balance);
    routerZ = tf.add(routerZ, mixed.routerZ);
  }
  const normed = rmsNorm(tf, hidden, get("finalNorm"), shape);
  const logits = tf.matMul(normed, get("embedding") as unknown as Tensor2D, false, true);
  const wanted = tf.gather(tf.reshape(logits, [-1]), targetIndices(tf, targets, shape.vocabulary));
  return {
    crossEntropy: tf.mean(tf.sub(tf.logSumExp(logits, 1), wanted)),
    balance: tf.div(balance, shape.layers),
    routerZ: tf.div(routerZ, shape.layers),
  };
}

function targetIndices(tf: Tfjs, targets: Int32Array, vocabulary: number): Tensor {
  return tf.tensor1d(
    targets.map((target, row) => row * vocabulary + target),
    "int32",
  );
}

function rmsNorm(tf: Tfjs, x: Tensor2D, weight: Tensor, shape: Shape): Tensor2D {
  const meanSquare = tf.mean(tf.square(x), 1, true);
  return tf.mul(tf.mul(x, tf.rsqrt(tf.add(meanSquare, shape.normEpsilon))), weight);
}

interface RopeTables {
  /** [tokens, headDim] */
  readonly cos: Tensor;
  readonly sin: Tensor;
}

/** Angles of each position, the same for both halves of a head. */
function ropeTables(tf: Tfjs, { headDim, ropeTheta }: Shape, tokens: number): RopeTables {
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

function causalMask(tf: Tfjs, tokens: number): Tensor {
  const mask = new Float32Array(tokens * tokens);
  for (let q = 0; q < tokens; q++) mask.fill(-1e9, q * tokens + q + 1, (q + 1) * tokens);
  return tf.tensor(mask, [tokens, tokens]);
}

/** Grouped-query attention of rows [sequences x tokens, hidden]. */
function attention(
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

import type { Tensor1D, Tensor2D, Tensor3D, Tfjs } from "../backends/backend.ts";

/** Most attention scores that are held at a time: 64 MiB. Longer sequences are taken in blocks of queries. */
export const scoresMax = 1 << 24;

export interface AttendOptions {
  /** Factor on q k^T. */
  readonly scale: number;
  /** Position of the first query; keys start at position 0. */
  readonly firstPosition: number;
  /** Keys visible to a query, its own included; null: all before it. */
  readonly windowTokens: number | null;
  /** A logit per query head that joins the softmax and is dropped: [query heads]. */
  readonly sinks: Tensor1D | null;
}

/** Far below any score, and finite, so that no difference of infinities arises. */
const hidden = -1e30;

/**
 * Causal attention of queries [new tokens, query heads, width] over keys [all tokens, kv heads, width] and values [all
 * tokens, kv heads, value width]: [new tokens, query heads x value width]. The query heads of one kv head go through plain
 * matrix products together, which every backend does fast.
 */
export function attend(tf: Tfjs, query: Tensor3D, key: Tensor3D, value: Tensor3D, options: AttendOptions): Tensor2D {
  const [tokens, queryHeads] = query.shape;
  const [keys, kvHeads] = key.shape;
  const group = queryHeads / kvHeads;
  const blockTokens = Math.max(1, Math.floor(scoresMax / (group * keys)));
  return tf.tidy(() => {
    const blocks: Tensor2D[] = [];
    for (let from = 0; from < tokens; from += blockTokens) {
      const count = Math.min(blockTokens, tokens - from);
      blocks.push(tf.tidy(() => attendBlock(tf, query, key, value, options, from, count)));
    }
    return blocks.length === 1 ? blocks[0]! : tf.concat(blocks, 0);
  });
}

function attendBlock(
  tf: Tfjs,
  query: Tensor3D,
  key: Tensor3D,
  value: Tensor3D,
  options: AttendOptions,
  from: number,
  count: number,
): Tensor2D {
  const [, queryHeads, width] = query.shape;
  const [keys, kvHeads] = key.shape;
  const valueWidth = value.shape[2];
  const group = queryHeads / kvHeads;
  const mask = visibility(tf, options, from, count, keys);
  const heads: Tensor3D[] = [];
  for (let head = 0; head < kvHeads; head++) {
    const ofHead = tf.tidy(() => {
      const part = tf.slice(query, [from, head * group, 0], [count, group, width]);
      const rows = tf.reshape(tf.transpose(part, [1, 0, 2]), [group * count, width]);
      const keyColumns = tf.transpose(tf.reshape(tf.slice(key, [0, head, 0], [keys, 1, width]), [keys, width]));
      const scores = tf.mul(
        tf.reshape(tf.matMul(rows as Tensor2D, keyColumns as Tensor2D), [group, count, keys]),
        options.scale,
      );
      const shares = softmaxWithSinks(tf, tf.add(scores, mask), options.sinks, head * group);
      const values = tf.reshape(tf.slice(value, [0, head, 0], [keys, 1, valueWidth]), [keys, valueWidth]);
      const mixed = tf.matMul(tf.reshape(shares, [group * count, keys]) as Tensor2D, values as Tensor2D);
      return tf.reshape(mixed, [group, count, valueWidth]) as Tensor3D;
    });
    heads.push(ofHead);
  }
  const all = heads.length === 1 ? heads[0]! : tf.concat(heads, 0);
  return tf.reshape(tf.transpose(all, [1, 0, 2]), [count, queryHeads * valueWidth]);
}

/** 0 where a query sees a key, far below elsewhere: [queries, keys]. */
function visibility(
  tf: Tfjs,
  { firstPosition, windowTokens }: AttendOptions,
  from: number,
  count: number,
  keys: number,
): Tensor2D {
  const mask = new Float32Array(count * keys).fill(hidden);
  for (let i = 0; i < count; i++) {
    const position = firstPosition + from + i;
    const first = windowTokens === null ? 0 : Math.max(0, position - windowTokens + 1);
    mask.fill(0, i * keys + first, i * keys + position + 1);
  }
  return tf.tensor2d(mask, [count, keys]);
}

/** Softmax over the last axis of [heads, queries, keys]; sinks take their share and are dropped. */
function softmaxWithSinks(tf: Tfjs, scores: Tensor3D, sinks: Tensor1D | null, firstHead: number): Tensor3D {
  if (sinks === null) return tf.softmax(scores);
  const [group, count, keys] = scores.shape;
  const column = tf.tile(tf.reshape(tf.slice(sinks, [firstHead], [group]), [group, 1, 1]), [1, count, 1]);
  return tf.slice(tf.softmax(tf.concat([scores, column], 2)), [0, 0, 0], [group, count, keys]) as Tensor3D;
}

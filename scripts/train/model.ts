import type { Tensor, Tensor2D, Tfjs } from "../../src/capture/backends/backend.ts";
import { mixture } from "./mixture.ts";
import { type PairPlan, sortPairs } from "./pair-plan.ts";
import type { Parameters } from "./parameters.ts";
import type { Shape } from "./shape.ts";

/** Losses of a batch, each a scalar: cross entropy in nats a token, and the router losses averaged over layers. */
export interface Losses {
  readonly crossEntropy: Tensor;
  readonly balance: Tensor;
  readonly routerZ: Tensor;
}

/** A batch of sequences [sequences, tokens + 1]: the first tokens are read, the last ones predicted. */
export interface Batch {
  readonly sequences: number;
  /** Tokens of a sequence that are read. */
  readonly tokens: number;
  /** [sequences x tokens] */
  readonly inputs: Int32Array;
  readonly targets: Int32Array;
}

export function batchOf(ids: Int32Array, sequences: number): Batch {
  const tokens = ids.length / sequences - 1;
  const inputs = new Int32Array(sequences * tokens);
  const targets = new Int32Array(sequences * tokens);
  for (let s = 0; s < sequences; s++)
    for (let t = 0; t < tokens; t++) {
      inputs[s * tokens + t] = ids[s * (tokens + 1) + t]!;
      targets[s * tokens + t] = ids[s * (tokens + 1) + t + 1]!;
    }
  return { sequences, tokens, inputs, targets };
}

/**
 * What the rows of every layer choose: a forward pass that reads each router's logits back before its experts run. Reading
 * has to wait, which no backend can do within a gradient, so it comes before {@link losses}.
 */
export async function chooseExperts(tf: Tfjs, shape: Shape, parameters: Parameters, batch: Batch): Promise<PairPlan[]> {
  const decoder = new Decoder(tf, shape, parameters, batch);
  const plans: PairPlan[] = [];
  let hidden = decoder.embed();
  for (let layer = 0; layer < shape.layers; layer++) {
    const before = tf.tidy(() => decoder.beforeExperts(layer, hidden));
    hidden.dispose();
    const logits = (await before.logits.data()) as Float32Array;
    const plan = sortPairs(logits, before.normed.shape[0], shape.experts, shape.topK);
    hidden = tf.tidy(() => decoder.experts(layer, before, plan).hidden);
    tf.dispose([before.attended, before.normed, before.logits]);
    plans.push(plan);
  }
  hidden.dispose();
  decoder.dispose();
  return plans;
}

/** Forward pass through the chosen experts; differentiable in the parameters, the choice being a constant. */
export function losses(
  tf: Tfjs,
  shape: Shape,
  parameters: Parameters,
  batch: Batch,
  plans: readonly PairPlan[],
): Losses {
  const decoder = new Decoder(tf, shape, parameters, batch);
  let hidden = decoder.embed();
  let balance: Tensor = tf.scalar(0);
  let routerZ: Tensor = tf.scalar(0);
  for (const [layer, plan] of plans.entries()) {
    const mixed = decoder.experts(layer, decoder.beforeExperts(layer, hidden), plan);
    hidden = mixed.hidden;
    balance = tf.add(balance, mixed.balance);
    routerZ = tf.add(routerZ, mixed.routerZ);
  }
  const normed = rmsNorm(tf, hidden, parameters["finalNorm"]!, shape);
  const logits = tf.matMul(normed, parameters["embedding"] as unknown as Tensor2D, false, true);
  const wanted = tf.gather(tf.reshape(logits, [-1]), targetIndices(tf, batch.targets, shape.vocabulary));
  return {
    crossEntropy: tf.mean(tf.sub(tf.logSumExp(logits, 1), wanted)),
    balance: tf.div(balance, shape.layers),
    routerZ: tf.div(routerZ, shape.layers),
  };
}

/** A layer up to its experts. */
type BeforeExperts = {
  /** Hidden states after attention, [rows, hidden]. */
  readonly attended: Tensor2D;
  readonly normed: Tensor2D;
  /** [rows, experts] */
  readonly logits: Tensor2D;
};

/** The halves of a layer over one batch. */
class Decoder {
  readonly #tf: Tfjs;
  readonly #shape: Shape;
  readonly #parameters: Parameters;
  readonly #batch: Batch;
  readonly #rope: RopeTables;
  readonly #mask: Tensor;

  constructor(tf: Tfjs, shape: Shape, parameters: Parameters, batch: Batch) {
    this.#tf = tf;
    this.#shape = shape;
    this.#parameters = parameters;
    this.#batch = batch;
    this.#rope = ropeTables(tf, shape, batch.tokens);
    this.#mask = causalMask(tf, batch.tokens);
  }

  embed(): Tensor2D {
    const tf = this.#tf;
    return tf.tidy(
      () => tf.gather(this.#parameters["embedding"]!, tf.tensor1d(this.#batch.inputs, "int32")) as Tensor2D,
    );
  }

  beforeExperts(layer: number, hidden: Tensor2D): BeforeExperts {
    const tf = this.#tf;
    const of = this.#of(layer);
    const normed = rmsNorm(tf, hidden, of("attentionNorm"), this.#shape);
    const mixed = attention(tf, this.#shape, of, normed, this.#batch.sequences, this.#rope, this.#mask);
    const attended = tf.add<Tensor2D>(hidden, mixed);
    const before = rmsNorm(tf, attended, of("feedForwardNorm"), this.#shape);
    return { attended, normed: before, logits: tf.matMul(before, of("router") as Tensor2D) };
  }

  experts(layer: number, { attended, normed, logits }: BeforeExperts, plan: PairPlan) {
    const { output, ...routerLosses } = mixture(this.#tf, this.#shape, this.#of(layer), normed, logits, plan);
    return { ...routerLosses, hidden: this.#tf.add<Tensor2D>(attended, output) };
  }

  dispose(): void {
    this.#tf.dispose([this.#rope.cos, this.#rope.sin, this.#mask]);
  }

  #of(layer: number) {
    return (name: string): Tensor => this.#parameters[`${layer}.${name}`]!;
  }
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

import type { Tensor, Tensor2D, Tfjs } from "../../src/capture/backends/backend.ts";
import { attention, causalMask, type RopeTables, ropeTables } from "./attention.ts";
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

import type { Tensor, Tfjs } from "../../src/capture/backends/backend.ts";
import type { Parameters, Variable } from "./parameters.ts";

export interface AdamWOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled decay of matrices (Loshchilov and Hutter 2019), per unit of learning rate; norms do not decay. */
  readonly weightDecay: number;
  /** Largest Euclidean norm of all gradients together. */
  readonly gradientNormMax: number;
}

/** AdamW with clipping; its moments are variables beside the parameters. */
export class AdamW {
  readonly #tf: Tfjs;
  readonly #options: AdamWOptions;
  readonly #moments = new Map<string, { readonly mean: Variable; readonly square: Variable }>();
  #steps = 0;

  constructor(tf: Tfjs, parameters: Parameters, options: AdamWOptions) {
    this.#tf = tf;
    this.#options = options;
    for (const [name, parameter] of Object.entries(parameters))
      this.#moments.set(name, {
        mean: tf.variable(tf.zerosLike(parameter), false),
        square: tf.variable(tf.zerosLike(parameter), false),
      });
  }

  /** One step along the gradients; returns their norm before clipping. */
  async step(
    parameters: Parameters,
    gradients: Readonly<Record<string, Tensor>>,
    learningRate: number,
  ): Promise<number> {
    const tf = this.#tf;
    const { beta1, beta2, epsilon, weightDecay, gradientNormMax } = this.#options;
    this.#steps++;
    const correction1 = 1 - beta1 ** this.#steps;
    const correction2 = 1 - beta2 ** this.#steps;
    const square = tf.tidy(() =>
      tf.sum(tf.stack(Object.values(gradients).map((gradient) => tf.sum(tf.square(gradient))))),
    );
    const norm = Math.sqrt((await square.data())[0]!);
    square.dispose();
    const scale = norm > gradientNormMax ? gradientNormMax / norm : 1;
    for (const [name, gradient] of Object.entries(gradients)) {
      const parameter = parameters[name]!;
      const { mean, square } = this.#moments.get(name)!;
      tf.tidy(() => {
        mean.assign(tf.add(tf.mul(mean, beta1), tf.mul(gradient, scale * (1 - beta1))));
        square.assign(tf.add(tf.mul(square, beta2), tf.mul(tf.square(gradient), scale * scale * (1 - beta2))));
        const root = tf.add(tf.sqrt(tf.div(square, correction2)), epsilon);
        const update = tf.mul(tf.div(mean, root), learningRate / correction1);
        const kept = name.endsWith("Norm") ? parameter : tf.mul(parameter, 1 - learningRate * weightDecay);
        parameter.assign(tf.sub(kept, update));
      });
    }
    return norm;
  }
}

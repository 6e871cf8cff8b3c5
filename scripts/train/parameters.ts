import type { Tfjs } from "../../src/capture/backends/backend.ts";
import { RandomStream } from "../../src/core/random.ts";
import type { Shape } from "./shape.ts";

export type Variable = ReturnType<Tfjs["variable"]>;

/** Trainable tensors by name. Matrices are [in, out]; those of experts [experts, in, out], gate and up side by side. */
export type Parameters = Readonly<Record<string, Variable>>;

/** Sizes of every parameter, in the order of the model. */
function parameterShapes(shape: Shape): Record<string, number[]> {
  const { hidden, headDim, queryHeads, kvHeads, experts, expertWidth } = shape;
  const shapes: Record<string, number[]> = { embedding: [shape.vocabulary, hidden], finalNorm: [hidden] };
  for (let layer = 0; layer < shape.layers; layer++)
    Object.assign(shapes, {
      [`${layer}.attentionNorm`]: [hidden],
      [`${layer}.query`]: [hidden, queryHeads * headDim],
      [`${layer}.key`]: [hidden, kvHeads * headDim],
      [`${layer}.value`]: [hidden, kvHeads * headDim],
      [`${layer}.output`]: [queryHeads * headDim, hidden],
      [`${layer}.feedForwardNorm`]: [hidden],
      [`${layer}.router`]: [hidden, experts],
      [`${layer}.gateUp`]: [experts, hidden, 2 * expertWidth],
      [`${layer}.down`]: [experts, expertWidth, hidden],
    });
  return shapes;
}

const initialDeviation = 0.02;

/** Norms start at one, matrices normal with deviation 0.02, those that write to the residual stream smaller by depth. */
export function initialise(tf: Tfjs, shape: Shape, seed: number): Parameters {
  const stream = new RandomStream(seed, "initialise");
  const residual = initialDeviation / Math.sqrt(2 * shape.layers);
  return Object.fromEntries(
    Object.entries(parameterShapes(shape)).map(([name, size]) => {
      const values = new Float32Array(size.reduce((product, n) => product * n, 1));
      if (name.endsWith("Norm")) values.fill(1);
      else {
        const deviation = name.endsWith(".output") || name.endsWith(".down") ? residual : initialDeviation;
        fillNormal(values, deviation, stream.fork(name));
      }
      return [name, tf.variable(tf.tensor(values, size), true, name)];
    }),
  );
}

/** Box and Muller's transform. */
function fillNormal(values: Float32Array, deviation: number, stream: RandomStream): void {
  for (let i = 0; i < values.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - stream.uniform()));
    const angle = 2 * Math.PI * stream.uniform();
    values[i] = radius * Math.cos(angle);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(angle);
  }
}

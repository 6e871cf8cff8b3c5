import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import { finished } from "../backends/finished.ts";
import type { MatmulWork } from "./matmul-work.ts";

/** Products with more rows are timed with so many, at which their rate has levelled off. */
const rowsMax = 512;

/**
 * Seconds that a backend takes for these products alone: each shape is timed by itself, once after a run that warms up, on
 * numbers that are on the backend already. What a layer took is held against this, timed right after it, as the speed of
 * a shared machine drifts.
 */
export async function matmulSeconds(tf: Tfjs, work: readonly MatmulWork[]): Promise<number> {
  const secondsPerRow = new Map<string, number>();
  let seconds = 0;
  for (const { rows, inner, columns, count } of work) {
    const timed = [Math.min(rowsMax, rows), inner, columns].map((size) => Math.max(1, Math.round(size)));
    const shape = timed.join(" ");
    const known = secondsPerRow.get(shape) ?? (await timeProduct(tf, timed[0]!, timed[1]!, timed[2]!)) / timed[0]!;
    secondsPerRow.set(shape, known);
    seconds += known * rows * count;
  }
  return seconds;
}

async function timeProduct(tf: Tfjs, rows: number, inner: number, columns: number): Promise<number> {
  const left = tf.randomUniform([rows, inner], -1, 1) as Tensor2D;
  const right = tf.randomUniform([inner, columns], -1, 1) as Tensor2D;
  const once = async () => {
    const from = performance.now();
    const product = tf.matMul(left, right);
    await finished(tf, product);
    product.dispose();
    return (performance.now() - from) / 1000;
  };
  await once();
  const seconds = await once();
  tf.dispose([left, right]);
  return seconds;
}

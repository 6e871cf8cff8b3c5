import { type RoutedTokens, routeTokens } from "../../models/routing.ts";
import type { Tensor2D, Tfjs } from "../backends/backend.ts";
import { type Dense, loadDense } from "./dense.ts";
import { disposeExpert, expertForward, uploadExpert } from "./expert.ts";
import { applyLinear, disposeLinear, loadLinear } from "./linear.ts";
import type { MoePlan } from "./plan.ts";
import type { ExpertReader, WeightSource } from "./weights.ts";

/** Called between experts with the share of the work that is done; may wait, and rejects when the work is to stop. */
export type Pause = (shareDone: number) => Promise<void>;

/** A mixture of experts whose router and shared experts are on the backend; routed experts are read when they are needed. */
export interface Mixture {
  /** What the router chooses for normed rows [n, hidden]. */
  route(x: Tensor2D): Promise<RoutedTokens>;
  /**
   * Adds the experts' output for normed rows to `sum` [n, hidden], in place. Each expert that some row chose is read,
   * used for all its rows, at most {@link expertRowsMax} at a time, and released, in ascending order; the next one is read
   * meanwhile.
   */
  run(x: Tensor2D, routed: RoutedTokens, sum: Float32Array, pause: Pause): Promise<void>;
  dispose(): void;
}

/** Rows that go through an expert together: a product is as fast with so many as with more, and takes less memory. */
export const expertRowsMax = 4096;

export async function loadMixture(
  tf: Tfjs,
  weights: WeightSource,
  readExpert: ExpertReader,
  plan: MoePlan,
): Promise<Mixture> {
  const gate = await loadLinear(tf, weights, plan.gate);
  const bias = plan.selectionBias === null ? null : await weights.read(plan.selectionBias, [plan.experts]);
  const shared = plan.shared === null ? null : await loadDense(tf, weights, plan.shared);
  const sharedGate = plan.sharedGate === null ? null : await loadLinear(tf, weights, plan.sharedGate);
  const { hidden, topK } = { hidden: plan.gate.inputWidth, topK: plan.topK };

  const runShared = (network: Dense, x: Tensor2D): Tensor2D =>
    tf.tidy(() => {
      const output = network.run(x);
      return sharedGate === null ? output : (tf.mul(output, tf.sigmoid(applyLinear(tf, sharedGate, x))) as Tensor2D);
    });

  return {
    async route(x) {
      const logits = tf.tidy(() => applyLinear(tf, gate, x));
      const values = (await logits.data()) as Float32Array;
      logits.dispose();
      return routeTokens(values, plan.experts, topK, plan.routing, bias);
    },
    async run(x, routed, sum, pause) {
      if (shared !== null) {
        const output = runShared(shared, x);
        const values = await output.data();
        output.dispose();
        for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
      }
      const rows = (await x.data()) as Float32Array;
      const pairsOf = pairsByExpert(routed, plan.experts);
      const chosen = [...pairsOf.keys()];
      let next: ReturnType<ExpertReader> | null = null;
      try {
        for (const [i, expert] of chosen.entries()) {
          const read = await (next ?? readExpert(plan, expert));
          const follower = chosen[i + 1];
          next = follower === undefined ? null : readExpert(plan, follower);
          // A failure is thrown where it is awaited, which may be after a pause that rejects.
          next?.catch(() => {});
          const pairs = pairsOf.get(expert)!;
          const tensors = uploadExpert(tf, read);
          for (let from = 0; from < pairs.length; from += expertRowsMax) {
            const some = pairs.slice(from, from + expertRowsMax);
            const input = tf.tensor2d(gatherRows(rows, some, topK, hidden), [some.length, hidden]);
            const output = expertForward(tf, input, tensors, plan.activation);
            const values = (await output.data()) as Float32Array;
            input.dispose();
            output.dispose();
            addWeighted(sum, values, some, routed.weights, topK, hidden);
          }
          disposeExpert(tensors);
          await pause((i + 1) / chosen.length);
        }
      } finally {
        await next?.catch(() => {});
      }
    },
    dispose() {
      disposeLinear(gate);
      shared?.dispose();
      if (sharedGate !== null) disposeLinear(sharedGate);
    },
  };
}

/** Of each expert that was chosen, ascending: its pairs, row x topK + k. */
function pairsByExpert({ ids }: RoutedTokens, experts: number): Map<number, number[]> {
  const lists: number[][] = Array.from({ length: experts }, () => []);
  for (let pair = 0; pair < ids.length; pair++) lists[ids[pair]!]!.push(pair);
  return new Map([...lists.entries()].filter(([, pairs]) => pairs.length > 0));
}

function gatherRows(rows: Float32Array, pairs: readonly number[], topK: number, hidden: number): Float32Array {
  const out = new Float32Array(pairs.length * hidden);
  for (const [i, pair] of pairs.entries()) {
    const at = Math.floor(pair / topK) * hidden;
    out.set(rows.subarray(at, at + hidden), i * hidden);
  }
  return out;
}

function addWeighted(
  sum: Float32Array,
  values: Float32Array,
  pairs: readonly number[],
  weights: Float32Array,
  topK: number,
  hidden: number,
): void {
  for (const [i, pair] of pairs.entries()) {
    const weight = weights[pair]!;
    const to = Math.floor(pair / topK) * hidden;
    const from = i * hidden;
    for (let j = 0; j < hidden; j++) sum[to + j]! += weight * values[from + j]!;
  }
}

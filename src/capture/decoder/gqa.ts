import type { Tensor1D, Tensor2D, Tensor3D, Tfjs } from "../backends/backend.ts";
import { attend } from "./attend.ts";
import { type Attention, appended } from "./key-values.ts";
import { applyLinear, disposeLinear, type Linear, loadLinear } from "./linear.ts";
import type { GqaPlan } from "./plan.ts";
import { rmsNorm } from "./rms-norm.ts";
import { applyRope, ropeTables } from "./rope.ts";
import type { WeightSource } from "./weights.ts";

/** Grouped-query attention (Ainslie et al. 2023), with the norms, clipping, windows and sinks that models add. */
export async function loadGqa(tf: Tfjs, weights: WeightSource, plan: GqaPlan, normEpsilon: number): Promise<Attention> {
  const query = await loadLinear(tf, weights, plan.query);
  const key = await loadLinear(tf, weights, plan.key);
  const value = await loadLinear(tf, weights, plan.value);
  const output = await loadLinear(tf, weights, plan.output);
  const vector = async (name: string | null, size: number): Promise<Tensor1D | null> =>
    name === null ? null : tf.tensor1d(await weights.read(name, [size]));
  const normWidth = (heads: number) => (plan.normScope === "head" ? plan.headDim : heads * plan.headDim);
  const queryNorm = await vector(plan.queryNorm, normWidth(plan.queryHeads));
  const keyNorm = await vector(plan.keyNorm, normWidth(plan.kvHeads));
  const sinks = await vector(plan.sinks, plan.queryHeads);

  /** Rows [tokens, hidden] to heads [tokens, heads, headDim], normed and clipped. */
  const project = (linear: Linear, norm: Tensor1D | null, x: Tensor2D, heads: number): Tensor3D => {
    let rows = applyLinear(tf, linear, x);
    if (norm !== null && plan.normScope === "projection") rows = rmsNorm(tf, rows, norm, normEpsilon);
    if (plan.clip !== null) rows = tf.clipByValue(rows, -plan.clip, plan.clip);
    const split = tf.reshape(rows, [x.shape[0], heads, plan.headDim]) as Tensor3D;
    return norm !== null && plan.normScope === "head" ? rmsNorm(tf, split, norm, normEpsilon) : split;
  };

  return {
    run: (x, past) =>
      tf.tidy(() => {
        const firstPosition = past?.key.shape[0] ?? 0;
        const tables = ropeTables(tf, plan.rope, firstPosition, x.shape[0]);
        const queries = applyRope(tf, plan.rope, tables, project(query, queryNorm, x, plan.queryHeads));
        const keys = applyRope(tf, plan.rope, tables, project(key, keyNorm, x, plan.kvHeads));
        const keyValues = {
          key: appended(tf, past?.key, keys),
          value: appended(tf, past?.value, project(value, null, x, plan.kvHeads)),
        };
        const { scale, windowTokens } = plan;
        const mixed = attend(tf, queries, keyValues.key, keyValues.value, {
          scale,
          firstPosition,
          windowTokens,
          sinks,
        });
        return { output: applyLinear(tf, output, mixed), keyValues };
      }),
    dispose: () => {
      for (const linear of [query, key, value, output]) disposeLinear(linear);
      for (const tensor of [queryNorm, keyNorm, sinks]) tensor?.dispose();
    },
  };
}

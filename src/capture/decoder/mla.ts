import type { Tensor2D, Tensor3D, Tfjs } from "../backends/backend.ts";
import { attend } from "./attend.ts";
import { type Attention, appended } from "./key-values.ts";
import { applyLinear, disposeLinear, loadLinear } from "./linear.ts";
import type { MlaPlan } from "./plan.ts";
import { rmsNorm } from "./rms-norm.ts";
import { applyRope, ropeTables } from "./rope.ts";
import type { WeightSource } from "./weights.ts";

/** Both latents are normed with the default of the published classes, whatever the config says of other norms. */
const latentNormEpsilon = 1e-6;

/** Multi-head latent attention (DeepSeek-V2, section 2.1), unabsorbed: keys and values of all heads are written out. */
export async function loadMla(tf: Tfjs, weights: WeightSource, plan: MlaPlan): Promise<Attention> {
  const { queryHeads, nopeHeadDim, ropeHeadDim, valueHeadDim, kvLoraRank } = plan;
  const down = plan.queryDown === null ? null : await loadLinear(tf, weights, plan.queryDown.linear);
  const queryNorm =
    plan.queryDown === null
      ? null
      : tf.tensor1d(await weights.read(plan.queryDown.norm, [plan.queryDown.linear.outputWidth]));
  const queryUp = await loadLinear(tf, weights, plan.queryUp);
  const kvDown = await loadLinear(tf, weights, plan.kvDown);
  const kvNorm = tf.tensor1d(await weights.read(plan.kvNorm, [kvLoraRank]));
  const kvUp = await loadLinear(tf, weights, plan.kvUp);
  const output = await loadLinear(tf, weights, plan.output);

  const latentQuery = (x: Tensor2D): Tensor2D =>
    down === null || queryNorm === null ? x : rmsNorm(tf, applyLinear(tf, down, x), queryNorm, latentNormEpsilon);

  return {
    run: (x, past) =>
      tf.tidy(() => {
        const tokens = x.shape[0];
        const firstPosition = past?.key.shape[0] ?? 0;
        const tables = ropeTables(tf, plan.rope, firstPosition, tokens);
        const rotate = (heads: Tensor3D) => applyRope(tf, plan.rope, tables, heads);

        const query = tf.reshape(applyLinear(tf, queryUp, latentQuery(x)), [
          tokens,
          queryHeads,
          nopeHeadDim + ropeHeadDim,
        ]);
        const [queryPlain, queryTurning] = tf.split(query, [nopeHeadDim, ropeHeadDim], 2) as [Tensor3D, Tensor3D];
        const queries = tf.concat([queryPlain, rotate(queryTurning)], 2);

        const [latent, keyTurning] = tf.split(applyLinear(tf, kvDown, x), [kvLoraRank, ropeHeadDim], 1) as [
          Tensor2D,
          Tensor2D,
        ];
        const expanded = applyLinear(tf, kvUp, rmsNorm(tf, latent, kvNorm, latentNormEpsilon));
        const [keyPlain, values] = tf.split(
          tf.reshape(expanded, [tokens, queryHeads, nopeHeadDim + valueHeadDim]),
          [nopeHeadDim, valueHeadDim],
          2,
        ) as [Tensor3D, Tensor3D];
        // One rotary key for all heads.
        const shared = rotate(tf.reshape(keyTurning, [tokens, 1, ropeHeadDim]));
        const keys = tf.concat([keyPlain, tf.tile(shared, [1, queryHeads, 1])], 2);

        const keyValues = { key: appended(tf, past?.key, keys), value: appended(tf, past?.value, values) };
        const { scale } = plan;
        const options = { scale, firstPosition, windowTokens: null, sinks: null };
        const mixed = attend(tf, queries, keyValues.key, keyValues.value, options);
        return { output: applyLinear(tf, output, mixed), keyValues };
      }),
    dispose: () => {
      for (const linear of [down, queryUp, kvDown, kvUp, output]) if (linear !== null) disposeLinear(linear);
      queryNorm?.dispose();
      kvNorm.dispose();
    },
  };
}

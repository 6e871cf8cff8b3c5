import { aliases } from "../../models/aliases.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { MlaPlan } from "../decoder/plan.ts";
import type { ModelSizes } from "./architecture.ts";
import { onlyValue, readFlag } from "./config-values.ts";
import { linear } from "./feed-forward.ts";
import { readRope } from "./rope.ts";

const rankMax = 1 << 20;
const headsMax = 65536;

/**
 * Reads multi-head latent attention as DeepSeek-V2 and V3 share it (arXiv 2405.04434, section 2.1), and returns it for the
 * layer under a prefix. `interleaved` says how the class pairs rotary values.
 */
export function readLatentAttention(
  reader: ConfigReader,
  { hiddenSize, contextTokensMax }: ModelSizes,
  interleaved: boolean,
): (prefix: string) => MlaPlan {
  const queryHeads = reader.count("queryHeads", aliases.queryHeads, { max: headsMax });
  onlyValue(reader, "num_key_value_heads", queryHeads);
  const queryRank =
    reader.raw("q_lora_rank") === undefined ? null : reader.count("queryRank", ["q_lora_rank"], { max: rankMax });
  const kvLoraRank = reader.count("kvLoraRank", ["kv_lora_rank"], { max: rankMax });
  const nopeHeadDim = reader.count("nopeHeadDim", ["qk_nope_head_dim"], { max: headsMax });
  const ropeHeadDim = reader.count("ropeHeadDim", ["qk_rope_head_dim"], { max: headsMax });
  const valueHeadDim = reader.count("valueHeadDim", ["v_head_dim"], { max: headsMax });
  // What newer versions write beside them.
  onlyValue(reader, "qk_head_dim", nopeHeadDim + ropeHeadDim);
  onlyValue(reader, "head_dim", ropeHeadDim);
  // The class fixes the epsilon of the norms inside attention, whatever that of the others.
  onlyValue(reader, "rms_norm_eps", 1e-6);
  const biased = readFlag(reader, "attention_bias", false);
  const { rope, scoreFactor } = readRope(reader, { dims: ropeHeadDim, interleaved, contextTokensMax });
  const headDim = nopeHeadDim + ropeHeadDim;
  return (prefix) => {
    const module = `${prefix}.self_attn`;
    return {
      kind: "mla",
      queryHeads,
      nopeHeadDim,
      ropeHeadDim,
      valueHeadDim,
      kvLoraRank,
      queryDown:
        queryRank === null
          ? null
          : {
              linear: linear(`${module}.q_a_proj`, hiddenSize, queryRank, biased),
              norm: `${module}.q_a_layernorm.weight`,
            },
      queryUp:
        queryRank === null
          ? linear(`${module}.q_proj`, hiddenSize, queryHeads * headDim)
          : linear(`${module}.q_b_proj`, queryRank, queryHeads * headDim),
      kvDown: linear(`${module}.kv_a_proj_with_mqa`, hiddenSize, kvLoraRank + ropeHeadDim, biased),
      kvNorm: `${module}.kv_a_layernorm.weight`,
      kvUp: linear(`${module}.kv_b_proj`, kvLoraRank, queryHeads * (nopeHeadDim + valueHeadDim)),
      output: linear(`${module}.o_proj`, queryHeads * valueHeadDim, hiddenSize, biased),
      rope,
      scale: scoreFactor / Math.sqrt(headDim),
    };
  };
}

import { aliases } from "../../models/aliases.ts";
import type { ConfigReader } from "../../models/config-reader.ts";
import type { GqaPlan, RopePlan } from "../decoder/plan.ts";
import type { ModelSizes } from "./architecture.ts";
import { linear } from "./feed-forward.ts";
import { readRope } from "./rope.ts";

const headsMax = 65536;

/** What the layers of a model share in grouped-query attention. */
export interface GqaShape {
  readonly hiddenSize: number;
  readonly queryHeads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rope: RopePlan;
}

/** Reads heads and rotary embedding. */
export function readGqaShape(reader: ConfigReader, sizes: ModelSizes): GqaShape {
  const { hiddenSize, contextTokensMax } = sizes;
  const queryHeads = reader.count("queryHeads", aliases.queryHeads, { max: headsMax });
  const kvHeads = reader.count("kvHeads", aliases.kvHeads, {
    max: headsMax,
    fallback: { value: queryHeads, rule: "num_attention_heads" },
  });
  if (queryHeads % kvHeads !== 0)
    reader.problem(aliases.kvHeads[0], `a divisor of the ${queryHeads} query heads`, kvHeads);
  const headDim = reader.count("headDim", ["head_dim"], {
    max: headsMax,
    fallback: { value: hiddenSize / queryHeads, rule: "hidden_size / num_attention_heads" },
  });
  if (!Number.isInteger(headDim))
    reader.problem("head_dim", `a whole number, as hidden_size ${hiddenSize} is no multiple of ${queryHeads} heads`);
  const { rope } = readRope(reader, { dims: headDim, interleaved: false, contextTokensMax });
  return { hiddenSize, queryHeads, kvHeads, headDim, rope };
}

interface GqaOptions {
  /** Biases of query, key and value, and of the output. */
  readonly biases?: { readonly input: boolean; readonly output: boolean };
  readonly norm?: GqaPlan["normScope"];
  readonly clip?: number | null;
  readonly windowTokens?: number | null;
  readonly sinks?: boolean;
}

/** Grouped-query attention of one layer, without biases, norms, clipping, window and sinks unless asked for. */
export function gqa(prefix: string, shape: GqaShape, options: GqaOptions = {}): GqaPlan {
  const { hiddenSize, queryHeads, kvHeads, headDim, rope } = shape;
  const { biases = { input: false, output: false }, norm, clip = null, windowTokens = null, sinks = false } = options;
  const module = `${prefix}.self_attn`;
  return {
    kind: "gqa",
    queryHeads,
    kvHeads,
    headDim,
    query: linear(`${module}.q_proj`, hiddenSize, queryHeads * headDim, biases.input),
    key: linear(`${module}.k_proj`, hiddenSize, kvHeads * headDim, biases.input),
    value: linear(`${module}.v_proj`, hiddenSize, kvHeads * headDim, biases.input),
    output: linear(`${module}.o_proj`, queryHeads * headDim, hiddenSize, biases.output),
    queryNorm: norm === undefined ? null : `${module}.q_norm.weight`,
    keyNorm: norm === undefined ? null : `${module}.k_norm.weight`,
    normScope: norm ?? "head",
    clip,
    rope,
    windowTokens,
    sinks: sinks ? `${module}.sinks` : null,
    scale: 1 / Math.sqrt(headDim),
  };
}

/** Tokens a windowed layer sees, the query's own included. */
export function readWindow(reader: ConfigReader): number {
  return reader.count("windowTokens", ["sliding_window"]);
}

/** Layers that `layer_types` gives a window, or null where the file has no such list. */
export function readLayerTypes(reader: ConfigReader, layerCount: number): readonly boolean[] | null {
  const types = reader.perLayer("layer_types", layerCount);
  return (
    types?.map((type, layer) => {
      if (type !== "full_attention" && type !== "sliding_attention")
        reader.problem(`layer_types[${layer}]`, "full_attention or sliding_attention", type);
      return type === "sliding_attention";
    }) ?? null
  );
}

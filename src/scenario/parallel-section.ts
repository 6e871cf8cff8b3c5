import { z } from "zod";
import { cpKvCaches } from "../sim/mapping.ts";
import { count } from "./quantity.ts";

const degree = (what: string) => count(1, 65536).optional().describe(what);

/** How one replica is spread over devices, in the words of aiconfigurator. tp * cp * dp == ep * etp * edp must hold. */
export const parallelSection = z.strictObject({
  tp: degree("Tensor parallelism of attention and dense layers; default 1."),
  cp: degree("Context parallelism of attention: ranks that divide the tokens of a prompt; default 1."),
  cpKvCache: z
    .enum(cpKvCaches)
    .optional()
    .describe(
      "With cp, the KV cache on its ranks: sharded, each has a part of the tokens and decodes over that, or replicated, each has all; default sharded under TensorRT-LLM (Helix), else replicated.",
    ),
  dp: degree("Attention data parallelism: ranks with their own requests and KV cache; default 1."),
  pp: degree("Pipeline parallelism; default 1."),
  ep: degree("Expert parallelism; default tp * cp * dp / (etp * edp)."),
  etp: degree("Tensor parallelism inside each expert; default 1."),
  edp: degree(
    "Expert data parallelism: copies of the whole set of experts, each for the tokens of its own attention ranks; a divisor of cp * dp; default 1.",
  ),
  replicas: degree(
    "Copies of the whole deployment behind one router; default 1. With policy.scaling, those at the start; default its min.",
  ),
});

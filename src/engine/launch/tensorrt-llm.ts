import type { Json } from "../../core/json.ts";
import { expertMapFormats } from "../expert-maps/expert-map-formats.ts";
import { type Launch, type LaunchChoices, type Launcher, type LaunchFile, modelWord, portWord } from "./launch.ts";
import { Line } from "./line.ts";

type Document = Record<string, Json>;

const kvFormats = { bf16: "auto", fp8: "fp8", nvfp4: "nvfp4" } as const;

/** Name of the file with what `trtllm-serve` has no flag for. */
const configFile = "trtllm.yaml";

/** TensorRT-LLM's PyTorch backend: `trtllm-serve`, and a YAML file of LLM arguments. */
export const tensorrtLlm: Launcher = {
  engines: ["tensorrt-llm"],
  program: "tensorrt-llm",
  cluster: true,
  expresses: [
    "engine.blockSize",
    "engine.gpuMemoryUtilization",
    "engine.forceAlltoallMethod",
    "engine.speculative",
    "parallel.tp",
    "parallel.dp",
    "parallel.pp",
    "parallel.ep",
    "parallel.etp",
    "policy.placement",
    "policy.placement.rebalance",
  ],
  write(choices): Launch {
    const line = new Line();
    const { mapping, experts, exchange } = choices;
    const { tp, cp, dp, pp, ep, edp } = mapping;
    line.words.push(modelWord);
    line.flag("--host", "0.0.0.0");
    line.flag("--port", portWord);
    line.flag("--backend", "pytorch");
    line.flag("--tp_size", tp * dp);
    if (pp > 1) line.flag("--pp_size", pp);
    if (experts && ep > 1) line.flag("--ep_size", ep);
    if (cp > 1)
      line.refuse("parallel.cp", "context parallelism of TensorRT-LLM (Helix) needs settings that a scenario lacks");
    if (edp > 1) line.refuse("parallel.edp", "TensorRT-LLM documents no option for copies of all experts");
    if (tp > 1 && dp > 1)
      line.refuse("parallel.dp", "TensorRT-LLM has attention data-parallel over all ranks of a stage or over none");
    if (choices.nodes > 1) line.flag("--gpus_per_node", (tp * cp * dp * pp) / choices.nodes);
    line.flag("--max_batch_size", choices.maxSequences);
    line.flag("--max_num_tokens", choices.maxBatchTokens);
    line.flag("--max_seq_len", choices.contextTokens);
    line.flag("--free_gpu_memory_fraction", choices.memoryUtilisation);
    line.on("--enable_chunked_prefill", choices.chunkedPrefill);
    const mapFile = placeExperts(choices, line);
    const document = configOf(choices, mapFile.length > 0, line);
    line.flag("--extra_llm_api_options", configFile);
    const method = exchange.forceAlltoallMethod;
    return {
      words: line.words,
      environment: method === undefined ? {} : { TRTLLM_FORCE_ALLTOALL_METHOD: method },
      files: [{ name: configFile, content: { document } }, ...mapFile],
      needs: {},
      refused: line.refused,
    };
  },
};

/** What stands in the YAML file. */
function configOf(choices: LaunchChoices, hasMap: boolean, line: Line): Document {
  const { mapping, role, speculative, kvCacheFormat, blockTokens } = choices;
  const dtype =
    kvCacheFormat === undefined
      ? undefined
      : line.among(
          kvFormats,
          "model.kvCacheDtype",
          kvCacheFormat,
          `kv_cache_config.dtype of TensorRT-LLM has no ${kvCacheFormat}`,
        );
  return {
    ...(mapping.dp > 1 ? { enable_attention_dp: true } : {}),
    kv_cache_config: {
      enable_block_reuse: choices.prefixCaching,
      ...(blockTokens === undefined ? {} : { tokens_per_block: blockTokens }),
      ...(dtype === undefined ? {} : { dtype }),
    },
    ...(hasMap ? { moe_config: { backend: "WIDEEP", load_balancer: "experts.yaml" } } : {}),
    ...(speculative === undefined ? {} : speculationOf(speculative, line)),
    ...(role === "both" ? {} : { cache_transceiver_config: { backend: "DEFAULT" } }),
    ...(role === "prefill" ? { disable_overlap_scheduler: true } : {}),
  };
}

function speculationOf({ method, draftTokens }: NonNullable<LaunchChoices["speculative"]>, line: Line): Document {
  if (method === "mtp") return { speculative_config: { decoding_type: "MTP", num_nextn_predict_layers: draftTokens } };
  if (method === "ngram") return { speculative_config: { decoding_type: "NGram", max_draft_len: draftTokens } };
  line.refuse(
    "engine.speculative.method",
    `${method} needs the weights of a draft head, which a scenario does not name`,
  );
  return {};
}

/** The map, with how many layers move an iteration. The engine ignores it without attention data parallelism. */
function placeExperts({ experts, mapping, expertMap, rebalance }: LaunchChoices, line: Line): LaunchFile[] {
  const moves = rebalance?.kind === "tensorrt-llm";
  if (rebalance !== undefined && !moves)
    line.refuse("policy.placement.rebalance", `TensorRT-LLM does not rebalance as ${rebalance.kind} does`);
  if (!experts || expertMap === undefined) {
    if (moves) line.refuse("policy.placement.rebalance", "the load balancer needs a map to begin with");
    return [];
  }
  if (mapping.ep === 1 || mapping.dp === 1) {
    line.refuse(
      "policy.placement",
      "TensorRT-LLM's load balancer works with expert parallelism and attention data parallelism alone",
    );
    if (moves) line.refuse("policy.placement.rebalance", "the load balancer needs a map to begin with");
    return [];
  }
  const text = line.attempt("policy.placement", () =>
    expertMapFormats["tensorrt-llm"].write(expertMap.map, expertMap.context),
  );
  if (text === undefined) return [];
  if (moves && rebalance.values["policy"] !== "eplb")
    line.refuse(
      "policy.placement.rebalance.policy",
      `TensorRT-LLM's load balancer places by its own algorithm, not by ${String(rebalance.values["policy"])}`,
    );
  const updates = moves ? String(rebalance.values["layerUpdatesPerIter"]) : "0";
  return [
    {
      name: "experts.yaml",
      content: { text: text.replace(/^layer_updates_per_iter: 0$/m, `layer_updates_per_iter: ${updates}`) },
    },
  ];
}

import { expertMapFormats } from "../expert-maps/expert-map-formats.ts";
import {
  type Launch,
  type LaunchChoices,
  type Launcher,
  type LaunchFile,
  modelWord,
  nodeWord,
  portWord,
} from "./launch.ts";
import { Line } from "./line.ts";

/** Port of the process group over several nodes. */
const distPort = 5000;

const kvFormats = { bf16: "bf16", fp8: "fp8_e4m3", mxfp4: "fp4_e2m1" } as const;

/** Rules among copies of an expert (python/sglang/srt/eplb/expert_location_dispatch.py). */
const dispatchAlgorithms = { "static-nearest": "static", random: "dynamic", fake: "fake" } as const;

const balancing = { "round-robin": "round_robin", "least-loaded": "total_requests" } as const;

/** Paths of a scenario that SGLang's server arguments say. */
export const sglangExpresses: readonly string[] = [
  "engine.apiServerCount",
  "engine.schedulerRecvInterval",
  "engine.blockSize",
  "engine.gpuMemoryUtilization",
  "engine.moeA2aBackend",
  "engine.deepepMode",
  "engine.deepepNumMaxDispatchTokensPerRank",
  "engine.enableTwoBatchOverlap",
  "engine.enableSingleBatchOverlap",
  "engine.speculative",
  "parallel.tp",
  "parallel.dp",
  "parallel.pp",
  "parallel.ep",
  "parallel.etp",
  "policy.placement",
  "policy.placement.rebalance",
  "policy.placement.dispatch",
  "policy.router",
  "handover.reservedOutputTokens",
];

/** SGLang and its build for ROCm: `python3 -m sglang.launch_server`. */
export const sglang: Launcher = {
  engines: ["sglang", "sglang-rocm"],
  program: "sglang",
  cluster: true,
  expresses: sglangExpresses,
  write(choices): Launch {
    const line = new Line();
    const environment = sglangFlags(choices, line);
    const files = placeExperts(choices, line);
    handOver(choices, line);
    return { words: line.words, environment, files, needs: {}, refused: line.refused };
  },
};

/**
 * Arguments of a server but for its experts and its hand-over. SGLang divides `--max-running-requests` and `--chunked-prefill-size` by
 * the ranks of attention data parallelism; `--tp-size` is all devices of a stage.
 */
export function sglangFlags(choices: LaunchChoices, line: Line): Launch["environment"] {
  const { mapping, exchange, nodes } = choices;
  const { tp, cp, dp, pp, ep, edp } = mapping;
  line.flag("--model-path", modelWord);
  line.flag("--host", "0.0.0.0");
  line.flag("--port", portWord);
  line.flag("--tp-size", tp * cp * dp);
  if (pp > 1) line.flag("--pp-size", pp);
  if (dp > 1) {
    line.flag("--dp-size", dp);
    line.on("--enable-dp-attention");
  }
  if (cp > 1)
    line.refuse("parallel.cp", "SGLang has context parallelism for prompts of some models, by a switch of each family");
  else if (edp > 1) line.refuse("parallel.edp", "SGLang has copies of all experts for context-parallel ranks alone");
  if (choices.experts && ep > 1) line.flag("--ep-size", ep);
  if (nodes > 1) {
    line.flag("--nnodes", nodes);
    line.flag("--node-rank", nodeWord);
    line.flag("--dist-init-addr", [{ variable: "HEAD_ADDRESS" }, `:${distPort}`]);
  }
  line.flag("--context-length", choices.contextTokens);
  line.flag("--chunked-prefill-size", choices.chunkedPrefill ? choices.maxBatchTokens * dp : "-1");
  if (!choices.chunkedPrefill) line.flag("--max-prefill-tokens", choices.maxBatchTokens);
  line.flag("--max-running-requests", choices.maxSequences * dp);
  line.on("--disable-radix-cache", !choices.prefixCaching);
  line.flag("--mem-fraction-static", choices.memoryUtilisation);
  line.flag("--page-size", choices.blockTokens);
  if (choices.kvCacheFormat !== undefined)
    line.flag(
      "--kv-cache-dtype",
      line.among(
        kvFormats,
        "model.kvCacheDtype",
        choices.kvCacheFormat,
        `--kv-cache-dtype of SGLang has no ${choices.kvCacheFormat}`,
      ),
    );
  line.flag("--tokenizer-worker-num", choices.frontEnds);
  line.flag("--scheduler-recv-interval", choices.recvInterval);
  line.flag("--moe-a2a-backend", exchange.moeA2aBackend);
  line.flag("--deepep-mode", exchange.deepepMode);
  line.on("--enable-two-batch-overlap", exchange.enableTwoBatchOverlap === true);
  line.on("--enable-single-batch-overlap", exchange.enableSingleBatchOverlap === true);
  speculate(choices, line);
  if (choices.router !== undefined && dp > 1)
    line.flag(
      "--load-balance-method",
      line.among(
        balancing,
        "policy.router",
        choices.router,
        `--load-balance-method of SGLang has no ${choices.router} rule`,
      ),
    );
  const dispatchTokens = exchange.deepepNumMaxDispatchTokensPerRank;
  return dispatchTokens === undefined ? {} : { SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK: String(dispatchTokens) };
}

/** A chain of drafts: the tree of EAGLE with one branch has a node more, the last token itself. */
function speculate({ speculative }: LaunchChoices, line: Line): void {
  if (speculative === undefined) return;
  const { method, draftTokens } = speculative;
  if (method === "mtp") {
    line.flag("--speculative-algorithm", "EAGLE");
    line.flag("--speculative-num-steps", draftTokens);
    line.flag("--speculative-eagle-topk", 1);
    line.flag("--speculative-num-draft-tokens", draftTokens + 1);
  } else if (method === "ngram") {
    line.flag("--speculative-algorithm", "NGRAM");
    line.flag("--speculative-num-draft-tokens", draftTokens);
  } else
    line.refuse(
      "engine.speculative.method",
      `${method} needs the weights of a draft head, which a scenario does not name`,
    );
}

function placeExperts(choices: LaunchChoices, line: Line): LaunchFile[] {
  const { experts, mapping, expertMap, rebalance, dispatch } = choices;
  if (!experts) return [];
  if (mapping.ep === 1) {
    if (expertMap !== undefined) line.refuse("policy.placement", "a map needs expert parallelism");
    if (rebalance !== undefined) line.refuse("policy.placement.rebalance", "EPLB needs expert parallelism");
    return [];
  }
  if (dispatch !== undefined)
    line.flag(
      "--ep-dispatch-algorithm",
      line.among(
        dispatchAlgorithms,
        "policy.placement.dispatch",
        dispatch,
        `--ep-dispatch-algorithm of SGLang is static, dynamic or fake; none is ${dispatch}`,
      ),
    );
  rebalanceFlags(choices, line);
  if (expertMap === undefined) return [];
  const { map, context } = expertMap;
  const text = line.attempt("policy.placement", () => expertMapFormats.sglang.write(map, context));
  if (text === undefined) return [];
  line.flag("--init-expert-location", "experts.json");
  line.flag("--ep-num-redundant-experts", map.slots - map.experts);
  return [{ name: "experts.json", content: { text } }];
}

function rebalanceFlags({ rebalance }: LaunchChoices, line: Line): void {
  if (rebalance === undefined) return;
  const { kind, values } = rebalance;
  if (kind !== "sglang") {
    line.refuse("policy.placement.rebalance", `SGLang does not rebalance as ${kind} does`);
    return;
  }
  if (values["policy"] !== "eplb")
    line.refuse(
      "policy.placement.rebalance.policy",
      `EPLB is the only algorithm of SGLang's --enable-eplb, not ${String(values["policy"])}`,
    );
  line.on("--enable-eplb");
  line.flag("--eplb-rebalance-num-iterations", values["interval"] as number);
  line.flag("--eplb-rebalance-layers-per-chunk", values["layersPerChunk"] as number | undefined);
  line.flag("--eplb-min-rebalancing-utilization-threshold", values["minUtilisation"] as number);
}

function handOver({ role, reservedOutputTokens }: LaunchChoices, line: Line): void {
  if (role === "both") return;
  line.flag("--disaggregation-mode", role);
  if (reservedOutputTokens === undefined || role === "prefill") return;
  if (reservedOutputTokens === "all")
    line.refuse("handover.reservedOutputTokens", "SGLang keeps a number of tokens free, not whole outputs");
  else line.flag("--num-reserved-decode-tokens", reservedOutputTokens);
}

import { expertMapFormats } from "../expert-maps/expert-map-formats.ts";
import { splitWords } from "../offload-flags/words.ts";
import {
  headWord,
  type Launch,
  type LaunchChoices,
  type Launcher,
  type LaunchFile,
  modelWord,
  nodeWord,
  portWord,
} from "./launch.ts";
import { Line } from "./line.ts";
import type { Word } from "./shell-words.ts";

/** Ports between the nodes of a replica: of data parallelism, of tensor and pipeline parallelism, and of the hand-over. */
const rpcPort = 13345;
const masterPort = 29501;
const sideChannelPort = 5600;

const kvFormats = { bf16: "bfloat16", fp8: "fp8_e4m3" } as const;

const speculation = { mtp: "mtp", ngram: "ngram" } as const;

/** vLLM and its builds for ROCm and Ascend: `vllm serve`. */
export const vllm: Launcher = {
  engines: ["vllm", "vllm-rocm", "vllm-ascend"],
  program: "vllm",
  cluster: true,
  expresses: [
    "engine.apiServerCount",
    "engine.blockSize",
    "engine.gpuMemoryUtilization",
    "engine.all2allBackend",
    "engine.enableDbo",
    "engine.dboDecodeTokenThreshold",
    "engine.dboPrefillTokenThreshold",
    "engine.speculative",
    "parallel.tp",
    "parallel.cp",
    "parallel.cpKvCache",
    "parallel.dp",
    "parallel.pp",
    "parallel.ep",
    "parallel.etp",
    "policy.placement",
    "policy.placement.rebalance",
    "policy.router",
  ],
  write(choices, engine): Launch {
    const line = new Line();
    const { mapping, exchange, speculative } = choices;
    const { tp, cp, dp, pp } = mapping;
    line.words.push(modelWord);
    line.flag("--host", "0.0.0.0");
    line.flag("--port", portWord);
    line.flag("--tensor-parallel-size", tp);
    if (pp > 1) line.flag("--pipeline-parallel-size", pp);
    if (cp > 1) contextParallel(choices, line);
    if (dp > 1) line.flag("--data-parallel-size", dp);
    const files = placeExperts(choices, engine, line);
    line.flag("--max-model-len", choices.contextTokens);
    line.flag("--max-num-batched-tokens", choices.maxBatchTokens);
    line.flag("--max-num-seqs", choices.maxSequences);
    line.on(choices.chunkedPrefill ? "--enable-chunked-prefill" : "--no-enable-chunked-prefill");
    line.on(choices.prefixCaching ? "--enable-prefix-caching" : "--no-enable-prefix-caching");
    line.flag("--gpu-memory-utilization", choices.memoryUtilisation);
    line.flag("--block-size", choices.blockTokens);
    if (choices.kvCacheFormat !== undefined)
      line.flag(
        "--kv-cache-dtype",
        line.among(
          kvFormats,
          "model.kvCacheDtype",
          choices.kvCacheFormat,
          `--kv-cache-dtype of vLLM has no ${choices.kvCacheFormat}`,
        ),
      );
    line.flag("--all2all-backend", exchange.all2allBackend);
    line.on("--enable-dbo", exchange.enableDbo === true);
    line.flag("--dbo-decode-token-threshold", exchange.dboDecodeTokenThreshold);
    line.flag("--dbo-prefill-token-threshold", exchange.dboPrefillTokenThreshold);
    if (speculative !== undefined) {
      const method = line.among(
        speculation,
        "engine.speculative.method",
        speculative.method,
        `${speculative.method} needs the weights of a draft head, which a scenario does not name`,
      );
      if (method !== undefined)
        line.flag("--speculative-config", JSON.stringify({ method, num_speculative_tokens: speculative.draftTokens }));
    }
    if (choices.router !== undefined && choices.router !== "least-loaded")
      line.refuse(
        "policy.router",
        `vLLM sends a request to the data-parallel rank with the fewest requests; it has no ${choices.router} rule`,
      );
    const environment = handOver(choices, engine, line);
    const common = [...line.words];
    // Only the first node takes requests.
    line.flag("--api-server-count", choices.frontEnds);
    const [head, worker] = acrossNodes(choices, line);
    return {
      words: [...line.words, ...head],
      ...(choices.nodes > 1 ? { workerWords: [...common, "--headless", ...worker] } : {}),
      environment,
      files,
      needs: {},
      refused: line.refused,
    };
  },
};

function contextParallel({ mapping: { cp }, cpKvCache }: LaunchChoices, line: Line): void {
  line.flag("--prefill-context-parallel-size", cp);
  if (cpKvCache === "sharded")
    line.refuse(
      "parallel.cpKvCache",
      "vLLM 0.19 divides a KV cache over tensor-parallel ranks (--decode-context-parallel-size), not over those of --prefill-context-parallel-size",
    );
}

/** Words of the first node and of the others. */
function acrossNodes({ nodes, mapping }: LaunchChoices, line: Line): [Word[], Word[]] {
  if (nodes === 1) return [[], []];
  const { dp } = mapping;
  if (dp > 1 && dp % nodes === 0) {
    const local = dp / nodes;
    const shared: Word[] = [
      "--data-parallel-size-local",
      String(local),
      "--data-parallel-address",
      headWord,
      "--data-parallel-rpc-port",
      String(rpcPort),
    ];
    return [shared, ["--data-parallel-start-rank", [{ variable: "NODE_RANK", times: local }], ...shared]];
  }
  if (dp > 1) {
    line.refuse(
      "parallel.dp",
      `vLLM starts whole data-parallel ranks on a node: ${dp} of them are not divided evenly over ${nodes} nodes`,
    );
    return [[], []];
  }
  const shared: Word[] = [
    "--nnodes",
    String(nodes),
    "--node-rank",
    nodeWord,
    "--master-addr",
    headWord,
    "--master-port",
    String(masterPort),
  ];
  return [shared, shared];
}

/** Flags of where experts are, and a file where the engine takes one. */
function placeExperts(choices: LaunchChoices, engine: string, line: Line): LaunchFile[] {
  const { mapping, experts, expertMap, rebalance } = choices;
  const { tp, cp, dp, ep, etp } = mapping;
  if (!experts) return [];
  const ranks = tp * cp * dp;
  if (mapping.edp > 1)
    line.refuse("parallel.edp", "vLLM holds every expert once in a replica, but for copies that EPLB makes");
  if (ep > 1 && etp > 1)
    line.refuse(
      "parallel.ep",
      `vLLM holds whole experts on all ${ranks} ranks (--enable-expert-parallel) or slices of all: ep ${ep} with etp ${etp} is neither`,
    );
  if (ep === 1 || etp > 1) {
    if (expertMap !== undefined)
      line.refuse("policy.placement", "a map needs expert parallelism over all ranks of a stage");
    if (rebalance !== undefined) line.refuse("policy.placement.rebalance", "EPLB needs expert parallelism");
    return [];
  }
  line.on("--enable-expert-parallel");
  const balanced = rebalanceConfig(choices, engine, line);
  if (engine === "vllm-ascend") {
    if (expertMap === undefined) return [];
    const text = line.attempt("policy.placement", () =>
      expertMapFormats["vllm-ascend"].write(expertMap.map, expertMap.context),
    );
    if (text === undefined) return [];
    const name = "experts.json";
    line.flag("--additional-config", JSON.stringify({ eplb_config: { expert_map_path: name } }));
    return [{ name, content: { text } }];
  }
  const stated = expertMap === undefined ? [] : mapFlags(expertMap, line);
  const redundant = expertMap === undefined ? 0 : expertMap.map.slots - expertMap.map.experts;
  if (balanced !== null || stated.includes("--enable-eplb") || redundant > 0) {
    line.on("--enable-eplb");
    line.flag(
      "--eplb-config",
      JSON.stringify({ ...(redundant > 0 ? { num_redundant_experts: redundant } : {}), ...balanced }),
    );
  } else if (stated.includes("round_robin")) line.flag("--expert-placement-strategy", "round_robin");
  return [];
}

/** What the flags of vLLM say of a map; nothing where they cannot say it, which is refused. */
function mapFlags({ map, context }: NonNullable<LaunchChoices["expertMap"]>, line: Line): string[] {
  const text = line.attempt("policy.placement", () => expertMapFormats.vllm.write(map, context));
  return text === undefined ? [] : splitWords(text);
}

/** Keys of `--eplb-config` that say when experts move; null where they stay. */
function rebalanceConfig({ rebalance }: LaunchChoices, engine: string, line: Line): Record<string, unknown> | null {
  if (rebalance === undefined) return null;
  const { kind, values } = rebalance;
  if (kind !== "vllm" || engine === "vllm-ascend") {
    line.refuse("policy.placement.rebalance", `${engine} does not rebalance as ${kind} does`);
    return null;
  }
  if (values["policy"] !== "eplb")
    line.refuse(
      "policy.placement.rebalance.policy",
      `EPLB is the only policy of vLLM's --eplb-config, not ${String(values["policy"])}`,
    );
  return { window_size: values["window"], step_interval: values["interval"], use_async: values["async"] };
}

/** Flags and environment of a pool that hands requests over. */
function handOver({ role }: LaunchChoices, engine: string, line: Line): Launch["environment"] {
  if (role === "both") return {};
  if (engine === "vllm-ascend") {
    line.refuse("pools.role", "the connectors of vLLM Ascend need a table of device addresses, which no scenario has");
    return {};
  }
  line.flag(
    "--kv-transfer-config",
    JSON.stringify({
      kv_connector: "NixlConnector",
      kv_role: role === "prefill" ? "kv_producer" : "kv_consumer",
      kv_load_failure_policy: "fail",
    }),
  );
  return {
    VLLM_NIXL_SIDE_CHANNEL_HOST: [{ variable: "HOST_ADDRESS" }],
    VLLM_NIXL_SIDE_CHANNEL_PORT: String(sideChannelPort),
  };
}
